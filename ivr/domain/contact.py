"""A contact: one contact moment with a customer, and everything that happened in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from ivr.domain.line import LineState, PhoneNumber

ContactId = NewType("ContactId", str)
"""Asterisk's Uniqueid of the caller's channel: known to both sides, also after a restart."""

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class Direction(StrEnum):
    """Who started the contact."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Outcome(StrEnum):
    """What a contact came to."""

    TOLD = "told"
    SELF_SERVED = "self_served"
    CALLBACK_BOOKED = "callback_booked"
    MESSAGE_LEFT = "message_left"
    HANDED_OVER = "handed_over"
    ANSWERED = "answered"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    FAILED = "failed"


class EventKind(StrEnum):
    """What can happen in a contact; the `kind` in the journal and in every `--json`."""

    ARRIVED = "arrived"
    IDENTIFIED = "identified"
    PICKED_UP = "picked_up"
    STEP = "step"
    PROMPT = "prompt"
    DIGITS = "digits"
    NO_INPUT = "no_input"
    WRONG_INPUT = "wrong_input"
    REASON = "reason"
    RECOGNISED = "recognised"
    VERIFIED = "verified"
    LOOKED_UP = "looked_up"
    OUTAGE_TOLD = "outage_told"
    CALLBACK_OFFERED = "callback_offered"
    CALLBACK_BOOKED = "callback_booked"
    NOTICE_PROMISED = "notice_promised"
    TRIAGE_ANSWER = "triage_answer"
    TRIAGE_RESULT = "triage_result"
    TICKET = "ticket"
    MESSAGE = "message"
    ERRAND = "errand"
    RECORDED = "recorded"
    MESSAGE_LEFT = "message_left"
    CALL_RECORDING = "call_recording"
    SURVEY_ANSWER = "survey_answer"
    QUEUED = "queued"
    TRANSFERRED = "transferred"
    TRANSFER_RESULT = "transfer_result"
    AGENT_ANSWERED = "agent_answered"
    QUEUE_ABANDONED = "queue_abandoned"
    ERROR = "error"
    HUNG_UP = "hung_up"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class ContactEvent:
    """One thing that happened. `id` is unique for ever, so writing it twice is writing it once."""

    id: str
    contact_id: ContactId
    at: datetime
    kind: EventKind
    step: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact moment. Times are aware UTC datetimes.

    `customer_references` are the customer's ids in the connected systems, by the names of these.
    """

    id: ContactId
    started_at: datetime
    direction: Direction = Direction.INBOUND
    channel: str = "phone"
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    number: PhoneNumber | None = None
    line_state: LineState = LineState.ABSENT
    customer_id: str | None = None
    customer_references: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None
    entry: str = ""
    flow: str = ""
    flow_version: str = ""
    reason: str | None = None
    outcome: Outcome | None = None
    queue: str | None = None
    site: str | None = None
