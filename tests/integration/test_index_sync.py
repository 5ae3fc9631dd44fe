"""The index follows a system, on each kind of database: built, kept up to date, and gone on with after anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from ivr.config.model import Index as Limits
from ivr.connectors.connector import Changes
from ivr.connectors.metrics import IndexMetrics
from ivr.connectors.sync import LONGEST_PAUSE, SPREAD, IndexSync, forget_others
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.index_state import RunPhase
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorUnavailable
from ivr.simulation.manual_clock import ManualClock
from ivr.store.customer_index import StoredCustomerIndex
from ivr.store.database import Database
from ivr.store.index_lookup import Freshness, IndexLookup

LIMITS = Limits(interval=60.0, full_every=3600.0, page=10, max_age=600.0)


def customer(number: int, name: str = "") -> Customer:
    return Customer(CustomerId(f"C{number:03}"), name or f"C{number}", (PhoneNumber(f"+3130{number:07}"),))


class System:
    """A CRM whose changes are a log: the cursor is a place in it, and the last entry of a customer counts."""

    name = "crm"

    def __init__(self, customers: int) -> None:
        self.log = [customer(number) for number in range(customers)]
        self.asked: list[str | None] = []
        self.raises: dict[str | None, ConnectorError] = {}
        self.tells_gone: list[CustomerId] = []

    async def changes(self, since: str | None, limit: int, *, within: float) -> Changes:
        self.asked.append(since)
        if since in self.raises:
            raise self.raises[since]
        start = int(since or 0)
        page = self.log[start : start + limit]
        end = start + len(page)
        gone, self.tells_gone = self.tells_gone, []
        return Changes(page, str(end), more=end < len(self.log), gone=gone)

    def change(self, number: int, name: str) -> None:
        """A customer gets another name, or is new."""
        self.log = [*self.log, customer(number, name)]

    def delete(self, number: int) -> None:
        """A customer is deleted, and nothing tells so."""
        unknown = replace(customer(-1), id=CustomerId("C-1"), numbers=())
        self.log = [unknown if each.id == f"C{number:03}" else each for each in self.log]


class Nodes:
    """Nodes that sync one system's index in one database."""

    def __init__(self, database: Database) -> None:
        self.clock = ManualClock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
        self.store = StoredCustomerIndex(database)
        self.lookup = IndexLookup(database, {"crm": Freshness(600.0, 3600.0)}, self.clock, timeout=5.0)

    def sync(self, system: System, owner: str = "a:4574", source: str = "1", limits: Limits = LIMITS) -> IndexSync:
        return IndexSync(system, self.store, limits, self.clock, source=source, owner=owner)

    async def name(self, number: int) -> str | None:
        found = await self.lookup.find("crm", Identity(IdentityKind.PHONE, f"+3130{number:07}"))
        return found[0].name if found else None


async def caught_up(sync: IndexSync, most: int = 100) -> float:
    """Step until there is time; the seconds there are."""
    for _ in range(most):
        pause = await sync.step()
        if pause:
            return pause
    raise AssertionError("it never rests")


@pytest.fixture
async def nodes(database: Database) -> AsyncIterator[Nodes]:
    made = Nodes(database)
    yield made
    await made.lookup.close()


async def test_it_reads_everybody_once_and_then_only_changes(nodes: Nodes) -> None:
    system = System(25)
    sync = nodes.sync(system)
    pause = await caught_up(sync)
    assert 60.0 <= pause <= 60.0 * (1 + SPREAD)
    assert system.asked == [None, "10", "20", "25"]
    assert await nodes.name(24) == "C24"
    assert sync.state
    assert (sync.state.customers, sync.state.phase) == (25, RunPhase.NONE)
    system.change(3, "Anna")
    await nodes.clock.advance(pause)
    assert sync.age == pytest.approx(pause)
    await caught_up(sync)
    assert system.asked[4:] == ["25"]
    assert await nodes.name(3) == "Anna"
    assert sync.age == 0.0


