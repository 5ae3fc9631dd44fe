"""A real Tryton knows who calls, and what they may call about."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from deploy.crm.people import ANNA, BAKERY, BRAM, EMILY, MIEKE, NOBODYS_NUMBER, OFFERED, SAMIRA, SVEN, YOUSSEF, Person
from deploy.crm.tryton import Tryton
from integrations.tryton.client import TrytonClient
from integrations.tryton.connector import TrytonConnector
from ivr.domain.caller import Customer
from ivr.domain.dossier import InvoiceState, OrderState
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber, parse_number
from ivr.errors import ConnectorRefused
from tests.crm.tryton.conftest import Connect


def numbers_of(person: Person) -> tuple[PhoneNumber, ...]:
    return tuple(number for text in person.numbers if (number := parse_number(text, person.country)))


async def found(connector: TrytonConnector, person: Person) -> Customer:
    """The one customer with a person's number."""
    (customer,) = await connector.find_caller(numbers_of(person)[0])
    return customer


@pytest.mark.parametrize("person", [ANNA, BRAM, EMILY, MIEKE, SVEN], ids=lambda person: person.name)
async def test_found_however_the_number_was_typed(connector: TrytonConnector, person: Person) -> None:
    for number in numbers_of(person):
        (customer,) = await connector.find_caller(number)
        assert (customer.name, customer.customer_number, customer.postcode) == (
            person.name,
            person.code,
            person.postcode,
        )
        assert customer.numbers == numbers_of(person)


async def test_the_language_and_the_e_mail_address_are_known(connector: TrytonConnector) -> None:
    customer = await found(connector, EMILY)
    assert (customer.language, customer.email) == (Language.EN, "Emily.Clarke@lijnnet.example")


async def test_not_found_for_a_number_that_nobody_has(connector: TrytonConnector) -> None:
    assert await connector.find_caller(NOBODYS_NUMBER) == []


async def test_two_who_share_a_number_are_both_found(connector: TrytonConnector) -> None:
    customers = await connector.find_caller(numbers_of(SAMIRA)[0])
    assert {customer.name for customer in customers} == {SAMIRA.name, YOUSSEF.name}


@pytest.mark.parametrize(
    ("kind", "value", "codes"),
    [
        (IdentityKind.PHONE, "+31500000112", [BRAM.code]),
        (IdentityKind.EMAIL, "emily.clarke@LIJNNET.example", [EMILY.code]),
        (IdentityKind.EMAIL, "%@lijnnet.example", []),
        (IdentityKind.EMAIL, "ann_@lijnnet.example", []),
        (IdentityKind.CUSTOMER_NUMBER, SVEN.code, [SVEN.code]),
        (IdentityKind.CUSTOMER_NUMBER, "K1", []),
        (IdentityKind.HANDLE, "x:@anna", []),
    ],
)
async def test_a_customer_is_found_by_what_they_say_they_are(
    connector: TrytonConnector, kind: IdentityKind, value: str, codes: list[str]
) -> None:
    customers = await connector.find_customer(Identity(kind, value))
    assert [customer.customer_number for customer in customers] == codes


@pytest.mark.parametrize(
    ("person", "state"),
    [(ANNA, OrderState.PLACED), (EMILY, OrderState.DELAYED), (SVEN, OrderState.DELIVERED)],
    ids=lambda told: getattr(told, "name", None),
)
async def test_an_order_has_its_state(connector: TrytonConnector, person: Person, state: OrderState) -> None:
    (order,) = await connector.orders((await found(connector, person)).id)
    assert (order.state, order.description) == (state, "Modem")
    assert order.number.isdecimal()
    assert order.expected_on is not None


async def test_an_order_that_has_left_is_on_its_way(connector: TrytonConnector, running_tryton: Tryton) -> None:
    customers = await connector.find_caller(numbers_of(BAKERY)[0])
    (bakery,) = [customer for customer in customers if customer.name == BAKERY.name]
    (order,) = await connector.orders(bakery.id)
    # That of 2021 knows no shipment between packed and done.
    assert order.state is (OrderState.PLACED if running_tryton.version == "6.0" else OrderState.ON_THE_WAY)


async def test_an_offer_is_no_order(connector: TrytonConnector) -> None:
    assert await connector.orders((await found(connector, OFFERED)).id) == []


async def test_invoices_have_what_is_left_to_pay_and_until_when(connector: TrytonConnector) -> None:
    (open_one,) = await connector.invoices((await found(connector, ANNA)).id)
    (overdue,) = await connector.invoices((await found(connector, EMILY)).id)
    assert (open_one.state, overdue.state) == (InvoiceState.OPEN, InvoiceState.OVERDUE)
    assert (open_one.amount, open_one.currency) == (Decimal("49.95"), "EUR")
    assert open_one.due_on is not None
    assert overdue.due_on is not None
    assert open_one.due_on - overdue.due_on == timedelta(days=52)
    assert open_one.due_on.replace(day=1) >= date.today().replace(day=1)  # noqa: DTZ011


async def test_refused_a_wrong_password(connect: Connect) -> None:
    with pytest.raises(ConnectorRefused, match="does not let klantlijn in; check login and password_file") as caught:
        await connect(password="nonsense-1234").open()
    assert "nonsense" not in f"{caught.value}{caught.value.__cause__}"


async def test_refused_a_database_that_is_not_there(connect: Connect) -> None:
    with pytest.raises(ConnectorRefused, match="database nosuch"):
        await connect(database="nosuch").open()


async def test_a_session_that_has_ended_is_renewed(
    connector: TrytonConnector, clerk: TrytonClient, running_tryton: Tryton
) -> None:
    users = await clerk.search_read("res.user", [["login", "=", running_tryton.login]], ["id"], limit=1)
    # A new password ends every session of a user; here it is the old one again.
    await clerk.call("model.res.user.write", [users[0]["id"]], {"password": running_tryton.password})
    assert await connector.find_caller(NOBODYS_NUMBER) == []


async def test_what_the_user_may_no_longer_read_is_refused_and_after_opening_again_it_is_not_there(
    connector: TrytonConnector, connect: Connect, clerk: TrytonClient, running_tryton: Tryton
) -> None:
    anna = (await found(connector, ANNA)).id
    model = "model.model" if running_tryton.version == "6.0" else "model"
    domain = [["group.name", "=", "Klantlijn"], [model, "=", "sale.sale"]]
    (right,) = await clerk.search_read("ir.model.access", domain, ["id"], limit=1)
    await clerk.call("model.ir.model.access.write", [right["id"]], {"perm_read": False})
    try:
        with pytest.raises(ConnectorRefused, match=r"refused model.sale.sale.search_read \(UserError\)"):
            await connector.orders(anna)
        again = connect()
        await again.open()
        assert not await again.orders(anna)
        assert await again.invoices(anna)
    finally:
        await clerk.call("model.ir.model.access.write", [right["id"]], {"perm_read": True})
