"""Stored outages and splits, and how their changes are noticed, on each kind of database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ivr.domain.language import Language
from ivr.domain.outage import Outage, OutageId
from ivr.domain.site import Split
from ivr.store.changes import StoredChanges
from ivr.store.database import Database
from ivr.store.outages import StoredOutages
from ivr.store.splits import StoredSplits

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def outage(name: str, hours: int = 0) -> Outage:
    return Outage(
        OutageId(name),
        START + timedelta(hours=hours),
        region="Utrecht",
        product="internet",
        text={Language.NL: "Storing in “Utrecht”"},
        expected_end=START + timedelta(hours=5),
    )


async def test_an_outage_comes_back_as_it_was_stored(database: Database) -> None:
    store = StoredOutages(database)
    everywhere = Outage(OutageId("b"), START + timedelta(hours=1))
    await store.add(outage("a"))
    await store.add(everywhere)
    assert await store.outages(only_open=True) == [everywhere, outage("a")]


async def test_an_outage_is_closed_once(database: Database) -> None:
    store = StoredOutages(database)
    await store.add(outage("a"))
    end = START + timedelta(hours=2)
    assert await store.close(OutageId("a"), end)
    assert not await store.close(OutageId("a"), end + timedelta(hours=1))
    assert not await store.close(OutageId("x"), end)
    assert await store.outages(only_open=True) == []
    [closed] = await store.outages(only_open=False)
    assert closed.closed_at == end


async def test_the_last_split_of_a_queue_counts(database: Database) -> None:
    store = StoredSplits(database)
    await store.set(Split("support", {"own": 70, "partner": 30}))
    await store.set(Split("sales", {"own": 100}))
    await store.set(Split("support", {"own": 60, "partner": 40}))
    assert await store.splits() == [Split("sales", {"own": 100}), Split("support", {"own": 60, "partner": 40})]


async def test_every_change_and_nothing_else_is_counted(database: Database) -> None:
    changes = StoredChanges(database)
    seen = [await changes.revision()]
    outages = StoredOutages(database)
    await outages.add(outage("a"))
    seen.append(await changes.revision())
    await outages.close(OutageId("a"), START)
    seen.append(await changes.revision())
    await outages.close(OutageId("a"), START)
    await StoredSplits(database).set(Split("support", {"own": 100}))
    seen.append(await changes.revision())
    assert seen == [0, 1, 2, 3]
