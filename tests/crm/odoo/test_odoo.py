"""A real Odoo knows who calls and what they may call about, and keeps what was said; by each of its doors."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from deploy.crm.people import (
    ANNA,
    BAKER,
    BAKERY,
    BRAM,
    EMILY,
    MIEKE,
    NOBODYS_NUMBER,
    OFFERED,
    SAMIRA,
    SVEN,
    YOUSSEF,
    Person,
)
from integrations.odoo.client import OdooClient
from integrations.odoo.connector import OdooConnector
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.contact import ContactId
from ivr.domain.dossier import CaseState, InvoiceState, OrderState
from ivr.domain.errand import ContactNote, Ticket
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber, parse_number
from ivr.errors import ConnectorError, ConnectorRefused
from tests.crm.odoo.conftest import Connect

pytestmark = pytest.mark.crm

BEGAN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
NOTE = ContactNote(
    "note.1",
    ContactId("c1"),
    BEGAN,
    BEGAN.replace(minute=34),
    "inbound",
    "order_status",
    "told",
    "Vroeg <b> & 5.\nBelt terug.",
)
TICKET = Ticket("ticket.1", "Modem stuk", "Het lampje is rood.\nAl herstart.", ContactId("c1"), "fault")


async def found(connector: OdooConnector, person: Person) -> Customer:
    """The one customer with a person's customer number."""
    (customer,) = await connector.find_customer(Identity(IdentityKind.CUSTOMER_NUMBER, person.code))
    return customer


def number_of(person: Person) -> PhoneNumber:
    number = parse_number(person.numbers[0], person.country)
    assert number is not None
    return number


@pytest.mark.parametrize("person", [ANNA, BRAM, EMILY, MIEKE, SVEN, OFFERED], ids=lambda person: person.name)
async def test_found_however_the_number_was_typed(connector: OdooConnector, person: Person) -> None:
    (customer,) = await connector.find_caller(number_of(person))
    assert (customer.name, customer.customer_number, customer.postcode) == (person.name, person.code, person.postcode)
    assert (customer.numbers, customer.house_number) == ((number_of(person),), "12-A")
    assert customer.language is Language(person.language)


async def test_not_found(connector: OdooConnector) -> None:
    assert await connector.find_caller(NOBODYS_NUMBER) == []


async def test_two_who_share_a_number_are_both_found(connector: OdooConnector) -> None:
    customers = await connector.find_caller(number_of(SAMIRA))
    assert {customer.name for customer in customers} == {SAMIRA.name, YOUSSEF.name}


async def test_from_a_number_that_a_company_and_its_people_have_the_company_calls(connector: OdooConnector) -> None:
    assert [customer.name for customer in await connector.find_caller(number_of(BAKER))] == [BAKERY.name]


@pytest.mark.parametrize(
    ("kind", "value", "codes"),
    [
        (IdentityKind.PHONE, "+31500000102", [BRAM.code]),
        (IdentityKind.EMAIL, "emily.clarke@LIJNNET.example", [EMILY.code]),
        (IdentityKind.EMAIL, "%@lijnnet.example", []),
        (IdentityKind.CUSTOMER_NUMBER, SVEN.code, [SVEN.code]),
        (IdentityKind.CUSTOMER_NUMBER, "K1", []),
        (IdentityKind.HANDLE, "x:@anna", []),
    ],
)
async def test_a_customer_is_found_by_what_they_say_they_are(
    connector: OdooConnector, kind: IdentityKind, value: str, codes: list[str]
) -> None:
    customers = await connector.find_customer(Identity(kind, value))
    assert [customer.customer_number for customer in customers] == codes


@pytest.mark.parametrize(
    ("person", "state"),
    [
        (ANNA, OrderState.PLACED),
        (EMILY, OrderState.DELAYED),
        (BAKERY, OrderState.ON_THE_WAY),
        (SVEN, OrderState.DELIVERED),
        (OFFERED, None),
    ],
    ids=lambda told: getattr(told, "name", None),
)
async def test_an_order_has_its_state(
    connector: OdooConnector, person: Person, state: OrderState | None, door: str
) -> None:
    orders = await connector.orders((await found(connector, person)).id)
    assert [order.state for order in orders] == ([state] if state else [])
    assert {order.description for order in orders} <= {"" if door.endswith("17") else "Modem"}
    assert all(order.number.startswith("S0") and order.expected_on for order in orders)


async def test_invoices_have_what_is_left_to_pay_and_until_when(connector: OdooConnector) -> None:
    (open_one,) = await connector.invoices((await found(connector, ANNA)).id)
    (overdue,) = await connector.invoices((await found(connector, EMILY)).id)
    assert (open_one.state, overdue.state) == (InvoiceState.OPEN, InvoiceState.OVERDUE)
    assert (open_one.amount, open_one.currency) == (Decimal("99.90"), "EUR")
    assert open_one.due_on is not None
    assert overdue.due_on is not None
    assert open_one.due_on - overdue.due_on == timedelta(days=52)


async def test_refused_a_wrong_key(connect: Connect, door: str) -> None:
    with pytest.raises(ConnectorRefused, match=r"key") as caught:
        await connect(key="nonsense-1234").open()
    assert "nonsense" not in f"{caught.value}{caught.value.__cause__}"


async def test_refused_a_database_that_is_not_there(connect: Connect, door: str) -> None:
    with pytest.raises(ConnectorError, match="database nosuch"):
        await connect(database="nosuch").open()
    with pytest.raises(ConnectorRefused, match="database nosuch"):
        await connect(database="nosuch", login=None).open()


