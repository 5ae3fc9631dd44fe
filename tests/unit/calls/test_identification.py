"""Who calls is known in time, improves when an answer comes late, and is never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ivr.calls.identification import CallerLookup, Identifier
from ivr.config.model import Guard as Limits
from ivr.connectors.breaker import BreakerState
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import Customer, CustomerId, IdentificationState
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.domain.region import Region
from ivr.errors import ConnectorUnavailable
from ivr.ports import ConnectorSession
from ivr.simulation.manual_clock import ManualClock
from ivr.simulation.scripted_connector import ScriptedConnector

BUDGET = 0.3
NUMBER = PhoneNumber("+31300000101")
LINE = Line(LineState.KNOWN, NUMBER)
BY_PHONE = Identity(IdentityKind.PHONE, NUMBER)
ANNA = Customer(CustomerId("1"), "Anna", (NUMBER,), postcode="9712 CD", references=(("scripted", CustomerId("1")),))
BRAM = Customer(CustomerId("2"), "Bram", (NUMBER,), references=(("scripted", CustomerId("2")),))
REGIONS = (Region("Utrecht", prefixes=("+3130",)), Region("Groningen", postcodes=((9700, 9747),)))

KNOWN, AMBIGUOUS, UNKNOWN, UNAVAILABLE, PENDING, WITHHELD = (
    IdentificationState.KNOWN,
    IdentificationState.AMBIGUOUS,
    IdentificationState.UNKNOWN,
    IdentificationState.UNAVAILABLE,
    IdentificationState.PENDING,
    IdentificationState.WITHHELD,
)


def knows(*customers: Customer) -> ScriptedConnector:
    return ScriptedConnector(customers=customers)


def hangs(*customers: Customer) -> ScriptedConnector:
    return ScriptedConnector(customers=customers, hangs=True)


def fails() -> ScriptedConnector:
    return ScriptedConnector(raises=ConnectorUnavailable("away"))


def start(clock: ManualClock, *connectors: ConnectorSession, line: Line = LINE) -> CallerLookup:
    return Identifier(connectors, budget=BUDGET, clock=clock, regions=REGIONS).start(line)


def state(lookup: CallerLookup) -> tuple[IdentificationState, Customer | None]:
    return lookup.current().identification.state, lookup.current().customer


@pytest.mark.parametrize(
    ("connectors", "expected", "customer"),
    [
        pytest.param([], UNKNOWN, None, id="nobody to ask"),
        pytest.param([knows()], UNKNOWN, None, id="not found"),
        pytest.param([knows(ANNA)], KNOWN, ANNA, id="found"),
        pytest.param([knows(ANNA, BRAM)], AMBIGUOUS, None, id="two on one number"),
        pytest.param([fails()], UNAVAILABLE, None, id="failed"),
        pytest.param([knows(), knows(BRAM)], KNOWN, BRAM, id="the second knows"),
        pytest.param([knows(ANNA), knows(BRAM)], KNOWN, ANNA, id="the first is believed"),
        pytest.param([knows(ANNA, BRAM), knows(BRAM)], AMBIGUOUS, None, id="the first's doubt is believed"),
        pytest.param([fails(), knows(BRAM)], KNOWN, BRAM, id="the first failed"),
        pytest.param([fails(), knows()], UNAVAILABLE, None, id="unknown is not said while one did not answer"),
        pytest.param([knows(), knows()], UNKNOWN, None, id="unknown to all"),
    ],
)
async def test_the_first_who_knows_the_number_says_who_it_is(
    connectors: Sequence[ScriptedConnector], expected: IdentificationState, customer: Customer | None
) -> None:
    identification = await Identifier(connectors, budget=BUDGET, clock=ManualClock()).identify(BY_PHONE)
    assert (identification.state, identification.customer) == (expected, customer)


@pytest.mark.parametrize(
    ("line_state", "expected"),
    [(LineState.WITHHELD, WITHHELD), (LineState.ABSENT, UNKNOWN), (LineState.MALFORMED, UNKNOWN)],
)
async def test_without_a_number_the_answer_is_there_at_once_and_nobody_is_asked(
    line_state: LineState, expected: IdentificationState
) -> None:
    connector = knows(ANNA)
    lookup = start(ManualClock(), connector, line=Line(line_state))
    assert state(lookup) == (expected, None)
    assert (await lookup.answer()).region is None
    assert connector.asked == []


async def test_a_system_that_hangs_costs_the_budget_and_no_more() -> None:
    clock = ManualClock()
    identifying = asyncio.create_task(Identifier([hangs()], budget=BUDGET, clock=clock).identify(BY_PHONE))
    await clock.advance(0.29)
    assert not identifying.done()
    await clock.advance(0.01)
    assert identifying.done()
    assert identifying.result().state is UNAVAILABLE
    await clock.settle()
    assert clock.sleepers == 0


async def test_a_surer_system_is_waited_for_only_within_the_budget() -> None:
    clock = ManualClock()
    lookup = start(clock, hangs(ANNA), knows(BRAM))
    await clock.advance(0.29)
    assert state(lookup) == (PENDING, None)
    await clock.advance(0.01)
    assert state(lookup) == (KNOWN, BRAM)
    lookup.close()


async def test_a_less_sure_system_is_not_waited_for() -> None:
    clock = ManualClock()
    slow = hangs(BRAM)
    lookup = start(clock, knows(ANNA), slow)
    assert (await lookup.answer()).customer == ANNA
    lookup.close()
    await clock.settle()
    assert slow.under_way == 0


async def test_a_late_answer_is_there_for_the_next_step() -> None:
    clock = ManualClock()
    crm = hangs(ANNA)
    lookup = start(clock, crm)
    await clock.advance(BUDGET)
    assert state(lookup) == (UNAVAILABLE, None)
    assert lookup.current().region == "Utrecht"
    crm.let_go()
    await clock.settle()
    assert state(lookup) == (KNOWN, ANNA)
    assert lookup.current().region == "Groningen"


async def test_a_late_answer_that_nobody_is_known_is_an_answer_too() -> None:
    clock = ManualClock()
    crm = hangs()
    lookup = start(clock, crm)
    await clock.advance(BUDGET)
    crm.let_go()
    await clock.settle()
    assert state(lookup) == (UNKNOWN, None)


async def test_who_was_named_is_not_renamed_by_a_later_answer() -> None:
    clock = ManualClock()
    crm = hangs(ANNA)
    lookup = start(clock, crm, knows(BRAM))
    await clock.advance(BUDGET)
    crm.let_go()
    await clock.settle()
    assert state(lookup) == (KNOWN, BRAM)


async def test_settled_waits_as_long_as_it_is_told() -> None:
    clock = ManualClock()
    crm = hangs(ANNA)
    lookup = start(clock, crm)
    early = asyncio.create_task(lookup.settled(0.1))
    await clock.advance(0.1)
    assert early.done()
    assert early.result().identification.state is PENDING
    late = asyncio.create_task(lookup.settled(0.1))
    crm.let_go()
    await clock.settle()
    assert late.done()
    assert late.result().customer == ANNA
    assert (await lookup.settled(0)).customer == ANNA


async def test_when_the_call_ends_nothing_is_left_waiting() -> None:
    clock = ManualClock()
    crm = hangs(ANNA)
    lookup = start(clock, crm)
    answer = asyncio.create_task(lookup.answer())
    await clock.settle()
    lookup.close()
    await clock.settle()
    assert answer.done()
    assert (crm.under_way, clock.sleepers) == (0, 0)
    assert state(lookup) == (PENDING, None)


async def test_an_answer_for_a_call_that_ended_still_serves_the_next_call() -> None:
    clock = ManualClock()
    crm = hangs(ANNA)
    guarded = ConnectedSystem("crm", crm, Limits(), clock)
    lookup = start(clock, guarded)
    await clock.settle()
    lookup.close()
    await clock.settle()
    assert crm.under_way == 1
    crm.let_go()
    await clock.settle()
    found = (await start(clock, guarded).answer()).customer
    assert found is not None
    assert found.id == ANNA.id
    assert len(crm.asked) == 1


async def test_a_connector_that_breaks_its_word_hurts_nobody() -> None:
    clock = ManualClock()
    lookup = start(clock, ScriptedConnector(raises=ZeroDivisionError()), knows(BRAM))
    await clock.advance(BUDGET)
    assert state(lookup) == (KNOWN, BRAM)


async def test_two_hundred_calls_with_a_hanging_system_are_all_answered_at_the_budget() -> None:
    """None waits a moment over its budget, the system holds its places only, and is then left alone."""
    clock = ManualClock()
    crm = hangs()
    guarded = ConnectedSystem("crm", crm, Limits(timeout=2.0, concurrency=20, failures_to_open=5, open_for=10.0), clock)
    identifier = Identifier([guarded], budget=BUDGET, clock=clock)
    ended: list[float] = []

    async def call(number: int) -> None:
        identification = await identifier.identify(Identity(IdentityKind.PHONE, f"+3130{number:07}"))
        assert identification.state is UNAVAILABLE
        ended.append(clock.monotonic())

    calls = [asyncio.create_task(call(number)) for number in range(200)]
    await clock.advance(BUDGET)
    await asyncio.gather(*calls)
    assert ended == [BUDGET] * 200
    assert crm.most_under_way == 20
    await clock.advance(2.0)
    assert guarded.status.breaker is BreakerState.OPEN
    assert guarded.status.under_way == 0
    crm.let_go()
    assert (await identifier.identify(BY_PHONE)).state is UNAVAILABLE
    await clock.advance(10)
    assert (await identifier.identify(BY_PHONE)).state is UNKNOWN


@pytest.mark.parametrize(
    ("kind", "value"),
    [(IdentityKind.EMAIL, "anna@example.org"), (IdentityKind.CUSTOMER_NUMBER, "K1")],
)
async def test_the_same_directory_knows_customers_by_address_and_number(kind: IdentityKind, value: str) -> None:
    anna = replace(ANNA, email="anna@example.org", customer_number="K1")
    identifier = Identifier([knows(BRAM), knows(anna)], budget=BUDGET, clock=ManualClock())
    found = await identifier.identify(Identity(kind, value))
    assert (found.state, found.customer) == (KNOWN, anna)
    assert (await identifier.identify(Identity(kind, "nobody"))).state is UNKNOWN


async def test_an_address_that_no_system_can_tell_of_in_time_is_not_called_unknown() -> None:
    clock = ManualClock()
    identifier = Identifier([hangs(ANNA)], budget=BUDGET, clock=clock)
    asking = asyncio.create_task(identifier.identify(Identity(IdentityKind.EMAIL, "anna@example.org")))
    await clock.advance(BUDGET)
    assert (await asking).state is UNAVAILABLE