async def test_who_the_system_says_is_gone_is_gone(nodes: Nodes) -> None:
    system = System(5)
    sync = nodes.sync(system)
    pause = await caught_up(sync)
    system.tells_gone = [CustomerId("C003")]
    await nodes.clock.advance(pause)
    await caught_up(sync)
    assert await nodes.name(3) is None
    assert await nodes.name(4) == "C4"


async def test_who_was_deleted_without_a_word_is_gone_after_the_next_full_run(nodes: Nodes) -> None:
    system = System(25)
    sync = nodes.sync(system)
    pause = await caught_up(sync)
    system.delete(3)
    await nodes.clock.advance(pause)
    pause = await caught_up(sync)
    assert await nodes.name(3) == "C3"
    await nodes.clock.advance(3600.0)
    await caught_up(sync)
    assert await nodes.name(3) is None
    assert await nodes.name(4) == "C4"


async def test_a_process_that_dies_costs_no_page_that_was_stored(nodes: Nodes) -> None:
    system = System(45)
    first = nodes.sync(system)
    for _ in range(4):
        await first.step()
    assert system.asked == [None, "10", "20"]
    second = nodes.sync(system)
    await caught_up(second)
    assert system.asked == [None, "10", "20", "30", "40", "45"]
    assert second.state
    assert second.state.customers == 45
    assert await nodes.name(0) == "C0"


async def test_changes_go_on_during_a_full_run(nodes: Nodes) -> None:
    system = System(95)
    sync = nodes.sync(system)
    await caught_up(sync)
    await nodes.clock.advance(3600.0)
    for _ in range(3):
        await sync.step()
    system.change(94, "Anna")
    await nodes.clock.advance(60.0)
    await sync.step()
    assert sync.state
    assert sync.state.phase is RunPhase.READING
    assert await nodes.name(94) == "Anna"


async def test_a_change_between_pages_of_a_full_run_is_not_undone_by_it(nodes: Nodes) -> None:
    system = System(25)
    sync = nodes.sync(system)
    for _ in range(3):
        await sync.step()
    system.change(0, "Anna")
    await caught_up(sync)
    assert await nodes.name(0) == "Anna"


async def test_a_system_that_is_away_is_asked_less_and_less_often(nodes: Nodes) -> None:
    system = System(25)
    system.raises["10"] = ConnectorUnavailable("away")
    sync = nodes.sync(system)
    pauses = []
    for _ in range(10):
        pauses.append(pause := await caught_up(sync))
        await nodes.clock.advance(pause)
    assert [
        round(pause / (1 + SPREAD)) <= expected <= pause
        for pause, expected in zip(pauses, (5, 10, 20, 40), strict=False)
    ]
    assert LONGEST_PAUSE <= pauses[-1] <= LONGEST_PAUSE * (1 + SPREAD)
    system.raises.clear()
    assert await caught_up(sync) < 70.0
    assert await nodes.name(24) == "C24"


async def test_while_a_system_is_away_its_index_serves_until_it_is_too_old(nodes: Nodes) -> None:
    system = System(5)
    sync = nodes.sync(system)
    await caught_up(sync)
    system.raises = {"5": ConnectorUnavailable("away")}
    await nodes.clock.advance(599.0)
    await caught_up(sync)
    assert await nodes.name(1) == "C1"
    await nodes.clock.advance(2.0)
    assert await nodes.name(1) is None
    assert sync.age == 601.0


async def test_a_cursor_that_is_refused_has_everybody_read_again(nodes: Nodes) -> None:
    system = System(15)
    sync = nodes.sync(system)
    pause = await caught_up(sync)
    system.raises = {"15": ConnectorRefused("too long ago")}
    system.change(3, "Anna")
    await nodes.clock.advance(pause)
    pause = await caught_up(sync)
    await nodes.clock.advance(pause)
    await caught_up(sync)
    assert await nodes.name(3) == "Anna"
    assert sync.state
    assert sync.state.cursor == "16"


