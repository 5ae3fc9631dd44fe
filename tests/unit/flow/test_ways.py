"""Facts about the ways through a flow, and which of them a call took."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from ivr.flow.drafts import read_flow
from ivr.flow.ways import FlowMap, To, moves

BLOCKS = """
here:
  - say: welcome
  - say: goodbye
    on_error: there
  - branch:
      - { when: caller.known, goto: there }
  - menu:
      prompt: main_menu
      options:
        "1": there
        "2": { goto: there, when: caller.known }
        "3": here
there:
  - hang_up:
"""


def the_map(tmp_path: Path) -> FlowMap:
    (found,) = FlowMap.all_of([read_flow(tmp_path / "flows" / "case.yaml", "case.yaml")])
    return found


def test_every_step_has_its_journal_name_its_line_and_its_ways(flow_of: Any, tmp_path: Path) -> None:
    flow_of(BLOCKS)
    found = the_map(tmp_path)
    assert list(found.stops) == ["here.say", "here.say-2", "here.branch", "here.menu", "there.hang_up"]
    assert [(way.to, way.target, way.label) for way in found.stops["here.say-2"].ways] == [
        (To.NEXT, "here.branch", ""),
        (To.ERROR, "there", "on_error"),
    ]
    assert [(way.target, way.label) for way in found.stops["here.branch"].ways] == [
        ("there", "caller.known"),
        ("here.menu", ""),
    ]
    menu = found.stops["here.menu"]
    assert [(way.to, way.target, way.label) for way in menu.ways] == [
        (To.BLOCK, "there", "1"),
        (To.BLOCK, "there", "2"),
        (To.BLOCK, "here", "3"),
        (To.PERSON, "", "otherwise"),
    ]
    lines = (tmp_path / "flows" / "case.yaml").read_text().splitlines()
    assert '"2":' in lines[menu.ways[1].line - 1]


def test_a_call_s_moves_tell_which_way_it_took(flow_of: Any, tmp_path: Path, world: Any) -> None:
    played = world.play(flow_of(BLOCKS), "known", "2")
    found = the_map(tmp_path)
    assert [[way.label for way in found.taken(move)] for move in moves(played.noted, "case")] == [
        [""],
        [""],
        ["caller.known"],
        ["hang_up"],
    ]
    played = world.play(flow_of(BLOCKS), "unknown", "3,1")
    menus = [found.taken(move) for move in moves(played.noted, "case") if move.step == "here.menu"]
    assert [[way.label for way in ways] for ways in menus] == [["3"], ["1"]]


def test_a_failed_step_s_way_and_giving_up_and_leaving_are_told_apart(flow_of: Any, tmp_path: Path, world: Any) -> None:
    world.prompts.broken = {"goodbye"}
    played = world.play(flow_of(BLOCKS))
    found = the_map(tmp_path)
    assert [way.to for move in moves(played.noted, "case") for way in found.taken(move)] == [
        To.NEXT,
        To.ERROR,
        To.END,
    ]
    world.prompts.broken = set()
    silent = list(moves(world.play(flow_of(BLOCKS)).noted, "case"))
    assert [way.to for way in found.taken(silent[-1])] == [To.PERSON]
    leaving = list(moves(world.play(flow_of(BLOCKS), script="x").noted, "case"))
    assert not found.taken(leaving[-1])


def test_a_step_of_another_flow_says_which(flow_of: Any, tmp_path: Path, world: Any) -> None:
    other = "flow: other\nstart: there\nblocks:\n  there:\n    - hang_up:\n"
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "other.yaml").write_text(other)
    played = world.play(flow_of("here:\n  - goto: { flow: other }"))
    (first, second) = moves(played.noted, "case")
    assert (first.flow, first.next_flow, second.flow) == ("case", "other", "other")
    assert [way.to for way in the_map(tmp_path).taken(first)] == [To.FLOW]


def test_a_call_only_leads_to_otherwise_when_the_flow_it_calls_may_give_up(tmp_path: Path) -> None:
    calls = "flow: main\nstart: a\nblocks:\n  a:\n    - call: {}\n    - call: asks\n    - hang_up:\n"
    head = "start: a\nblocks:\n  a:\n"
    flows = {
        "main": calls.format("says"),
        "says": f"flow: says\n{head}    - say: welcome\n    - return:\n",
        "asks": f"flow: asks\n{head}    - call: verifies\n    - return:\n",
        "verifies": f"flow: verifies\n{head}    - verify: [postcode]\n    - return:\n",
    }
    for name, text in flows.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    main, *_ = FlowMap.all_of([read_flow(tmp_path / f"{name}.yaml", name) for name in flows])
    assert [[way.label for way in stop.ways] for stop in main.stops.values()] == [
        ["", ""],
        ["", "otherwise", ""],
        ["hang_up"],
    ]


def test_a_step_that_copes_with_an_error_has_not_failed(flow_of: Any, tmp_path: Path, world: Any) -> None:
    world.desk.available = False
    flow = flow_of("here:\n  - callback: { queue: support, otherwise: there }\n  - hang_up:\nthere:\n  - hang_up:\n")
    played = world.play(flow, "known", "1,1")
    found = the_map(tmp_path)
    assert [way.label for way in found.taken(next(moves(played.noted, "case")))] == ["otherwise"]


def test_who_is_given_up_in_a_flow_that_was_called_is_back_in_the_one_that_called_it(
    examine_flow: Any, tmp_path: Path, world: Any
) -> None:
    other = "start: a\nblocks:\n  a:\n    - verify: [postcode]\n    - return:\n"
    blocks = "here:\n  - call: { flow: proves, otherwise: there }\n  - hang_up:\nthere:\n  - hang_up:\n"
    flows, _ = examine_flow(blocks, others={"proves": other})
    played = world.play(flows, "unknown")
    files = [read_flow(tmp_path / "flows" / f"{name}.yaml", name) for name in ("case", "proves")]
    maps = {found.flow: found for found in FlowMap.all_of(files)}
    gone = [[way.label for way in maps[move.flow].taken(move)] for move in moves(played.noted, "case")]
    assert gone == [[""], ["otherwise"], ["otherwise"], ["hang_up"]]


def test_an_option_in_a_list_is_told_by_its_key_or_else_by_its_condition(flow_of: Any, tmp_path: Path) -> None:
    blocks = """
    here:
      - menu:
          prompt: asked
          options:
            - { goto: there, say: offered, when: caller.known }
            - { goto: there, key: "9", when: caller.known }
            - { goto: there, say: offered }
    there:
      - hang_up:
    """
    flow_of(dedent(blocks), {"asked": "Kies.", "offered": "Kies {{ key }}. Of negen."})
    assert [way.label for way in the_map(tmp_path).stops["here.menu"].ways] == ["caller.known", "9", "", "otherwise"]
