"""A callback: a promise to call, in a window the caller chose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber

CallbackId = NewType("CallbackId", str)
AttemptId = NewType("AttemptId", str)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A span of time to call in; aware UTC datetimes, `end` not included."""

    start: datetime
    end: datetime


class CallbackPurpose(StrEnum):
    """What a promised call is for: to talk with an agent, or to hear that an outage is over."""

    TALK = "talk"
    OUTAGE_OVER = "outage_over"


class CallbackState(StrEnum):
    """Where a promise stands. The first three are open; every promise ends in one of the others."""

    BOOKED = "booked"
    DIALLING = "dialling"
    CONNECTING = "connecting"
    KEPT = "kept"
    MISSED = "missed"
    REFUSED = "refused"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether the promise still has to be kept."""
        return self in (CallbackState.BOOKED, CallbackState.DIALLING, CallbackState.CONNECTING)


class AttemptOutcome(StrEnum):
    """How one attempt to reach the customer ended."""

    PENDING = "pending"
    CONNECTED = "connected"
    TOLD = "told"
    REFUSED = "refused"
    NOT_CONFIRMED = "not_confirmed"
    NO_AGENT = "no_agent"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CONGESTION = "congestion"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """What a caller asked for: this number, in this window, by this queue, in this language.

    A call that needs no agent is nobody's: `queue` is empty.
    """

    number: PhoneNumber
    window: Window
    queue: str
    language: Language
    contact_id: str
    customer_id: str | None = None
    reason: str | None = None
    purpose: CallbackPurpose = CallbackPurpose.TALK


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `channel_id` is the Asterisk channel's id, chosen before it is dialled."""

    id: AttemptId
    callback_id: CallbackId
    channel_id: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: AttemptOutcome = AttemptOutcome.PENDING


@dataclass(frozen=True, slots=True)
class Callback:
    """A promise and where it stands. `not_before` is when it may next be dialled (UTC)."""

    id: CallbackId
    request: CallbackRequest
    state: CallbackState
    created_at: datetime
    not_before: datetime
    attempts: tuple[Attempt, ...] = ()
    ended_at: datetime | None = None
    reason: str = ""
