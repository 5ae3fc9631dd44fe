"""Facts about callbacks when the database takes its time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from ivr.domain.callback import Callback, CallbackRequest
from ivr.domain.contact import EventKind, Outcome
from ivr.domain.speech import Audio, Utterance
from ivr.errors import StoreUnavailable
from ivr.simulation.scripted_channel import Leave, Press
from ivr.simulation.scripted_services import ScriptedDesk
from ivr.simulation.spoken_prompts import SpokenPrompts

MOMENTS = 2
FLOW = "here:\n  - callback: support\n  - say: done\n  - hang_up:"


@dataclass
class Prompts(SpokenPrompts):
    """Tells when the caller has been asked for a moment so many times."""

    asked: int = 0
    patient: asyncio.Event = field(default_factory=asyncio.Event)

    async def audio(self, utterance: Utterance) -> Audio:
        self.asked += utterance.name == "callback_moment"
        if self.asked >= MOMENTS:
            self.patient.set()
        return await super().audio(utterance)


@dataclass
class SlowDesk(ScriptedDesk):
    """Books when the caller has been patient."""

    prompts: Prompts = field(default_factory=Prompts)

    async def book(self, request: CallbackRequest) -> Callback:
        await self.prompts.patient.wait()
        return await super().book(request)


@pytest.fixture
def slow(world: Any) -> Any:
    world.prompts = Prompts()
    world.desk = SlowDesk(world.desk.offers, prompts=world.prompts)
    return world


def names(played: Any) -> list[str]:
    return [heard.utterance.name for heard in played.heard]


def test_a_caller_whom_the_database_keeps_waiting_is_asked_for_a_moment_until_it_answers(
    slow: Any, flow_of: Any
) -> None:
    played = slow.play(flow_of(FLOW, {"done": "Klaar."}), script="1, 1")
    assert names(played)[-4:] == ["callback_moment", "callback_moment", "callback_confirmed", "done"]
    assert played.ending.outcome is Outcome.CALLBACK_BOOKED


def test_a_database_that_fails_in_the_end_promises_nothing(slow: Any, flow_of: Any) -> None:
    slow.desk.fails_to_book = True
    played = slow.play(flow_of(FLOW, {"done": "Klaar."}), script="1, 1")
    assert names(played)[-2:] == ["callback_moment", "callback_unavailable"]
    errors = [event.detail["error"] for event in played.noted if event.kind is EventKind.ERROR]
    assert errors == [StoreUnavailable.__name__]


def test_who_leaves_meanwhile_has_a_promise_that_is_written_down(slow: Any, flow_of: Any) -> None:
    script = [Press("1"), Press("1"), Leave(during="callback_moment")]
    slow.prompts.asked = MOMENTS - 1
    played = slow.play(flow_of(FLOW, {"done": "Klaar."}), script=script)
    assert names(played)[-1] == "callback_moment"
    assert len(slow.desk.booked) == 1
    assert EventKind.CALLBACK_BOOKED in [event.kind for event in played.noted]
    assert played.ending.outcome is Outcome.CALLBACK_BOOKED


def test_a_quick_database_is_not_spoken_of(world: Any, flow_of: Any) -> None:
    assert "callback_moment" not in names(world.play(flow_of(FLOW, {"done": "Klaar."}), script="1, 1"))
