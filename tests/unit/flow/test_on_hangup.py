"""What a flow does when the caller has left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ivr.domain.contact import EventKind, Outcome
from ivr.flow.engine import Limits
from ivr.flow.model import FlowSet
from ivr.flow.steps.reason import Reason
from ivr.simulation.play_through import PlayedThrough

HEAD = "start: here\non_hangup: left"
BLOCKS = """
here:
  - set: { answers: { asked: "'internet'" } }
  - menu: { prompt: one, options: { "1": there, "2": sub } }
there:
  - reason: chosen
  - menu: { prompt: two, options: { "1": here } }
sub:
  - call: part
  - queue: support
left:
  - branch: [{ when: call.reason, goto: known }]
  - reason: hung_up_at_once
known:
  - set: { outcome: told }
"""
TEXTS = {"one": "Een.", "two": "Twee."}


def steps(played: PlayedThrough) -> list[str]:
    """The steps after the caller had left."""
    kinds = [event.kind for event in played.noted]
    return [event.step for event in played.noted[kinds.index(EventKind.HUNG_UP) :] if event.kind is EventKind.STEP]


def flow(examine_flow: Any, blocks: str = BLOCKS, head: str = HEAD, **others: str) -> FlowSet:
    part = 'start: ask\nblocks:\n  ask:\n    - menu: { prompt: two, options: { "1": back } }\n  back:\n    - return:'
    flows, problems = examine_flow(blocks, TEXTS, head, others={"part": part, **others})
    assert flows is not None, "\n".join(map(str, problems))
    assert isinstance(flows, FlowSet)
    return flows


def test_it_is_gone_through_without_a_sound_when_the_caller_has_left(world: Any, examine_flow: Any) -> None:
    played = world.play(flow(examine_flow), script="x")
    assert (played.ending.outcome, played.ending.reason) == (Outcome.ABANDONED, "hung_up_at_once")
    assert steps(played) == ["left.branch", "left.reason"]
    assert [heard.utterance.name for heard in played.heard] == ["one"]


def test_it_knows_what_the_call_was_about_and_may_say_what_it_came_to(world: Any, examine_flow: Any) -> None:
    played = world.play(flow(examine_flow), script="1,x")
    assert (played.ending.outcome, played.ending.reason) == (Outcome.TOLD, "chosen")
    assert steps(played) == ["left.branch", "known.set"]


def test_a_flow_that_was_called_takes_that_of_the_flow_that_called_it(world: Any, examine_flow: Any) -> None:
    played = world.play(flow(examine_flow), script="2,x")
    assert steps(played) == ["left.branch", "left.reason"]


def test_it_is_not_gone_through_when_nobody_left(world: Any, examine_flow: Any) -> None:
    played = world.play(flow(examine_flow, "here:\n  - queue: support\nleft:\n  - reason: gone"))
    assert (played.ending.outcome, played.ending.reason) == (Outcome.HANDED_OVER, None)


def test_what_fails_there_is_written_down_and_changes_nothing(world: Any, examine_flow: Any) -> None:
    blocks = """
here:
  - menu: { prompt: one, options: { "1": there } }
there:
  - set: { answers: { tries: 1 } }
  - queue: support
left:
  - set: { answers: { more: answers.tries + 1 } }
"""
    played = world.play(flow(examine_flow, blocks), script="x")
    assert played.ending.outcome is Outcome.ABANDONED
    assert [event.detail["error"] for event in played.noted if event.kind is EventKind.ERROR] == ["ExpressionFailed"]


def test_it_takes_no_longer_than_it_may(world: Any, examine_flow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def for_ever(self: Reason, session: object) -> None:
        await asyncio.Future()

    monkeypatch.setattr(Reason, "run", for_ever)
    played = world.play(flow(examine_flow), script="x", limits=Limits(after_hangup=0.01))
    assert played.ending.outcome is Outcome.ABANDONED
    assert [event.detail["error"] for event in played.noted if event.kind is EventKind.ERROR] == ["TimeoutError"]


@pytest.mark.parametrize(
    ("left", "problem"),
    [
        ("left:\n  - say: one", "'say' needs a caller, who has left here"),
        ("left:\n  - goto: there\nthere:\n  - queue: support", "'queue' needs a caller, who has left here"),
        ("left:\n  - goto: { flow: part }", "another flow speaks, and the caller has left here"),
        ("left:\n  - goto: left", "a caller who does nothing stays here for ever: left → left"),
        ("elsewhere:\n  - hang_up:", "unknown block 'left'"),
    ],
)
def test_what_cannot_be_done_without_a_caller_is_refused(examine_flow: Any, left: str, problem: str) -> None:
    part = "start: ask\nblocks:\n  ask:\n    - queue: support"
    _, problems = examine_flow(f"here:\n  - queue: support\n{left}", TEXTS, HEAD, others={"part": part})
    assert problem in [found.message for found in problems]


def test_a_block_that_also_comes_while_the_caller_is_there_says_where_to_go(examine_flow: Any) -> None:
    blocks = "here:\n  - goto: left\nleft:\n  - reason: gone"
    _, problems = examine_flow(blocks, TEXTS, HEAD)
    assert [found.message for found in problems] == ["block 'left' has no way on after this step"]
