"""Facts about the course of a call through flows that no checked flow can take: it ends at a person all the same."""

from __future__ import annotations

from typing import Any

import pytest

from ivr.domain.contact import Outcome
from ivr.domain.language import Language
from ivr.flow.course import MOST_CALLS
from ivr.flow.model import Flow, FlowSet, Placed
from ivr.flow.names import BlockName, FlowName
from ivr.flow.step import Step
from ivr.flow.steps.call import Call
from ivr.flow.steps.return_ import Return
from ivr.flow.steps.set import Set

HERE = BlockName("here")


def flow(*steps: Step) -> Flow:
    placed = tuple(Placed(step, f"here.{step.kind}") for step in steps)
    return Flow("case", "1", (Language.NL,), HERE, {HERE: placed})


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([Call(flow=FlowName("case")), Return()], "flow 'case' is called too deep"),
        ([Call(flow=FlowName("nothing")), Return()], "there is no flow 'nothing'"),
        ([Set(outcome=Outcome.TOLD)], "block 'here' of flow 'case' has no way on"),
    ],
)
def test_what_no_checked_flow_does_ends_at_a_person(world: Any, flow_of: Any, steps: list[Step], error: str) -> None:
    prompts = flow_of("here:\n  - hang_up:").prompts
    played = world.play(FlowSet({"case": flow(*steps)}, prompts))
    assert error in played.ending.error
    assert played.ending.outcome is Outcome.HANDED_OVER
    assert len([event for event in played.noted if event.kind == "step"]) <= MOST_CALLS + 1
