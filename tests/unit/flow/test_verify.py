"""Facts about proof: only who knows everything that was asked is verified, and nothing tells what was wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.cli.journey import journey_line
from ivr.domain.contact import ContactEvent, ContactId, EventKind, Outcome
from ivr.flow.voice import HIDDEN
from ivr.simulation.scripted_channel import Leave, Press
from tests.unit.flow.conftest import World

BLOCKS = """
here:
  - verify: { facts: [postcode, house_number, birth_date], need: 2, tries: 1, otherwise: there }
  - hang_up: { outcome: self_served }
there:
  - hang_up: { outcome: refused }
"""
RIGHT = {"postcode": "9712", "house_number": "12", "birth_date": "12041985"}
KEYS = st.one_of(st.sampled_from([*RIGHT.values(), "", "97121"]), st.text("0123456789*", max_size=9))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keyed=st.tuples(KEYS, KEYS, KEYS))
def test_who_is_verified_keyed_two_facts_and_both_right(flow_of: Any, keyed: tuple[str, str, str]) -> None:
    keys = [text[:4] if position == 0 else text for position, text in enumerate(keyed)]
    keys[1], keys[2] = keys[1][:5], keys[2][:8]
    answered = [(fact, text) for fact, text in zip(RIGHT, keys, strict=True) if text][:2]
    should = len(answered) == 2 and all(RIGHT[fact] == text.lstrip("0") for fact, text in answered)
    played = World().play(flow_of(BLOCKS), "provable", ",".join(f"{text}#" for text in keys))
    assert played.ending.outcome == (Outcome.SELF_SERVED if should else Outcome.REFUSED)
    noted = [event for event in played.noted if event.kind in (EventKind.DIGITS, EventKind.WRONG_INPUT)]
    assert noted == []
    (event,) = [event for event in played.noted if event.kind is EventKind.VERIFIED]
    assert set(event.detail) == {"passed", "right", "wrong", "facts"}
    asked = [heard.utterance.name for heard in played.heard if heard.utterance.name != "verify_failed"]
    questions = next((at for at in range(1, 4) if len([text for text in keys[:at] if text]) == 2), 3)
    assert asked == [f"verify_{fact}" for fact in list(RIGHT)[:questions]]


def test_a_journey_tells_of_the_proof(world: Any) -> None:
    def line(**detail: Any) -> str:
        event = ContactEvent("1", ContactId("c"), world.clock.now(), EventKind.VERIFIED, "a.verify", detail)
        return journey_line(event, world.services().zone).partition("  c  ")[2]

    passed = line(passed=True, right=2, wrong=0, facts=["postcode", "birth_date"])
    assert passed == "proves who they are by postcode, birth_date (2 right, 0 wrong)"
    assert line(passed=False, right=0, wrong=0, facts=[]) == "does not prove who they are"


def test_the_digit_that_ends_a_question_is_not_written_down_either(flow_of: Any) -> None:
    script = [Press("9", during="verify_postcode"), *map(Press, "712"), Leave()]
    played = World().play(flow_of(BLOCKS), "provable", script)
    assert [event.detail["key"] for event in played.noted if "key" in event.detail] == [HIDDEN]
