"""Expected errands: the tickets and messages that a scenario expects, and how they compare with what was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from ivr.domain.errand import Message, MessageKind, Ticket
from ivr.domain.line import parse_number
from ivr.flow.step import Settings
from ivr.simulation.scripted_services import ScriptedErrands


class ExpectedTicket(Settings):
    """A ticket: `subject` and `text` are words that it holds, `customer` whose it is."""

    shorthand: ClassVar[str] = "subject"

    subject: str | None = None
    text: str | None = None
    customer: str | None = None


class ExpectedMessage(Settings):
    """A message: `subject` and `text` are words that it holds."""

    shorthand: ClassVar[str] = "text"

    by: MessageKind | None = None
    to: str | None = None
    subject: str | None = None
    text: str | None = None


def unopened(expected: ExpectedTicket, errands: ScriptedErrands) -> str:
    """What differs of an expected ticket; empty when it was opened."""
    opened = list(zip(errands.tickets, errands.customers, strict=True))
    if any(
        _holds(ticket.subject, expected.subject)
        and _holds(ticket.text, expected.text)
        and (expected.customer is None or customer == expected.customer)
        for ticket, customer in opened
    ):
        return ""
    shown = [f"{ticket_shown(ticket)}, of {customer or 'nobody known'}" for ticket, customer in opened]
    return _said("ticket", _shown(expected), shown)


def unsent(expected: Sequence[ExpectedMessage], errands: ScriptedErrands, country: str) -> Iterator[str]:
    """What differs of the expected messages, for each that was not sent."""
    for each in expected:
        to = parse_number(each.to, country) or each.to if each.to else None
        if not any(
            (each.by is None or message.kind is each.by)
            and (to is None or message.to == to)
            and _holds(message.subject, each.subject)
            and _holds(message.text, each.text)
            for message in errands.messages
        ):
            yield _said("message", _shown(each), [message_shown(message) for message in errands.messages])


def ticket_shown(ticket: Ticket) -> str:
    """A ticket on one line."""
    return f"“{ticket.subject}”: {' / '.join(ticket.text.splitlines())}"


def message_shown(message: Message) -> str:
    """A message on one line."""
    subject = f"“{message.subject}”: " if message.subject else ""
    return f"{message.kind} to {message.to}: {subject}{' / '.join(message.text.splitlines())}"


def _said(what: str, expected: str, written: Sequence[str]) -> str:
    listed = "\n".join(f"  {each}" for each in written) or "  nothing"
    return f"{what}: expected {expected}\nwhat was written:\n{listed}"


def _shown(expected: Settings) -> str:
    told = expected.model_dump(exclude_none=True)
    return ", ".join(f"{name} {value}" for name, value in told.items()) or "one"


def _holds(text: str, words: str | None) -> bool:
    return words is None or " ".join(words.split()).lower() in " ".join(text.split()).lower()
