"""Retry: what becomes of a promise after an attempt that did not connect."""

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

    An attempt that failed for want of an agent or a line is our fault and not the
    customer's: it is tried again without counting. `attempts` is how many may count.
    """
    if outcome is AttemptOutcome.CONNECTED:
        return Verdict(CallbackState.KEPT, "connected")
    if outcome is AttemptOutcome.REFUSED:
        return Verdict(CallbackState.REFUSED, "the customer no longer wanted the call")
    ours = (AttemptOutcome.NO_AGENT, AttemptOutcome.CONGESTION)
    earlier = [past.outcome for past in callback.attempts if past.id != attempt.id]
    counted = sum(1 for past in [*earlier, outcome] if past not in ours)
    if counted >= attempts:
        return Verdict(CallbackState.MISSED, f"not reached in {counted} attempts, the last: {outcome.value}")
    return Verdict(CallbackState.BOOKED, f"to be tried again after: {outcome.value}", now + wait)