async def test_a_place_in_a_full_run_that_is_refused_has_it_begin_again(nodes: Nodes) -> None:
    system = System(25)
    system.raises = {"10": ConnectorRefused("too long ago")}
    sync = nodes.sync(system)
    pause = await caught_up(sync)
    system.raises = {}
    await nodes.clock.advance(pause)
    await caught_up(sync)
    assert system.asked == [None, "10", None, "10", "20", "25"]


async def test_a_system_that_stands_still_is_not_asked_without_end(nodes: Nodes) -> None:
    class Stuck(System):
        async def changes(self, since: str | None, limit: int, *, within: float) -> Changes:
            return Changes([customer(1)], "1", more=True)

    assert await caught_up(nodes.sync(Stuck(1))) > 0


async def test_another_configuration_begins_anew(nodes: Nodes) -> None:
    await caught_up(nodes.sync(System(5)))
    other = System(0)
    other.change(7, "Anna")
    await caught_up(nodes.sync(other, source="2"))
    assert await nodes.name(7) == "Anna"
    assert await nodes.name(1) is None


async def test_of_two_nodes_one_syncs_and_the_other_knows_how_far_it_is(nodes: Nodes) -> None:
    systems: Sequence[System] = System(25), System(25)
    first, second = nodes.sync(systems[0], "a:4574"), nodes.sync(systems[1], "b:4574")
    await first.step()
    await asyncio.gather(caught_up(first), caught_up(second))
    assert systems[1].asked == []
    await caught_up(second)
    assert second.state == first.state
    assert second.age == 0.0


async def test_a_node_that_is_gone_is_followed_up_by_another(nodes: Nodes) -> None:
    systems: Sequence[System] = System(25), System(25)
    first, second = nodes.sync(systems[0], "a:4574"), nodes.sync(systems[1], "b:4574")
    await first.step()
    await first.step()
    pause = await caught_up(second)
    for _ in range(3):
        await nodes.clock.advance(pause)
        pause = await caught_up(second)
    assert systems[1].asked[:2] == ["10", "20"]
    assert await nodes.name(24) == "C24"
    await caught_up(first)
    assert first.state == second.state
    assert systems[0].asked == [None, "10"]


async def test_a_node_that_cannot_reach_the_system_lets_another_try(nodes: Nodes) -> None:
    systems: Sequence[System] = System(25), System(25)
    systems[0].raises = {None: ConnectorUnavailable("away from here")}
    first, second = nodes.sync(systems[0], "a:4574"), nodes.sync(systems[1], "b:4574")
    await caught_up(first)
    await caught_up(second)
    assert await nodes.name(24) == "C24"


async def test_it_outlives_a_database_that_is_away(nodes: Nodes, tmp_path: object) -> None:
    away = StoredCustomerIndex(Database(f"sqlite+aiosqlite:///{tmp_path}/nowhere/x.db", timeout=1.0))
    sync = IndexSync(System(1), away, LIMITS, nodes.clock, source="1", owner="a:4574")
    assert await sync.step() >= 5.0
    assert sync.age is None


async def test_connectors_that_are_not_indexed_any_more_are_forgotten(nodes: Nodes) -> None:
    sync = nodes.sync(System(25))
    await caught_up(sync)
    await nodes.clock.advance(600.0)
    await forget_others(nodes.store, [sync], nodes.clock)
    assert await nodes.store.connectors() == ["crm"]
    forgetting = asyncio.create_task(forget_others(nodes.store, [], nodes.clock))
    while not forgetting.done():
        await nodes.clock.advance(1.0)
        await asyncio.sleep(0.01)
    assert await nodes.store.connectors() == []
    assert await nodes.store.state("crm") is None


async def test_the_metrics_tell_how_far_each_index_is(nodes: Nodes) -> None:
    sync = nodes.sync(System(25))
    registry = CollectorRegistry()
    registry.register(IndexMetrics([sync]))
    crm = {"connector": "crm"}
    assert registry.get_sample_value("klantlijn_index_age_seconds", crm) is None
    await caught_up(sync)
    await nodes.clock.advance(7.0)
    assert registry.get_sample_value("klantlijn_index_age_seconds", crm) == 7.0
    assert registry.get_sample_value("klantlijn_index_customers", crm) == 25
