"""The index of customers on each kind of database: written in pages, found by every identity, never too old."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ivr.domain.caller import Customer, CustomerId
from ivr.domain.dossier import Order, OrderState
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.index_state import IndexState, RunPhase
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.simulation.manual_clock import ManualClock
from ivr.store.customer_index import StoredCustomerIndex
from ivr.store.database import Database
from ivr.store.index_lookup import Freshness, IndexLookup

NODE, OTHER_NODE = "a:4574", "b:4574"
HOME, WORK, SHARED = PhoneNumber("+31300000101"), PhoneNumber("+31200000102"), PhoneNumber("+31260000104")
LEASE = timedelta(seconds=60)
DAY = 86_400.0

ANNA = Customer(
    id=CustomerId("K1"),
    name="Anna de Vries",
    numbers=(HOME, WORK),
    language=Language.NL,
    postcode="3511 AB",
    products=frozenset({"internet", "tv"}),
    customer_number="K1",
    email="Anna@lijnnet.example",
    handles=("x:@anna",),
)
YOUSSEF = Customer(CustomerId("K4"), "Youssef", (SHARED,))
SAMIRA = Customer(CustomerId("K5"), "Samira", (SHARED,))


class Index:
    """The index of `crm` with who fills it, and a look-up."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.store = StoredCustomerIndex(database)
        self.lookup = IndexLookup(database, {"crm": Freshness(3600.0, DAY)}, clock, timeout=5.0)
        self.clock = clock

    async def claim(self, source: str = "1", owner: str = NODE) -> IndexState | None:
        now = self.clock.now()
        return await self.store.claim("crm", source=source, owner=owner, now=now, lease_until=now + LEASE)

    async def write(
        self, state: IndexState, *customers: Customer, gone: Sequence[str] = (), owner: str = NODE
    ) -> IndexState | None:
        ids = [CustomerId(each) for each in gone]
        until = self.clock.now() + LEASE
        return await self.store.write(state, owner=owner, lease_until=until, customers=customers, gone=ids)

    async def sweep(self, state: IndexState, limit: int = 10) -> IndexState | None:
        return await self.store.sweep(state, owner=NODE, lease_until=self.clock.now() + LEASE, limit=limit)

    async def full_run(self, *customers: Customer, source: str = "1") -> IndexState:
        """Read these, remove the others."""
        state = await self.claim(source)
        assert state
        state = await self.write(
            replace(state, run=state.run + 1, phase=RunPhase.READING, run_began_at=self.clock.now()), *customers
        )
        assert state
        state = replace(state, phase=RunPhase.SWEEPING, cursor="here", synced_at=self.clock.now())
        while state.phase is RunPhase.SWEEPING:
            swept = await self.sweep(state)
            assert swept
            state = swept
        return state

    async def names(self, number: PhoneNumber) -> set[str] | None:
        found = await self.lookup.find("crm", Identity(IdentityKind.PHONE, number))
        return None if found is None else {customer.name for customer in found}


@pytest.fixture
async def index(database: Database) -> AsyncIterator[Index]:
    made = Index(database, ManualClock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC)))
    yield made
    await made.lookup.close()


async def test_a_customer_comes_back_with_what_a_greeting_needs_and_no_more(index: Index) -> None:
    order = Order("B1", OrderState.ON_THE_WAY)
    full = replace(ANNA, orders=(order,), house_number="12", birth_date=date(1985, 4, 12))
    await index.full_run(full)
    assert await index.lookup.find("crm", Identity(IdentityKind.PHONE, HOME)) == [ANNA]
    assert await index.lookup.find("crm", Identity(IdentityKind.PHONE, WORK)) == [ANNA]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (IdentityKind.PHONE, HOME),
        (IdentityKind.EMAIL, " anna@LIJNNET.example "),
        (IdentityKind.CUSTOMER_NUMBER, "k1"),
        (IdentityKind.HANDLE, "X:@Anna"),
    ],
)
async def test_a_customer_is_found_by_every_identity(index: Index, kind: IdentityKind, value: str) -> None:
    await index.full_run(ANNA, YOUSSEF)
    assert await index.lookup.find("crm", Identity(kind, value)) == [ANNA]
    assert await index.lookup.find("erp", Identity(kind, value)) is None


async def test_everybody_on_one_number_is_found(index: Index) -> None:
    await index.full_run(YOUSSEF, SAMIRA, ANNA)
    assert await index.names(SHARED) == {"Youssef", "Samira"}


async def test_a_number_that_nobody_has_is_for_the_system_itself(index: Index) -> None:
    await index.full_run(ANNA)
    assert await index.lookup.find("crm", Identity(IdentityKind.PHONE, PhoneNumber("+31300000199"))) is None


async def test_nothing_is_found_until_everything_was_read_once(index: Index) -> None:
    state = await index.claim()
    assert state
    await index.write(replace(state, run=1, phase=RunPhase.READING), ANNA)
    assert await index.names(HOME) is None


async def test_a_change_replaces_what_was_known_and_its_numbers(index: Index) -> None:
    state = await index.full_run(ANNA, YOUSSEF)
    moved = replace(ANNA, name="Anna Jansen", numbers=(WORK, SHARED), email=None)
    state = await index.write(replace(state, cursor="later"), moved) or state
    assert (state.cursor, state.customers) == ("later", 2)
    assert await index.names(HOME) is None
    assert await index.names(SHARED) == {"Youssef", "Anna Jansen"}
    assert await index.lookup.find("crm", Identity(IdentityKind.EMAIL, "anna@lijnnet.example")) is None


async def test_who_is_gone_is_forgotten(index: Index) -> None:
    state = await index.full_run(ANNA, YOUSSEF, SAMIRA)
    state = await index.write(state, gone=["K4", "nobody"]) or state
    assert await index.names(SHARED) == {"Samira"}
    assert state.customers == 2


