"""An errand: what a connected system is asked to do after or during a contact; and how far it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ivr.domain.caller import CustomerId
from ivr.domain.contact import ContactId


@dataclass(frozen=True, slots=True)
class Ticket:
    """A case to open. `key` is the same however often it is sent, so that a system can refuse the second."""

    key: str
    subject: str
    text: str
    contact_id: ContactId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ContactNote:
    """What a customer's record must say of a contact that ended.

    Moments are aware UTC. `text` is for agents to read.
    """

    key: str
    contact_id: ContactId
    started_at: datetime
    ended_at: datetime
    direction: str
    reason: str
    outcome: str
    text: str


class MessageKind(StrEnum):
    """The way a message goes."""

    SMS = "sms"
    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to a customer or a colleague. `to` is a number in E.164, an e-mail address, or a web address."""

    key: str
    kind: MessageKind
    to: str
    text: str
    subject: str = ""


Errand = Ticket | ContactNote | Message
"""What may be asked."""

TICKET, NOTE, MESSAGE = "ticket", "note", "message"


def kind_of(errand: Errand) -> str:
    """The word for what kind of errand it is."""
    match errand:
        case Ticket():
            return TICKET
        case ContactNote():
            return NOTE
        case Message():
            return MESSAGE


def content_of(errand: Errand) -> dict[str, Any]:
    """All that an errand says, as JSON can hold it. Its moments are ISO 8601."""
    content = asdict(errand)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in content.items()}


def errand_of(kind: str, content: dict[str, Any]) -> Errand:
    """The errand of that kind and content.

    Raises:
        ValueError: there is none.
    """
    try:
        match kind:
            case "ticket":
                return Ticket(**content)
            case "note":
                moments = {name: datetime.fromisoformat(content[name]) for name in ("started_at", "ended_at")}
                return ContactNote(**{**content, **moments})
            case "message":
                return Message(**{**content, "kind": MessageKind(content["kind"])})
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a {kind}: {error}") from error
    raise ValueError(f"not an errand: {kind}")


class ErrandState(StrEnum):
    """How far an errand is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Assignment:
    """An errand, and which connector carries it out for which of its customers.

    Until `held_until` it is left to `held_by`, who tries it at once. Moments are aware UTC.
    """

    errand: Errand
    connector: str
    contact_id: ContactId
    at: datetime
    customer_id: CustomerId | None = None
    held_by: str | None = None
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ErrandReport:
    """What the attempt of a number, the first being 1, came to.

    WAITING: it is tried again at `not_before`. `reason` says why it did not succeed,
    `result` what the system gave: a ticket's number.
    """

    key: str
    attempt: int
    at: datetime
    state: ErrandState
    reason: str = ""
    result: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeptErrand:
    """An errand as it is kept. `since` is when it was taken, or when somebody had it tried anew."""

    assignment: Assignment
    since: datetime
    state: ErrandState = ErrandState.WAITING
    attempts: int = 0
    not_before: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    result: str = ""
