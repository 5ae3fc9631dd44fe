"""An errand: what a connected system is asked to do after or during a contact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