async def test_refused_what_the_user_may_no_longer_read_and_then_there_is_nothing(
    connector: OdooConnector, connect: Connect, clerk: OdooClient
) -> None:
    anna = (await found(connector, ANNA)).id
    (user,) = await clerk.search_read("res.users", [["login", "=", "klantlijn"]], ["group_ids"], limit=1)
    groups = user["group_ids"]
    (sales,) = await clerk.search_read(
        "ir.model.data", [["name", "=", "group_sale_salesman_all_leads"]], ["res_id"], limit=1
    )
    fewer = [group for group in groups if group != sales["res_id"]]
    await clerk.call("res.users", "write", ids=[user["id"]], vals={"group_ids": [[6, 0, fewer]]})
    try:
        with pytest.raises(ConnectorRefused, match=r"\(AccessError\)"):
            await connector.cases(anna)
        again = connect()
        await again.open()
        assert not await again.cases(anna)
        assert await again.invoices(anna)
    finally:
        await clerk.call("res.users", "write", ids=[user["id"]], vals={"group_ids": [[6, 0, groups]]})


async def test_a_contact_is_written_in_the_record_once(connector: OdooConnector, clerk: OdooClient, door: str) -> None:
    sven = (await found(connector, SVEN)).id
    for _ in range(2):
        await connector.log_contact(NOTE, sven)
    here = [["res_id", "=", int(sven)], ["model", "=", "res.partner"], ["message_id", "=", "<note_1@klantlijn>"]]
    (note,) = await clerk.search_read("mail.message", here, ["body", "subtype_id"], limit=5)
    assert note["subtype_id"][1] == "Note"  # of which nobody is sent an e-mail
    if door == "json2":
        about, text = (
            "2026-11-22 09:30–09:34 UTC · inbound · order_status · told",
            "Vroeg &lt;b&gt; &amp; 5.<br>Belt terug.",
        )
        assert note["body"] == f"<p>{about}</p><p>{text}</p>"
    await clerk.call("mail.message", "unlink", ids=[note["id"]])


@pytest.mark.parametrize("project", [None, "Klantenservice"], ids=["lead", "task"])
async def test_a_ticket_is_opened_once_even_at_the_same_time_and_is_then_a_case(
    connect: Connect, clerk: OdooClient, door: str, project: str | None
) -> None:
    connector = connect(project=project)
    await connector.open()
    anna = (await found(connector, ANNA)).id
    number = await connector.create_ticket(TICKET, anna)
    assert {await connector.create_ticket(TICKET, anna) for _ in range(2)} == {number}
    (case,) = await connector.cases(anna)
    assert (case.number, case.subject, case.state) == (number, "Modem stuk", CaseState.OPEN)
    assert case.opened_on is not None
    model = "project.task" if project else "crm.lead"
    (record,) = await clerk.search_read(model, [["id", "=", int(number)]], ["description", "partner_id"], limit=1)
    assert record["description"] == "<p>Het lampje is rood.<br>Al herstart.</p>"
    assert record["partner_id"][0] == int(anna)
    await clerk.call(model, "unlink", ids=[int(number)])
    assert await connector.cases(anna) == []


async def test_a_ticket_that_is_closed_is_no_case(connect: Connect, clerk: OdooClient) -> None:
    for project, model, closed in (
        (None, "crm.lead", {"active": False, "probability": 0}),
        ("Klantenservice", "project.task", {"state": "1_done"}),
    ):
        connector = connect(project=project)
        await connector.open()
        bram = (await found(connector, BRAM)).id
        number = await connector.create_ticket(Ticket(f"about.{model}", "Vraag", "", ContactId("c2")), bram)
        assert [case.number for case in await connector.cases(bram)] == [number]
        await clerk.call(model, "write", ids=[int(number)], vals=closed)
        assert await connector.cases(bram) == []


async def test_a_ticket_of_nobody_known_has_no_customer(connector: OdooConnector, clerk: OdooClient) -> None:
    number = await connector.create_ticket(Ticket("ticket.3", "Iemand belde", "", ContactId("c3")), None)
    (lead,) = await clerk.search_read("crm.lead", [["id", "=", int(number)]], ["partner_id", "user_id"], limit=1)
    assert (lead["partner_id"], lead["user_id"]) == (False, False)
    await clerk.call("crm.lead", "unlink", ids=[int(number)])


async def test_tickets_at_the_same_time_are_one(connect: Connect, clerk: OdooClient) -> None:
    connector = connect()
    await connector.open()
    ticket = Ticket("ticket.4", "Tegelijk", "", ContactId("c4"))
    numbers = await asyncio.gather(*(connector.create_ticket(ticket, None) for _ in range(4)), return_exceptions=True)
    leads = await clerk.search_read("crm.lead", [["name", "=", "Tegelijk"]], ["id"], limit=5)
    assert [str(lead["id"]) for lead in leads] == list({number for number in numbers if isinstance(number, str)})


async def test_refused_a_project_that_there_is_not(connect: Connect) -> None:
    with pytest.raises(ConnectorRefused, match="no project 'Klachten'"):
        await connect(project="Klachten").open()


async def test_refused_another_system_s_customer(connector: OdooConnector) -> None:
    with pytest.raises(ConnectorRefused, match="another system"):
        await connector.log_contact(NOTE, CustomerId("K1"))
