"""A contact and a ticket stand in a real Tryton, once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deploy.crm.people import ANNA, OFFERED, SVEN, Person
from integrations.tryton.client import TrytonClient
from integrations.tryton.connector import TrytonConnector
from ivr.domain.caller import CustomerId
from ivr.domain.contact import ContactId
from ivr.domain.dossier import CaseState
from ivr.domain.errand import ContactNote, Ticket
from ivr.domain.identity import Identity, IdentityKind
from ivr.errors import ConnectorRefused
from tests.crm.tryton.conftest import Connect

BEGAN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
NOTE = ContactNote(
    "note_1%",
    ContactId("c1"),
    BEGAN,
    BEGAN.replace(minute=34),
    "inbound",
    "order_status",
    "told",
    "Vroeg naar order 5.",
)
TICKET = Ticket("ticket-1", "Modem stuk", "Het lampje is rood.\nAl herstart.", ContactId("c1"), "fault")


async def id_of(connector: TrytonConnector, person: Person) -> CustomerId:
    (customer,) = await connector.find_customer(Identity(IdentityKind.CUSTOMER_NUMBER, person.code))
    return customer.id


async def test_a_contact_is_written_at_the_party_once(connector: TrytonConnector, clerk: TrytonClient) -> None:
    sven = await id_of(connector, SVEN)
    for _ in range(2):
        await connector.log_contact(NOTE, sven)
    notes = await clerk.search_read("ir.note", [["resource", "=", f"party.party,{sven}"]], ["message"], limit=5)
    assert [note["message"] for note in notes] == [
        "2026-11-22 09:30–09:34 UTC · inbound · order_status · told\nVroeg naar order 5.\n\nnote_1%"
    ]


async def test_a_ticket_is_opened_once_and_is_then_a_case(connector: TrytonConnector, clerk: TrytonClient) -> None:
    anna = await id_of(connector, ANNA)
    number = await connector.create_ticket(TICKET, anna)
    assert await connector.create_ticket(TICKET, anna) == number
    (case,) = await connector.cases(anna)
    assert (case.number, case.subject, case.state) == (number, "Modem stuk", CaseState.OPEN)
    assert case.opened_on is not None
    (complaint,) = await clerk.search_read(
        "sale.complaint", [["number", "=", number]], ["description", "type.name", "state"], limit=2
    )
    assert complaint["description"] == "Modem stuk\n\nHet lampje is rood.\nAl herstart."
    assert (complaint["type."]["name"], complaint["state"]) == ("Levering", "draft")
    await clerk.call("model.sale.complaint.cancel", [complaint["id"]])
    assert await connector.cases(anna) == []


async def test_a_ticket_of_nobody_known_is_the_named_party_s(connect: Connect) -> None:
    connector = connect(unknown_caller=OFFERED.code, complaint_type="Telefoon")
    await connector.open()
    number = await connector.create_ticket(Ticket("ticket-2", "Iemand belde", "", ContactId("c2")), None)
    assert [case.number for case in await connector.cases(await id_of(connector, OFFERED))] == [number]


async def test_refused_a_ticket_of_nobody_known_unless_a_party_is_named(connect: Connect) -> None:
    ticket = Ticket("ticket-3", "Iemand belde", "", ContactId("c3"))
    connector = connect()
    await connector.open()
    with pytest.raises(ConnectorRefused, match="set unknown_caller"):
        await connector.create_ticket(ticket, None)
    connector = connect(unknown_caller="K000000")
    await connector.open()
    with pytest.raises(ConnectorRefused, match="no party with the code K000000"):
        await connector.create_ticket(ticket, None)


async def test_refused_a_type_of_complaint_that_there_is_not(connect: Connect) -> None:
    with pytest.raises(ConnectorRefused, match="no type of complaint 'Klacht'; there are: Levering, Telefoon"):
        await connect(complaint_type="Klacht").open()


async def test_refused_another_system_s_customer(connector: TrytonConnector) -> None:
    with pytest.raises(ConnectorRefused, match="another system"):
        await connector.log_contact(NOTE, CustomerId("K1"))
