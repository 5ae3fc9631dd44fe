"""A connector on trial: what is asked of it, and that nothing is written unless asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from ivr.cli.connector_trial import ConnectorTrial, Part, Sought
from ivr.clock import SystemClock
from ivr.config.model import Guard as Limits
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.dossier import Invoice, InvoiceState
from ivr.domain.errand import ContactNote, Ticket
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused

ANNA = Customer(CustomerId("7"), "Anna", (PhoneNumber("+31300000101"),), products=frozenset({"tv", "internet"}))
BY_NUMBER = Sought(ANNA.numbers[0], None, None)


class Paper:
    """A card index in memory that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[object] = []
        self.found: Sequence[Customer] = [ANNA]
        self.asked: list[Identity] = []
        self.pause = 0.0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def check(self) -> None: ...

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        self.asked.append(identity)
        await asyncio.sleep(self.pause)
        return self.found

    async def invoices(self, customer: CustomerId) -> Sequence[Invoice]:
        return [Invoice("F1", InvoiceState.OPEN, Decimal("99.90"), due_on=date(2026, 12, 1))]

    async def log_contact(self, note: ContactNote, customer: CustomerId) -> None:
        self.written.append(note)

    async def create_ticket(self, ticket: Ticket, customer: CustomerId | None) -> str:
        raise ConnectorRefused("tickets\nare closed")


async def tried(paper: Paper, sought: Sought = BY_NUMBER, *, write: bool = False, limit: float = 5.0) -> Sequence[Part]:
    system = ConnectedSystem("paper", paper, Limits(), SystemClock())
    return await ConnectorTrial(system, limit=limit).parts(sought, write=write)


async def test_a_number_is_an_identity_where_callers_cannot_be_found() -> None:
    paper = Paper()
    parts = await tried(paper)
    assert paper.asked == [Identity(IdentityKind.PHONE, ANNA.numbers[0])]
    assert [(part.asked, part.said) for part in parts] == [
        ("open", "ready"),
        ("check", "answers"),
        ("find_customer +31300000101", "1 found"),
        ("invoices 7", "1 found"),
    ]
    assert parts[2].found == [{"id": "7", "name": "Anna", "numbers": ["+31300000101"], "products": ["internet", "tv"]}]
    assert parts[3].found[0]["amount"] == "99.90"
    assert paper.written == []


async def test_who_is_found_twice_has_one_dossier() -> None:
    parts = await tried(Paper(), Sought(ANNA.numbers[0], "anna@example.nl", "7"))
    assert [part.asked.split()[0] for part in parts][2:] == ["find_customer"] * 3 + ["invoices"]


async def test_writing_says_that_it_is_a_test_and_a_refusal_is_one_line() -> None:
    paper = Paper()
    parts = await tried(paper, write=True)
    (note,) = paper.written
    assert isinstance(note, ContactNote)
    assert "A test" in note.text
    assert (parts[-2].said, parts[-1].asked) == ("written", "create_ticket")
    assert parts[-1].error.endswith("tickets are closed")


async def test_nothing_is_written_when_several_were_found() -> None:
    paper = Paper()
    paper.found = [ANNA, Customer(CustomerId("8"), "Bram", ANNA.numbers)]
    parts = await tried(paper, write=True)
    assert parts[-1].error == "2 customers were found, not one"
    assert paper.written == []


async def test_a_part_that_a_call_would_not_have_waited_for_is_known_as_such() -> None:
    paper = Paper()
    paper.pause = 0.02
    parts = await tried(paper, limit=0.01)
    assert [part.asked for part in parts if part.seconds > part.limit] == ["find_customer +31300000101"]


async def test_what_cannot_be_asked_is_said() -> None:
    class Caller(Paper):
        find_customer = None  # type: ignore[assignment]  # a system that finds by number only

        async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
            return []

    parts = await tried(Caller(), Sought(None, "anna@example.nl", None))
    assert (parts[-1].asked, parts[-1].said) == ("find_customer", "this connector does not have it")
