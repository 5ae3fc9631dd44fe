"""Stored versions of flows and what was chosen, on each kind of database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from ivr.domain.contact import Contact, ContactId
from ivr.domain.flow_version import FILES, FlowChoice, KeptFlows, Origin
from ivr.store.changes import StoredChanges
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database
from ivr.store.flows import StoredFlows

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def kept(name: str, hours: int = 0, origin: Origin = Origin.FILES) -> KeptFlows:
    return KeptFlows(name, START + timedelta(hours=hours), "anna", origin, {"main": f"v-{name}"})


async def test_a_set_comes_back_with_its_files_byte_for_byte(database: Database) -> None:
    store = StoredFlows(database)
    files = {"flows/main.yaml": "flow: main # é\r\n".encode(), "nl/texts.yaml": b"\xef\xbb\xbfwelcome: Dag"}
    assert await store.keep(kept("a"), files)
    assert await store.history() == [kept("a")]
    assert await store.files("a") == files
    assert await store.files("never") == {}


async def test_a_set_that_is_in_force_already_is_not_kept_again_but_one_that_comes_back_is(database: Database) -> None:
    store = StoredFlows(database)
    assert await store.keep(kept("a"), {"f": b"1"})
    assert not await store.keep(kept("a", 1), {"f": b"1"})
    assert await store.keep(kept("b", 2), {"f": b"2"})
    assert await store.keep(kept("draft", 3, Origin.DRAFT), {"f": b"3"})
    assert not await store.keep(kept("b", 4), {"f": b"2"})
    assert await store.keep(kept("a", 5), {"f": b"1"})
    assert [(found.id, found.at.hour) for found in await store.history()] == [
        ("a", 14),
        ("draft", 12),
        ("b", 11),
        ("a", 9),
    ]


async def test_nodes_that_take_over_the_same_change_together_keep_it_once(database: Database) -> None:
    stores = [StoredFlows(database) for _ in range(4)]
    stored = await asyncio.gather(*(store.keep(kept("a"), {"f": b"1"}) for store in stores))
    assert sorted(stored) == [False, False, False, True]
    assert len(await stores[0].history()) == 1


async def test_the_last_choice_for_a_flow_counts_until_it_is_forgotten_and_each_is_a_change(database: Database) -> None:
    store, changes = StoredFlows(database), StoredChanges(database)
    back = FlowChoice("main", "f1", "v1", START, "anna")
    share = FlowChoice("main", "f1", FILES, START, "bert", "v2", 10)
    await store.choose(back)
    assert await store.choices() == [back]
    await store.choose(share)
    assert await store.choices() == [share]
    await store.forget("main")
    assert await store.choices() == []
    assert await changes.revision() == 3


async def test_files_that_say_something_else_end_a_choice_and_nothing_else_does(database: Database) -> None:
    store, changes = StoredFlows(database), StoredChanges(database)
    choice = FlowChoice("main", "v-a", "v0", START, "anna")
    await store.choose(choice)
    await store.keep(kept("a"), {"f": b"1"})
    await store.keep(kept("x", 1, Origin.DRAFT), {"f": b"2"})
    assert await store.choices() == [choice]
    assert await changes.revision() == 1
    await store.keep(kept("b", 2), {"f": b"3"})
    assert await store.choices() == []
    assert await changes.revision() == 2


async def test_calls_are_counted_for_each_version_of_each_flow(database: Database) -> None:
    calls = [("main", "v1"), ("main", "v2"), ("main", "v1"), ("other", "v1")]
    opened = [
        Contact(ContactId(str(number)), START, flow=flow, flow_version=version)
        for number, (flow, version) in enumerate(calls)
    ]
    await StoredContacts(database).write(opened, [], [])
    assert await StoredFlows(database).calls() == {("main", "v1"): 2, ("main", "v2"): 1, ("other", "v1"): 1}
