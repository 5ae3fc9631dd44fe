"""Facts about callers who speak: what becomes of what they say, and who is told of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ivr.cli.outside import setting_of
from ivr.config.loading import load as load_config
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Outcome
from ivr.domain.line import LineState
from ivr.domain.recording import Purpose
from ivr.flow.model import FlowSet
from ivr.simulation.recorded_caller import Behaviour
from ivr.simulation.recording import recorded
from ivr.simulation.replay import Verdict, replay
from ivr.simulation.scripted_channel import Leave, Press, Speak
from tests.unit.flow.conftest import NINE, NUMBER, OUR_TEXTS

MESSAGE = """
here:
  - voicemail: { box: support, review: true, notify: support@example.nl }
  - hang_up:
"""
SURVEY = """
here:
  - survey:
      questions:
        easy: { ask: one, scale: 10 }
        why: { ask: two, record: 30s }
        nice: { ask: one, scale: 5 }
  - hang_up:
"""
TEXTS = {"one": "Een.", "two": "Twee."}


def texts(played: Any) -> list[str]:
    return [heard.utterance.text for heard in played.heard]


def test_who_is_to_know_gets_one_notice_of_a_message(world: Any, flow_of: Any) -> None:
    world.play(flow_of(MESSAGE), script="6s,3,7s,1")
    (notice,) = world.errands.messages
    assert (notice.key, notice.to, notice.kind) == ("2:notice", "support@example.nl", "email")
    assert "support" in notice.text
    assert "7 seconden" in notice.text
    assert NUMBER not in notice.text


def test_nobody_is_told_of_what_is_no_message(world: Any, flow_of: Any) -> None:
    world.play(flow_of(MESSAGE), script="-,-")
    assert world.errands.messages == []


def test_only_the_message_that_is_sent_is_kept(world: Any, flow_of: Any) -> None:
    world.play(flow_of(MESSAGE), script="-,6s,3,7s,1")
    silent, first, second = [tape for _, tape in world.shelf.tapes]
    assert (world.shelf.discarded, world.shelf.kept) == ([silent, first], [second])


@pytest.mark.parametrize("leaves", [Leave(), Leave(during="voicemail_review"), Leave(during="voicemail_thanks")])
def test_a_message_is_kept_wherever_its_caller_hangs_up(world: Any, flow_of: Any, leaves: Leave) -> None:
    played = world.play(flow_of(MESSAGE), script=[Speak(6), *([Press("#")] if leaves.during else []), leaves])
    assert [tape.id for tape in world.shelf.kept] == ["1"]
    assert played.ending.outcome is Outcome.MESSAGE_LEFT


def test_who_hangs_up_at_the_tone_leaves_nothing_behind(world: Any, flow_of: Any) -> None:
    played = world.play(flow_of(MESSAGE), script=[Leave(during="record_tone")])
    assert len(world.shelf.discarded) == len(world.shelf.tapes) == 1
    assert played.ending.outcome is Outcome.ABANDONED


def test_a_caller_whose_time_is_over_while_speaking_has_left_a_message(world: Any, flow_of: Any) -> None:
    played = world.play(flow_of(MESSAGE), script="60s", leaves_after=20.0)
    assert played.ending.outcome is Outcome.MESSAGE_LEFT


def test_the_hash_cuts_the_greeting_short(world: Any, flow_of: Any) -> None:
    played = world.play(
        flow_of(MESSAGE), script=[Press("#", during="voicemail_greeting"), Speak(6), Press("#"), Leave()]
    )
    assert played.heard[0].key == "#"
    assert played.ending.outcome is Outcome.MESSAGE_LEFT


def test_the_hash_behind_a_number_does_not(world: Any, flow_of: Any) -> None:
    flow = "here:\n  - ask: { prompt: one, into: n, length: 4 }\n  - voicemail: support\n  - hang_up:"
    script = [*map(Press, "1234"), Press("#", during="voicemail_greeting"), Speak(6)]
    played = world.play(flow_of(flow, TEXTS), script=script)
    assert {heard.key for heard in played.heard} == {""}


def test_a_shelf_without_room_fails_the_step(world: Any, flow_of: Any) -> None:
    world.shelf.full = True
    played = world.play(flow_of(MESSAGE), script="6s")
    assert "RecordingFailed" in played.ending.error
    assert played.ending.outcome is Outcome.HANDED_OVER


def test_an_announcement_of_recording_is_said_to_the_end_before_it_begins(world: Any, flow_of: Any) -> None:
    flow = "here:\n  - record: { state: on, announced_by: one }\n  - menu: { prompt: two, options: { '1': here } }"
    played = world.play(flow_of(flow, TEXTS), script=[Press("1", during="one"), Leave()])
    assert played.heard[0].key == ""
    assert [purpose for purpose, _ in world.shelf.tapes] == [Purpose.CALL]
    kinds = [event.kind for event in played.noted]
    assert kinds.index(EventKind.CALL_RECORDING) > kinds.index(EventKind.PROMPT)


def test_a_text_of_one_language_is_missing_in_the_other(examine_flow: Any) -> None:
    flow = "here:\n  - record: { state: on, announced_by: notice }\n  - hang_up:"
    _, problems = examine_flow(flow, {}, "start: here\nlanguages: [nl, en]")
    assert [problem.rule for problem in problems] == ["unknown-prompt"]


def journal_of(played: Any) -> tuple[Contact, list[ContactEvent]]:
    """What the journal would hold of a simulated call."""
    events = [
        ContactEvent(str(position), ContactId("1.1"), event.at, event.kind, event.step, event.detail)
        for position, event in enumerate(played.noted)
    ]
    contact = Contact(
        ContactId("1.1"), NINE, number=NUMBER, line_state=LineState.KNOWN, region="Groningen", flow="case",
        outcome=played.ending.outcome, answered_at=NINE, ended_at=NINE + timedelta(minutes=5),
    )  # fmt: skip
    return contact, events


@pytest.mark.parametrize(
    ("flow", "script"),
    [(MESSAGE, "-,6s,2,3,7s,#,1"), (MESSAGE, "6s,x"), (SURVEY, "1,-,6s,#,3"), (SURVEY, "10,-,x"), (SURVEY, "7,6s,x")],
)
def test_a_call_in_which_somebody_speaks_is_replayed_and_written_down_as_it_went(
    world: Any, flow_of: Any, flow: str, script: str
) -> None:
    flows: FlowSet = flow_of(flow, TEXTS)
    played = world.play(flows, script=script)
    contact, events = journal_of(played)
    setting = setting_of(load_config(OUR_TEXTS.parent / "config.yaml"))
    assert asyncio.run(replay(contact, events, flows, flows, setting, ())).verdict is Verdict.SAME
    written = recorded(contact, events, None, setting.services.zone, flows)
    pressed = written.split("press:\n")[1].split("  expect:")[0]
    acts = ",".join(line.strip(" -'\"") or "-" for line in pressed.splitlines())
    again = world.play(flows, script=acts)
    assert texts(again) == texts(played)
    assert again.ending.outcome is played.ending.outcome


def test_who_was_not_recorded_there_has_nothing_to_say(world: Any, flow_of: Any) -> None:
    said: FlowSet = flow_of("here:\n  - say: one\n  - hang_up:", TEXTS)
    contact, events = journal_of(world.play(said))
    asked: FlowSet = flow_of(MESSAGE)
    setting = setting_of(load_config(OUR_TEXTS.parent / "config.yaml"))
    found = asyncio.run(replay(contact, events, said, asked, setting, ()))
    assert found.verdict is Verdict.DIFFERENT
    assert Behaviour.of(events).spoken == []
