from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ivr.dialer.retry import after
from ivr.domain.callback import (
    Attempt,
    AttemptId,
    AttemptOutcome,
    Callback,
    CallbackId,
    CallbackRequest,
    CallbackState,
    Window,
)
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
WAIT = timedelta(minutes=10)


def promise(*outcomes: AttemptOutcome) -> tuple[Callback, Attempt]:
    """A promise whose attempts ended so, and the attempt that is ending now."""
    request = CallbackRequest(
        PhoneNumber("+31612345678"), Window(NOW, NOW + timedelta(hours=2)), "support", Language.NL, "c1"
    )
    ended = [
        Attempt(AttemptId(str(n)), CallbackId("p"), f"callback-{n}", NOW, NOW, outcome)
        for n, outcome in enumerate(outcomes)
    ]
    current = Attempt(AttemptId("now"), CallbackId("p"), "callback-now", NOW)
    callback = Callback(CallbackId("p"), request, CallbackState.DIALLING, NOW, NOW, (*ended, current))
    return callback, current


def state_after(outcome: AttemptOutcome, *earlier: AttemptOutcome) -> CallbackState:
    callback, attempt = promise(*earlier)
    return after(callback, attempt, outcome, now=NOW, attempts=3, wait=WAIT).state


def test_a_connected_customer_is_a_kept_promise() -> None:
    assert state_after(AttemptOutcome.CONNECTED) is CallbackState.KEPT


def test_a_customer_who_no_longer_wants_the_call_is_not_called_again() -> None:
    assert state_after(AttemptOutcome.REFUSED) is CallbackState.REFUSED


@pytest.mark.parametrize("outcome", [AttemptOutcome.BUSY, AttemptOutcome.NO_ANSWER, AttemptOutcome.NOT_CONFIRMED])
def test_a_customer_who_was_not_reached_is_tried_again_after_the_wait(outcome: AttemptOutcome) -> None:
    callback, attempt = promise()
    verdict = after(callback, attempt, outcome, now=NOW, attempts=3, wait=WAIT)
    assert (verdict.state, verdict.not_before) == (CallbackState.BOOKED, NOW + WAIT)


def test_the_last_attempt_ends_the_promise_as_missed() -> None:
    assert state_after(AttemptOutcome.BUSY, AttemptOutcome.BUSY, AttemptOutcome.NO_ANSWER) is CallbackState.MISSED


def test_an_attempt_that_failed_for_want_of_an_agent_does_not_count() -> None:
    assert (
        state_after(AttemptOutcome.BUSY, AttemptOutcome.NO_AGENT, AttemptOutcome.CONGESTION, AttemptOutcome.BUSY)
        is CallbackState.BOOKED
    )


def test_an_attempt_that_was_already_stored_as_ended_counts_once() -> None:
    callback, _ = promise(AttemptOutcome.BUSY)
    resumed = replace(callback, attempts=callback.attempts[:1])
    verdict = after(resumed, resumed.attempts[0], AttemptOutcome.BUSY, now=NOW, attempts=2, wait=WAIT)
    assert verdict.state is CallbackState.BOOKED


def test_a_customer_who_picked_up_for_nothing_three_times_is_left_alone() -> None:
    assert state_after(AttemptOutcome.NO_AGENT, AttemptOutcome.NO_AGENT) is CallbackState.BOOKED
    assert (
        state_after(AttemptOutcome.NO_AGENT, AttemptOutcome.NO_AGENT, AttemptOutcome.NO_AGENT) is CallbackState.MISSED
    )


def test_a_line_that_is_congested_is_tried_for_as_long_as_it_takes() -> None:
    assert state_after(AttemptOutcome.CONGESTION, *[AttemptOutcome.CONGESTION] * 20) is CallbackState.BOOKED
