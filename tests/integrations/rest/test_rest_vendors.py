"""Every recipe over real HTTP against a server that refuses what the vendor would refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from integrations.rest.connector import RestConnector
from integrations.rest.loading import bundled
from ivr.domain.caller import CustomerId
from ivr.domain.capability import Capability
from ivr.domain.contact import ContactId
from ivr.domain.dossier import Case, CaseState, Invoice, InvoiceState, Order, OrderState
from ivr.domain.errand import ContactNote, Ticket
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused, ConnectorTimeout, ConnectorUnavailable
from tests.integrations.rest import vendors_of_finance as finance
from tests.integrations.rest import vendors_of_sales as sales
from tests.integrations.rest import vendors_of_service as service
from tests.integrations.rest.conftest import Connect
from tests.integrations.rest.contract_server import Vendor

ANNA, BRAM, NOBODY = PhoneNumber("+31612345678"), PhoneNumber("+31503123456"), PhoneNumber("+31201234567")

IDS = {
    "hubspot": ("51", "52"),
    "salesforce": ("003A", "003B"),
    "dynamics365": (sales.ANNA, sales.BRAM),
    "zendesk": ("361", "362"),
    "freshdesk": ("11", "12"),
    "open_klant": (service.ANNA, service.BRAM),
    "exact_online": (finance.ANNA, finance.BRAM),
    "afas": ("10001", "10002"),
}
"""Anna's and Bram's ids at each vendor."""

VENDORS: dict[str, Callable[[], Vendor]] = {
    name: getattr(module, name) for module in (sales, service, finance) for name in IDS if hasattr(module, name)
}
every_vendor = pytest.mark.parametrize("vendor", [pytest.param(made, id=name) for name, made in VENDORS.items()])

NOTE = ContactNote(
    key="contact-1/note",
    contact_id=ContactId("contact-1"),
    started_at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
    ended_at=datetime(2026, 11, 22, 9, 3, 20, tzinfo=UTC),
    direction="inbound",
    reason="delivery",
    outcome="told",
    text='Asked after "B-1"; {{ 7*7 }} & <b>más</b>\nTold: tomorrow.',
)
TICKET = Ticket("contact-1/ticket", "Line is dead", NOTE.text, ContactId("contact-1"), "fault")


def test_every_recipe_that_finds_callers_has_a_contract_here() -> None:
    assert set(VENDORS) == set(IDS) == set(bundled()) - {"webhook"}


@every_vendor
async def test_found_however_the_clerk_typed_the_number(connect: Connect, vendor: Callable[[], Vendor]) -> None:
    crm = (await connect(vendor())).connector
    ids = IDS[vendor().recipe]
    (anna,) = [each for each in await crm.find_caller(ANNA) if ANNA in each.numbers]
    (bram,) = [each for each in await crm.find_caller(BRAM) if BRAM in each.numbers and each.id == ids[1]]
    assert (anna.id, anna.name, bram.id) == (ids[0], "Anna de Vries", ids[1])
    await crm.check()


@every_vendor
async def test_not_found_is_empty(connect: Connect, vendor: Callable[[], Vendor]) -> None:
    assert await (await connect(vendor())).connector.find_caller(NOBODY) == []


@every_vendor
async def test_slow_is_a_timeout(connect: Connect, vendor: Callable[[], Vendor]) -> None:
    crm = await connect(vendor(), timeout=0.1)
    await crm.connector.find_caller(NOBODY)  # so that a token is there
    crm.server.hangs = True
    with pytest.raises(ConnectorTimeout):
        await crm.connector.find_caller(ANNA)


@every_vendor
async def test_refused_with_a_wrong_key_which_no_error_shows(connect: Connect, vendor: Callable[[], Vendor]) -> None:
    wrong = {name: "WRONG-KEY" for name in vendor().secrets}
    crm = (await connect(vendor(), secrets=wrong)).connector
    with pytest.raises(ConnectorRefused) as refused:
        await crm.find_caller(ANNA)
    assert "40" in str(refused.value)  # 400, 401 or 403
    assert "WRONG" not in str(refused.value)
    assert "612345678" not in str(refused.value)


@every_vendor
async def test_a_limit_that_is_reached_is_kept_to(connect: Connect, vendor: Callable[[], Vendor]) -> None:
    crm = await connect(vendor())
    await crm.connector.find_caller(NOBODY)
    crm.server.refuses = crm.server.vendor.limited
    with pytest.raises(ConnectorUnavailable):
        await crm.connector.find_caller(ANNA)
    crm.server.refuses = None
    asked = len(crm.server.asks)
    if crm.server.vendor.limited.headers:
        with pytest.raises(ConnectorUnavailable, match=r"left alone for another [5-8] s"):
            await crm.connector.find_caller(ANNA)
        assert len(crm.server.asks) == asked
        crm.now += 8
    assert len(await crm.connector.find_caller(ANNA)) > 0


async def everything(crm: Any) -> tuple[dict[str, Any], list[str], int]:
    """What the changes tell from the start: names and numbers by id, who is gone, and in how many pages."""
    known: dict[str, Any] = {}
    gone: list[str] = []
    cursor, pages, more = None, 0, True
    while more and pages < 12:
        page = await crm.changes(cursor, 500)
        known.update({each.id: each.numbers for each in page.customers})
        gone += page.gone
        cursor, pages, more = page.cursor, pages + 1, page.more
    after = await crm.changes(cursor, 500)
    return known, [*gone, *after.gone], pages


@pytest.mark.parametrize(
    ("name", "pages", "gone"),
    [
        ("hubspot", 1, []),
        ("salesforce", 2, []),
        ("dynamics365", 1, [sales.BRAM]),
        ("zendesk", 2, ["363"]),
        ("freshdesk", 1, []),
        ("exact_online", 2, []),
        ("afas", 1, []),
    ],
)
async def test_changes_tell_all_customers(connect: Connect, name: str, pages: int, gone: Sequence[str]) -> None:
    crm = (await connect(VENDORS[name]())).connector
    known, removed, read = await everything(crm)
    anna, bram = IDS[name]
    assert {anna: known[anna], bram: known[bram]} == {anna: (ANNA,), bram: (BRAM,)}
    assert (read, removed) == (pages, list(gone))


FOUND_BY = {
    "hubspot": (IdentityKind.EMAIL, "Anna@example.nl"),
    "salesforce": (IdentityKind.EMAIL, "bram@o'neil.example"),
    "dynamics365": (IdentityKind.EMAIL, "bram@o'neil.example"),
    "zendesk": (IdentityKind.EMAIL, "anna@example.nl"),
    "freshdesk": (IdentityKind.EMAIL, "anna@example.nl"),
    "open_klant": (IdentityKind.CUSTOMER_NUMBER, "0000000001"),
    "exact_online": (IdentityKind.CUSTOMER_NUMBER, "25"),
    "afas": (IdentityKind.CUSTOMER_NUMBER, "10001"),
}


@pytest.mark.parametrize("name", FOUND_BY)
async def test_found_by_something_else(connect: Connect, name: str) -> None:
    crm = (await connect(VENDORS[name]())).connector
    (found,) = await crm.find_customer(Identity(*FOUND_BY[name]))
    assert found.id in IDS[name]
    assert await crm.find_customer(Identity(IdentityKind.HANDLE, "x:@anna")) == []


async def found_or_refusal(crm: RestConnector, identity: Identity) -> Any:
    """Who was found, or why the question was not even sent."""
    try:
        return await crm.find_customer(identity)
    except ConnectorRefused as refused:
        return str(refused)


@pytest.mark.parametrize("name", FOUND_BY)
async def test_what_a_caller_says_cannot_widen_the_search(connect: Connect, name: str) -> None:
    crm = (await connect(VENDORS[name]())).connector
    kind, _ = FOUND_BY[name]
    for bait in ("' or 1 eq 1 or Email eq '", "x' OR Name != '", '" role:end-user "', "a&per_page=1#x", "1;1,1", "*"):
        answer = await found_or_refusal(crm, Identity(kind, bait))
        assert answer == [] or "cannot quote" in answer


CASES = {
    "hubspot": [Case("900", CaseState.WAITING, "Late delivery", date(2026, 11, 19))],
    "salesforce": [Case("00001026", CaseState.WAITING, "Bill", date(2026, 11, 20))],
    "dynamics365": [Case("CAS-01", CaseState.WAITING, "Line", date(2026, 11, 20))],
    "zendesk": [Case("35436", CaseState.WAITING, "Help", date(2026, 11, 19))],
    "freshdesk": [
        Case("1", CaseState.WAITING, "Help", date(2026, 11, 19)),
        Case("3", CaseState.OPEN, "Own", date(2026, 10, 18)),
    ],
}


@pytest.mark.parametrize("name", CASES)
async def test_cases_of_one_customer(connect: Connect, name: str) -> None:
    crm = (await connect(VENDORS[name]())).connector
    anna, bram = IDS[name]
    assert await crm.cases(CustomerId(anna)) == CASES[name]
    assert await crm.cases(CustomerId(bram)) == []


@pytest.mark.parametrize(
    ("name", "orders", "invoices"),
    [
        (
            "exact_online",
            [Order("101", OrderState.ON_THE_WAY, "Router", date(2025, 11, 25))],
            [
                Invoice("5001", InvoiceState.OVERDUE, Decimal("121.1"), due_on=date(2025, 1, 1)),
                Invoice("5002", InvoiceState.OPEN, Decimal("50"), due_on=date(2100, 1, 1)),
            ],
        ),
        (
            "afas",
            [Order("V-1", OrderState.DELAYED, "", date(2026, 12, 1))],
            [Invoice("F-1", InvoiceState.OVERDUE, Decimal("12.5"), due_on=date(2026, 1, 31))],
        ),
    ],
)
async def test_orders_and_what_is_to_be_paid(
    connect: Connect, name: str, orders: Sequence[Order], invoices: Sequence[Invoice]
) -> None:
    crm = (await connect(VENDORS[name]())).connector
    anna, bram = (CustomerId(each) for each in IDS[name])
    assert (await crm.orders(anna), await crm.invoices(anna)) == (orders, invoices)
    assert (await crm.orders(bram), await crm.invoices(bram)) == ([], [])


NUMBERS = {
    "hubspot": "902",
    "salesforce": "00001027",
    "dynamics365": "CAS-02",
    "zendesk": "35500",
    "freshdesk": "4",
    "open_klant": "0000000007",
}
ONCE = {"dynamics365", "zendesk"}
"""Where the vendor itself makes one of two that have the same key."""


@pytest.mark.parametrize("name", NUMBERS)
async def test_a_ticket_gets_a_number_and_a_contact_is_written_down(connect: Connect, name: str) -> None:
    crm = await connect(VENDORS[name]())
    anna = CustomerId(IDS[name][0])
    assert await crm.connector.create_ticket(TICKET, anna) == NUMBERS[name]
    if name in ONCE:
        assert await crm.connector.create_ticket(TICKET, anna) == NUMBERS[name]
    await crm.connector.log_contact(NOTE, anna)
    sent = str(crm.server.asks[-1].body)
    assert "delivery: told" in sent
    assert "{{ 7*7 }}" in sent


@pytest.mark.parametrize("name", set(NUMBERS) - {"dynamics365"})
async def test_a_ticket_of_a_stranger_can_be_made(connect: Connect, name: str) -> None:
    assert await (await connect(VENDORS[name]())).connector.create_ticket(TICKET, None) == NUMBERS[name]


async def test_dynamics_makes_no_ticket_of_nobody(connect: Connect) -> None:
    crm = await connect(sales.dynamics365())
    with pytest.raises(ConnectorRefused, match="missing"):
        await crm.connector.create_ticket(TICKET, None)
    assert not [ask for ask in crm.server.asks if ask.method == "PATCH"]


async def test_open_klant_asks_each_party_once_and_never_who_wants_secrecy(connect: Connect) -> None:
    crm = await connect(service.open_klant())
    (anna,) = await crm.connector.find_caller(ANNA)
    assert (anna.numbers, anna.language, anna.postcode, anna.house_number) == ((ANNA,), Language.NL, "3511AB", "12-A")
    assert [said for said in crm.server.said if service.ANNA in said] == [
        f"GET /klantinteracties/api/v1/partijen/{service.ANNA}"
    ]
    assert await crm.connector.find_caller(PhoneNumber("+31205550000")) == []


async def test_capabilities_are_the_recipes(connect: Connect) -> None:
    crm = (await connect(finance.afas())).connector
    assert crm.capabilities == {
        Capability.FIND_CALLER,
        Capability.FIND_CUSTOMER,
        Capability.CHANGES,
        Capability.ORDERS,
        Capability.INVOICES,
    }
    with pytest.raises(ConnectorRefused, match="does not say how"):
        await crm.cases(CustomerId("1"))