async def test_who_came_back_on_the_same_page_is_not_gone(index: Index) -> None:
    state = await index.full_run(YOUSSEF)
    await index.write(state, YOUSSEF, gone=["K4"])
    assert await index.names(SHARED) == {"Youssef"}


async def test_a_full_run_removes_only_whom_it_did_not_see(index: Index) -> None:
    many = [Customer(CustomerId(f"C{n:03}"), f"C{n}", (PhoneNumber(f"+3120{n:07}"),)) for n in range(25)]
    await index.full_run(ANNA, YOUSSEF, *many)
    state = await index.full_run(ANNA)
    assert state.customers == 1
    assert state.phase is RunPhase.NONE
    assert await index.names(HOME) == {"Anna de Vries"}
    assert await index.names(SHARED) is None


async def test_whoever_changed_during_a_full_run_stays(index: Index) -> None:
    state = await index.full_run(ANNA)
    state = await index.write(replace(state, run=2, phase=RunPhase.READING, run_began_at=index.clock.now())) or state
    state = await index.write(replace(state, cursor="later"), YOUSSEF) or state
    state = await index.sweep(replace(state, phase=RunPhase.SWEEPING)) or state
    assert await index.names(SHARED) == {"Youssef"}
    assert await index.names(HOME) is None
    assert (state.customers, state.phase) == (1, RunPhase.NONE)


async def test_an_index_that_is_too_old_is_left_to_the_system(index: Index) -> None:
    state = await index.full_run(ANNA)
    await index.clock.advance(3600.0)
    assert await index.names(HOME) is not None
    await index.clock.advance(1.0)
    assert await index.names(HOME) is None
    await index.write(replace(state, synced_at=index.clock.now()))
    assert await index.names(HOME) is not None


async def test_an_index_that_was_not_compared_for_too_long_is_left_to_the_system(index: Index) -> None:
    state = await index.full_run(ANNA)
    await index.clock.advance(DAY + 3601.0)
    await index.write(replace(state, synced_at=index.clock.now()))
    assert await index.names(HOME) is None


async def test_only_one_node_has_the_turn(index: Index) -> None:
    assert await index.claim(owner=NODE)
    assert await index.claim(owner=OTHER_NODE) is None
    assert await index.claim(owner=NODE)
    await index.clock.advance(LEASE.total_seconds())
    assert await index.claim(owner=OTHER_NODE)
    assert await index.claim(owner=NODE) is None
    await index.store.release("crm", owner=NODE)
    assert await index.claim(owner=NODE) is None
    await index.store.release("crm", owner=OTHER_NODE)
    assert await index.claim(owner=NODE)


async def test_who_lost_the_turn_stores_nothing(index: Index) -> None:
    state = await index.full_run(ANNA)
    await index.clock.advance(LEASE.total_seconds())
    assert await index.claim(owner=OTHER_NODE)
    assert await index.write(replace(state, cursor="later"), YOUSSEF) is None
    assert await index.sweep(replace(state, run=2)) is None
    assert await index.names(SHARED) is None
    assert await index.store.state("crm") == state


async def test_the_state_comes_back_as_it_was_written(index: Index) -> None:
    assert await index.store.state("crm") is None
    state = await index.full_run(ANNA)
    began = replace(state, run=2, phase=RunPhase.READING, run_cursor="half", run_began_at=index.clock.now())
    assert await index.write(began) == began
    assert await index.store.state("crm") == began
    assert await index.claim() == began


async def test_another_source_begins_anew(index: Index) -> None:
    """Whoever points the connector to another system is not greeted by the customers of the one before."""
    await index.full_run(ANNA)
    state = await index.claim(source="2")
    assert state == IndexState("crm", run=1, customers=1)
    assert await index.names(HOME) is None
    await index.full_run(YOUSSEF, source="2")
    assert await index.names(SHARED) == {"Youssef"}
    assert await index.names(HOME) is None


async def test_what_a_database_cannot_hold_costs_nobody_else(index: Index) -> None:
    odd = Customer(
        CustomerId("K9"), "A\0\ud800", (WORK,), email="a\0@b", customer_number="9" * 400, handles=("\ud800",)
    )
    nobody = Customer(CustomerId(""), "Nobody", (WORK,))
    state = await index.full_run(odd, nobody, YOUSSEF)
    assert state.customers == 2
    assert await index.lookup.find("crm", Identity(IdentityKind.PHONE, WORK)) == [odd]
    assert await index.names(SHARED) == {"Youssef"}


async def test_a_database_that_is_away_is_no_error(index: Index, database: Database) -> None:
    away = f"sqlite+aiosqlite:////nowhere/{'x'}.db" if database.is_sqlite else "postgresql+asyncpg://x@127.0.0.1:9/x"
    lookup = IndexLookup(Database(away, timeout=1.0), {"crm": Freshness(1.0, 1.0)}, index.clock, timeout=0.5)
    assert await lookup.find("crm", Identity(IdentityKind.PHONE, HOME)) is None
    await lookup.close()


async def test_a_connector_that_is_no_more_is_forgotten_unless_a_node_still_fills_it(index: Index) -> None:
    await index.full_run(ANNA, YOUSSEF, SAMIRA)
    assert await index.store.connectors() == ["crm"]
    assert not await index.store.forget("crm", now=index.clock.now(), limit=2)
    assert await index.names(SHARED) is not None
    await index.clock.advance(LEASE.total_seconds())
    rounds = 0
    while await index.store.forget("crm", now=index.clock.now(), limit=2):
        rounds += 1
    assert rounds > 1
    assert await index.store.connectors() == []
    assert await index.names(SHARED) is None
    assert (await index.full_run(YOUSSEF)).customers == 1
