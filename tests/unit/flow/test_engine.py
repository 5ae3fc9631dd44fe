"""Facts about the engine: whatever happens, a caller ends at a person, with an answer, or by their own choice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ivr.domain.caller import Caller
from ivr.domain.contact import ContactId, EventKind, Outcome
from ivr.domain.hand_over import HandOver
from ivr.domain.speech import Audio, Utterance
from ivr.errors import AsteriskError
from ivr.flow.engine import Engine, Limits
from ivr.flow.model import FlowSet, Prompts
from ivr.flow.session import Session
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.scripted_channel import Leave, Press, ScriptedChannel
from ivr.simulation.transcript import Transcript

APOLOGY = "Er gaat iets mis bij ons. Excuses daarvoor. Ik verbind u door met een collega."

MENU = """
here:
  - say: one
  - menu: { prompt: two, options: { "1": there } }
there:
  - say: three
  - hang_up:
"""
TEXTS = {"one": "Een.", "two": "Twee.", "three": "Drie."}


def texts(played: Any) -> list[str]:
    return [heard.utterance.text for heard in played.heard]


def test_each_step_is_written_down_by_its_label(world: Any, flow_of: Any) -> None:
    played = world.play(flow_of(MENU, TEXTS), script="1")
    steps = [event.step for event in played.noted if event.kind is EventKind.STEP]
    assert steps == ["here.say", "here.menu", "there.say", "there.hang_up"]


def test_a_second_step_of_a_kind_in_a_block_is_numbered(world: Any, flow_of: Any) -> None:
    played = world.play(flow_of("here:\n  - say: one\n  - say: two\n  - hang_up:", TEXTS))
    assert [e.step for e in played.noted if e.kind is EventKind.STEP] == ["here.say", "here.say-2", "here.hang_up"]


def test_a_failed_flow_apologises_and_hands_over_to_a_person(world: Any, flow_of: Any) -> None:
    world.prompts.broken = {"three"}
    played = world.play(flow_of(MENU, TEXTS), script="1")
    assert texts(played) == ["Een.", "Twee.", APOLOGY]
    assert played.ending.outcome is Outcome.HANDED_OVER
    assert played.ending.handed_over.queue == "support"
    assert "SpeechError" in played.ending.error


def test_who_cannot_even_be_apologised_to_is_handed_over_all_the_same(world: Any, flow_of: Any) -> None:
    world.prompts.broken = {"one", "apology"}
    played = world.play(flow_of(MENU, TEXTS))
    assert texts(played) == []
    assert played.ending.outcome is Outcome.HANDED_OVER


def test_when_no_site_takes_the_caller_asterisk_has_to(world: Any, flow_of: Any) -> None:
    world.sites.sites = []
    assert world.play(flow_of("here:\n  - queue: support")).ending.outcome is Outcome.FAILED


def test_a_flow_that_does_not_exist_ends_at_a_person(world: Any, flow_of: Any) -> None:
    played = world.play(flow_of(MENU, TEXTS), flow="nothing")
    assert played.ending.outcome is Outcome.HANDED_OVER
    assert texts(played) == [APOLOGY]


def test_a_call_without_any_flows_ends_at_a_person(world: Any) -> None:
    assert world.play(FlowSet({}, Prompts())).ending.outcome is Outcome.HANDED_OVER


def test_a_mistake_in_our_own_code_is_not_the_callers_problem(
    world: Any, flow_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.board, "concerning", lambda **_: 1 / 0)
    played = world.play(
        flow_of("here:\n  - outage:\n    on_error: there\n  - hang_up:\nthere:\n  - say: one\n  - hang_up:", TEXTS)
    )
    assert texts(played) == ["Een."]
    assert [event.detail["error"] for event in played.noted if event.kind is EventKind.ERROR] == ["ZeroDivisionError"]


def test_steps_are_limited(world: Any, flow_of: Any) -> None:
    flow = flow_of("here:\n  - say: one\n    on_error: here\n  - hang_up:", TEXTS)
    world.prompts.broken = {"one"}
    played = world.play(flow, limits=Limits(max_steps=20))
    assert "StepLimitReached" in played.ending.error
    assert played.ending.outcome is Outcome.HANDED_OVER


def test_time_is_limited(world: Any, flow_of: Any) -> None:
    flow = flow_of('here:\n  - menu: { prompt: one, timeout: 60s, tries: 5, options: { "1": here } }', TEXTS)
    played = world.play(flow, script="-,1,-,1,-,1", limits=Limits(max_seconds=100))
    assert "StepLimitReached" in played.ending.error
    assert played.ending.outcome is Outcome.HANDED_OVER


@pytest.mark.parametrize("after", [0.0, 0.1, 0.3, 0.5, 0.9, 1.5, 4.0, 5.6])
def test_who_hangs_up_at_any_moment_has_abandoned_the_call(world: Any, flow_of: Any, after: float) -> None:
    played = world.play(flow_of(MENU, TEXTS), leaves_after=after)
    assert played.ending.outcome is Outcome.ABANDONED
    assert played.noted[-2].kind is EventKind.HUNG_UP
    assert not played.ending.error


def test_who_hangs_up_after_the_outage_was_told_was_served(world: Any, flow_of: Any) -> None:
    world.open_outage("Groningen")
    blocks = 'here:\n  - outage:\n  - menu: { prompt: one, options: { "1": here } }'
    assert world.play(flow_of(blocks, TEXTS), script="x").ending.outcome is Outcome.TOLD


def test_who_hangs_up_while_the_outage_is_told_was_not(world: Any, flow_of: Any) -> None:
    world.open_outage("Groningen")
    played = world.play(flow_of("here:\n  - outage:\n  - hang_up:"), script=[Leave("outage_announcement")])
    assert played.ending.outcome is Outcome.ABANDONED
    (prompt,) = [event for event in played.noted if event.kind is EventKind.PROMPT]
    assert prompt.detail["hung_up"] is True


def test_who_hangs_up_during_the_confirmation_has_a_callback(world: Any, flow_of: Any) -> None:
    flow = flow_of("here:\n  - callback: support\n  - hang_up:")
    played = world.play(flow, script=[Press("1"), Press("1"), Leave("callback_confirmed")])
    assert played.ending.outcome is Outcome.CALLBACK_BOOKED
    assert len(world.desk.booked) == 1


def test_who_hangs_up_during_the_apology_has_abandoned_the_call(world: Any, flow_of: Any) -> None:
    world.prompts.broken = {"one"}
    played = world.play(flow_of(MENU, TEXTS), script=[Leave("apology")])
    assert played.ending.outcome is Outcome.ABANDONED


def test_when_asterisk_fails_the_call_is_asterisks(world: Any, flow_of: Any) -> None:
    class Broken(ScriptedChannel):
        async def play(self, audio: Audio, *, keys: str = "") -> str:
            raise AsteriskError("gone")

        async def hand_over(self, to: HandOver) -> None:
            raise AsteriskError("gone")

    async def run() -> Outcome:
        flows, log = flow_of(MENU, TEXTS), Transcript(world.clock)
        channel = Broken(world.clock, world.prompts)
        session = Session(world.services(), flows, channel, DescribedEnquiry(Caller), log, ContactId("c1"))
        return (await Engine().run(session, "case")).outcome

    assert asyncio.run(run()) is Outcome.FAILED


def test_a_call_that_is_cancelled_stops(world: Any, flow_of: Any) -> None:
    class Endless(ScriptedChannel):
        async def play(self, audio: Audio, *, keys: str = "") -> str:
            await asyncio.Event().wait()
            return ""

    async def run() -> None:
        channel, log = Endless(world.clock, world.prompts), Transcript(world.clock)
        enquiry = DescribedEnquiry(Caller)
        session = Session(world.services(), flow_of(MENU, TEXTS), channel, enquiry, log, ContactId("c1"))
        running = asyncio.create_task(Engine().run(session, "case"))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_a_flow_can_go_on_in_another(world: Any, flow_of: Any, tmp_path: Any) -> None:
    (tmp_path / "flows").mkdir()
    other = "flow: other\nstart: s\nblocks:\n  s:\n    - say: welcome\n    - hang_up: { outcome: told }\n"
    (tmp_path / "flows" / "other.yaml").write_text(other)
    played = world.play(flow_of("here:\n  - goto: { flow: other }"))
    assert texts(played) == ["Welkom bij Lijnnet."]
    assert played.ending.outcome is Outcome.TOLD


def test_utterances_are_what_the_library_was_asked_for(world: Any, flow_of: Any) -> None:
    world.play(flow_of(MENU, TEXTS), script="1")
    assert {utterance.name for utterance in world.prompts.made} == {"one", "two", "three"}
    assert all(isinstance(utterance, Utterance) and not utterance.personal for utterance in world.prompts.made)
