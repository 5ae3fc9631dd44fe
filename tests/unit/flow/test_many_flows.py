"""Facts about flows that lead to each other: however many and however they do, they are checked, and rightly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.flow.drafts import read_flow
from ivr.flow.loader import examine
from ivr.flow.sources import Sources
from ivr.flow.unproven import Spot, Unproven
from ivr.yamlfile.problem import Problem

ROOT = Path(__file__).parents[3]


def problems_of(folder: Path, count: int, *, ring: bool) -> list[Problem]:
    """The problems of flows that call each other, each keeping what the next one gives."""
    for number in range(count):
        following = (number + 1) % count
        call = f"call: {{ flow: f{following}, into: x }}"
        step, value = (call, "answers.x.a") if following or ring else ("set: { answers: { x: 1 } }", "answers.x")
        text = f"flow: f{number}\ngives: {{ a: {value} }}\nstart: s\nblocks:\n  s:\n    - {step}\n    - return:\n"
        (folder / f"f{number}.yaml").write_text(text, encoding="utf-8")
    flows, problems = examine(Sources(folder, ROOT / "prompts", private={"postcode": None}))
    assert (flows is None) == bool(problems)
    return problems


def test_flows_may_call_each_other_as_deep_as_a_call_follows_them(tmp_path: Path) -> None:
    assert problems_of(tmp_path, 17, ring=False) == []
    (problem,) = problems_of(tmp_path, 18, ring=False)
    assert problem.file.endswith("f0.yaml")
    assert problem.message == "flows call each other 17 deep from here, and 16 is the most"


@pytest.mark.parametrize("ring", [False, True])
def test_a_long_way_through_flows_is_no_danger_to_the_one_who_checks_it(tmp_path: Path, ring: bool) -> None:
    problems = problems_of(tmp_path, 400, ring=ring)
    assert {problem.rule for problem in problems} == {"call"}
    assert len(problems) == (400 if ring else 1)


# --- the ways of the unproven, found out once more in the plainest way -----------------------------------------------

BLOCKS = ("a", "b", "c")
Place = tuple[int, str, int]
LAST = ("goto a", "goto b", "goto c", "flow 1", "flow 2", "return", "hang_up")
MIDDLE = ("say", "verify", "verify a", "branch b", "branch not c", "call 1", "call 2", "call 2 b")
BLOCK = st.tuples(st.lists(st.sampled_from(MIDDLE), max_size=3), st.sampled_from(LAST))
FLOW = st.tuples(st.tuples(BLOCK, BLOCK, BLOCK), st.sampled_from(("", "a", "c")))


def written(number: int, flow: tuple[Sequence[tuple[Sequence[str], str]], str]) -> str:
    blocks, otherwise = flow
    lines = [f"flow: f{number}", "start: a", *([f"otherwise: {otherwise}"] if otherwise else []), "blocks:"]
    for name, (middle, last) in zip(BLOCKS, blocks, strict=True):
        lines.append(f"  {name}:")
        for step in (*middle, last):
            lines.append(f"    - {as_yaml(step, number)}")
    return "\n".join(lines)


def as_yaml(step: str, number: int) -> str:
    kind, *words = step.split()
    target = min(number + int(words[0]), 2) if kind in ("call", "flow") else 0
    match kind, words:
        case "verify", [block]:
            return f"verify: {{ facts: [postcode], otherwise: {block} }}"
        case "verify", _:
            return "verify: [postcode]"
        case "branch", ["not", block]:
            return f"branch: [{{ when: not caller.verified, goto: {block} }}]"
        case "branch", [block]:
            return f"branch: [{{ when: caller.verified, goto: a }}, {{ when: caller.known, goto: {block} }}]"
        case "call", [_, *block]:
            otherwise = f", otherwise: {block[0]}" if block else ""
            return f"call: {{ flow: f{target}{otherwise} }}" if target > number else "say: welcome"
        case "flow", _:
            return f"goto: {{ flow: f{target} }}" if target > number else "hang_up:"
        case "goto", [block]:
            return f"goto: {block}"
        case "say", _:
            return "say: welcome"
    return f"{kind}:"


def plainly(flows: Sequence[tuple[Sequence[tuple[Sequence[str], str]], str]]) -> set[Spot]:
    """The steps an unproven caller can come to: every call played out, with all the flows that wait for another."""

    def given_up(at: int, frames: tuple[Place, ...], own: str = "") -> None:
        if own or flows[at][1]:
            open_.append(((at, own or flows[at][1], 0), frames))
        elif frames:
            caller = frames[-1]
            calls = flows[caller[0]][0][BLOCKS.index(caller[1])][0][caller[2]].split()
            given_up(caller[0], frames[:-1], calls[2] if len(calls) > 2 else "")

    seen: set[tuple[Place, tuple[Place, ...]]] = set()
    open_: list[tuple[Place, tuple[Place, ...]]] = [((0, "a", 0), ())]
    while open_:
        (number, block, index), waiting = state = open_.pop()
        if state in seen:
            continue
        seen.add(state)
        middle, last = flows[number][0][BLOCKS.index(block)]
        step = (*middle, last)[index]
        kind, *words = step.split()
        following = (number, block, index + 1)
        target = min(number + int(words[0]), 2) if kind in ("call", "flow") else 0

        if kind == "goto":
            open_.append(((number, words[0], 0), waiting))
        elif kind == "say" or (kind == "call" and target == number):
            open_.append((following, waiting))
        elif kind == "call":
            open_.append(((target, "a", 0), (*waiting, (number, block, index))))
        elif kind == "flow" and target > number:
            open_.append(((target, "a", 0), waiting))
        elif kind == "verify" and words:
            open_.append(((number, words[0], 0), waiting))
        elif kind == "verify":
            given_up(number, waiting)
        elif kind == "branch" and words[0] == "not":
            open_.append(((number, words[1], 0), waiting))
        elif kind == "branch":
            open_ += [((number, words[0], 0), waiting), (following, waiting)]
        elif kind == "return" and waiting:
            caller = waiting[-1]
            open_.append(((caller[0], caller[1], caller[2] + 1), waiting[:-1]))
        elif kind == "return":
            given_up(number, ())
    return {Spot(f"f{number}", block, index) for (number, block, index), _ in seen}  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(flows=st.tuples(FLOW, FLOW, FLOW))
def test_an_unproven_caller_comes_exactly_where_a_call_could_take_them(
    flows: tuple[tuple[Sequence[tuple[Sequence[str], str]], str], ...],
) -> None:
    drafts = {f"f{number}": read_flow(Path(), "f", written(number, flow).encode()) for number, flow in enumerate(flows)}
    assert all(draft.whole for draft in drafts.values())
    unproven = Unproven(drafts, ["f0"])
    spots = [replace(spot, called=False) for spot, _ in unproven.spots()]
    assert set(spots) == plainly(flows)
    assert len(set(spots)) == len(spots)
    assert all(unproven.way_to(spot).startswith("f0: a") for spot, _ in unproven.spots())
