"""Retry: what becomes of a promise after an attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ivr.domain.callback import Attempt, AttemptOutcome, Callback, CallbackState


@dataclass(frozen=True, slots=True)
class Verdict:
    """The promise's next state, why, and from when it may be dialled again."""

    state: CallbackState
    reason: str
    not_before: datetime | None = None


def after(
    callback: Callback, attempt: Attempt, outcome: AttemptOutcome, *, now: datetime, attempts: int, wait: timedelta
) -> Verdict:
    """What follows from an attempt's outcome.

    An attempt that found no line never rang, so it is tried again without counting. One
    that found no agent is our fault and not the customer's: it does not count with the
    others, but a customer who picked up `attempts` times for nothing is left alone too.
    """
    if outcome is AttemptOutcome.CONNECTED:
        return Verdict(CallbackState.KEPT, "connected")
    if outcome is AttemptOutcome.TOLD:
        return Verdict(CallbackState.KEPT, "told")
    if outcome is AttemptOutcome.REFUSED:
        return Verdict(CallbackState.REFUSED, "the customer no longer wanted the call")
    outcomes = [past.outcome for past in callback.attempts if past.id != attempt.id] + [outcome]
    agentless = outcomes.count(AttemptOutcome.NO_AGENT)
    unreached = len(outcomes) - agentless - outcomes.count(AttemptOutcome.CONGESTION)
    if agentless >= attempts:
        return Verdict(CallbackState.MISSED, f"no agent was there in {agentless} attempts")
    if unreached >= attempts:
        return Verdict(CallbackState.MISSED, f"not reached in {unreached} attempts, the last: {outcome.value}")
    return Verdict(CallbackState.BOOKED, f"to be tried again after: {outcome.value}", now + wait)
