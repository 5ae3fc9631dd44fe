"""What a customer may call about is asked of all who know them, in time, and never of a stranger's record."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ivr.calls.identification import CallerLookup, Identifier
from ivr.config.model import Guard as Limits
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import Customer, CustomerId, IdentificationState
from ivr.domain.capability import Capability
from ivr.domain.dossier import Invoice, InvoiceState, Order, OrderState
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.errors import ConnectorError, ConnectorUnavailable
from ivr.ports import ConnectorSession, CustomerIndex
from ivr.simulation.manual_clock import ManualClock
from ivr.simulation.scripted_connector import ScriptedConnector

BUDGET = 0.3
NUMBER = PhoneNumber("+31612345678")
LINE = Line(LineState.KNOWN, NUMBER)
STRANGER = Line(LineState.KNOWN, PhoneNumber("+31687654321"))
IN_CRM = Customer(CustomerId("crm-1"), "Anna de Vries", (NUMBER,), postcode="9712 CD", customer_number="K100")
IN_ERP = Customer(CustomerId("erp-7"), "DE VRIES, A.", (NUMBER,), products=frozenset({"gas"}), customer_number="K100")
ORDER = Order("LN-12", OrderState.ON_THE_WAY)
INVOICE = Invoice("F-1", InvoiceState.OPEN, Decimal("12.50"))
ORDERS, INVOICES = Capability.ORDERS, Capability.INVOICES
BOTH = frozenset({"open_orders", "invoices"})


def crm(*customers: Customer, **script: Any) -> ScriptedConnector:
    return ScriptedConnector(customers, name="crm", **script)


def erp(*customers: Customer, **script: Any) -> ScriptedConnector:
    dossiers: dict[Any, Sequence[Any]] = {(ORDERS, IN_ERP.id): [ORDER], (INVOICES, IN_ERP.id): [INVOICE]}
    return ScriptedConnector(customers, dossiers, "erp", **script)


def start(
    clock: ManualClock, *systems: ConnectorSession, fields: frozenset[str] = BOTH, line: Line = LINE, index: Any = None
) -> CallerLookup:
    return Identifier(systems, budget=BUDGET, clock=clock, index=index).start(line, fields)


async def known(lookup: CallerLookup) -> Customer:
    await lookup.answer()
    await lookup.ready(BOTH)
    customer = lookup.current().customer
    assert customer is not None
    return customer


async def test_one_system_says_who_and_another_what_is_open() -> None:
    lookup = start(ManualClock(), crm(IN_CRM), erp(IN_ERP))
    customer = await known(lookup)
    assert (customer.id, customer.name, customer.postcode) == ("crm-1", "Anna de Vries", "9712 CD")
    assert customer.products == {"gas"}
    assert (customer.orders, customer.invoices) == ((ORDER,), (INVOICE,))
    assert dict(customer.references) == {"crm": "crm-1", "erp": "erp-7"}
    lookup.close()


async def test_a_system_that_does_not_know_the_line_is_asked_by_customer_number() -> None:
    elsewhere = replace(IN_ERP, numbers=(PhoneNumber("+31201234567"),))
    lookup = start(ManualClock(), crm(IN_CRM), erp(elsewhere))
    assert (await known(lookup)).orders == (ORDER,)
    lookup.close()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(IN_ERP, customer_number="K999"), id="another customer number"),
        pytest.param(replace(IN_ERP, customer_number=None), id="no customer number and another name"),
    ],
)
async def test_who_had_the_number_before_lends_nothing(other: Customer) -> None:
    lookup = start(ManualClock(), crm(IN_CRM), erp(other))
    customer = await known(lookup)
    assert (customer.orders, customer.invoices, customer.products) == ((), (), frozenset())
    assert dict(customer.references) == {"crm": "crm-1"}
    lookup.close()


async def test_what_no_flow_uses_is_not_asked_for() -> None:
    lookup = start(ManualClock(), erp(IN_ERP), fields=frozenset({"invoices"}))
    customer = await known(lookup)
    assert (customer.orders, customer.invoices) == ((), (INVOICE,))
    lookup.close()


async def test_a_slow_system_is_waited_for_until_the_budget_and_heard_after_it() -> None:
    clock = ManualClock()
    slow = erp(IN_ERP)
    slow.hangs = True
    lookup = start(clock, crm(IN_CRM), slow)
    await lookup.answer()
    ready = asyncio.create_task(lookup.ready(BOTH))
    await clock.advance(BUDGET - 0.01)
    assert not ready.done()
    await clock.advance(0.01)
    assert ready.done()
    assert lookup.current().customer is not None
    slow.let_go()
    await clock.settle()
    assert (await known(lookup)).orders == (ORDER,)
    lookup.close()


async def test_who_calls_and_what_is_open_are_waited_for_within_one_budget() -> None:
    clock = ManualClock()
    slow = erp(IN_ERP)
    slow.hangs = True
    lookup = start(clock, slow)
    await clock.advance(BUDGET - 0.05)
    slow.let_go()
    slow.hangs = True
    await lookup.answer()
    ready = asyncio.create_task(lookup.ready(BOTH))
    await clock.advance(0.04)
    assert not ready.done()
    await clock.advance(0.01)
    assert ready.done()
    lookup.close()


async def test_who_is_known_late_has_a_budget_for_what_is_open() -> None:
    clock = ManualClock()
    slow = erp(IN_ERP)
    slow.hangs = True
    lookup = start(clock, slow)
    await clock.advance(BUDGET + 1)
    await lookup.answer()
    slow.let_go()
    slow.hangs = True
    await clock.settle()
    assert lookup.current().identification.state is IdentificationState.KNOWN
    ready = asyncio.create_task(lookup.ready(BOTH))
    await clock.advance(BUDGET - 0.01)
    assert not ready.done()
    await clock.advance(0.01)
    assert ready.done()
    lookup.close()


async def test_what_was_told_lately_stands_in_for_a_system_that_fails() -> None:
    clock = ManualClock()
    system = erp(IN_ERP)
    limits = Limits(cache_for=60.0, stale_for=600.0, failures_to_open=100)
    guarded = ConnectedSystem("erp", _WithParts(system), limits, clock)
    first = start(clock, guarded)
    assert (await known(first)).orders == (ORDER,)
    first.close()
    await clock.advance(61)
    system.raises = ConnectorUnavailable("away")
    second = start(clock, guarded, index=_Index("erp", IN_ERP))
    assert (await known(second)).orders == (ORDER,)
    with pytest.raises(ConnectorError):
        await second.look_up(ORDERS)
    second.close()


class _WithParts:
    """The scripted connector as one that has its parts by name."""

    def __init__(self, scripted: ScriptedConnector) -> None:
        self._scripted = scripted
        self.capabilities = scripted.capabilities

    def __getattr__(self, name: str) -> Any:
        if name in (ORDERS.value, INVOICES.value):
            return lambda customer: self._scripted.dossier(Capability(name), customer)
        return getattr(self._scripted, name)

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def check(self) -> None: ...


async def test_a_part_can_be_asked_for_again_in_the_call() -> None:
    system = erp(IN_ERP)
    lookup = start(ManualClock(), system)
    await known(lookup)
    paid = replace(INVOICE, state=InvoiceState.PAID)
    system.dossiers = {**system.dossiers, (INVOICES, IN_ERP.id): [paid]}
    assert list(await lookup.look_up(INVOICES)) == [paid]
    assert (await known(lookup)).invoices == (paid,)
    lookup.close()


async def test_a_part_that_nobody_keeps_is_an_error_and_not_an_empty_answer() -> None:
    lookup = start(ManualClock(), crm(IN_CRM))
    await known(lookup)
    with pytest.raises(ConnectorError, match="keeps invoices"):
        await lookup.look_up(INVOICES)
    lookup.close()


async def test_a_caller_on_another_line_is_recognised_by_number_and_postcode() -> None:
    lookup = start(ManualClock(), crm(IN_CRM), erp(IN_ERP), line=STRANGER)
    assert (await lookup.answer()).identification.state is IdentificationState.UNKNOWN
    number = Identity(IdentityKind.CUSTOMER_NUMBER, "K100")
    assert not await lookup.recognise(number, "9711")
    assert lookup.current().customer is None
    assert await lookup.recognise(number, "9712")
    customer = await known(lookup)
    assert (customer.id, customer.orders) == ("crm-1", (ORDER,))
    assert lookup.current().recognised_by is IdentityKind.CUSTOMER_NUMBER
    lookup.close()


async def test_who_is_recognised_takes_nothing_along_from_the_line() -> None:
    """A daughter calls with her own telephone about her mother's orders."""
    daughter = replace(IN_ERP, id=CustomerId("erp-1"), customer_number="K7", numbers=(STRANGER.number or NUMBER,))
    system = erp(daughter, IN_ERP)
    system.dossiers = {**system.dossiers, (ORDERS, daughter.id): [Order("LN-99", OrderState.PLACED)]}
    lookup = start(ManualClock(), system, crm(IN_CRM), line=STRANGER)
    assert [order.number for order in (await known(lookup)).orders] == ["LN-99"]
    assert await lookup.recognise(Identity(IdentityKind.CUSTOMER_NUMBER, "K100"), "9712")
    customer = await known(lookup)
    assert (customer.id, [order.number for order in customer.orders]) == ("crm-1", ["LN-12"])
    lookup.close()


class _Index:
    """An index with one customer in it."""

    def __init__(self, connector: str, customer: Customer) -> None:
        self._connector = connector
        self._customer = customer

    async def find(self, connector: str, identity: Identity) -> Sequence[Customer] | None:
        has_it = identity.kind is IdentityKind.PHONE and identity.value in self._customer.numbers
        return [self._customer] if connector == self._connector and has_it else None


async def test_who_is_in_the_index_is_known_though_the_system_hangs() -> None:
    index: CustomerIndex = _Index("crm", IN_CRM)
    hanging = crm(IN_CRM)
    hanging.hangs = True
    lookup = start(ManualClock(), hanging, index=index, fields=frozenset())
    assert (await lookup.answer()).customer is not None
    assert hanging.asked == []
    lookup.close()


async def test_what_proves_who_calls_is_asked_of_the_system_itself() -> None:
    index = _Index("crm", IN_CRM)
    lives = replace(IN_CRM, house_number="12")
    lookup = start(ManualClock(), crm(lives), index=index, fields=frozenset({"house_number"}))
    await lookup.answer()
    await lookup.ready(frozenset({"house_number"}))
    customer = lookup.current().customer
    assert customer is not None
    assert customer.house_number == "12"
    lookup.close()
