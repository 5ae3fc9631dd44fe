"""Who wants to hear that an outage is over, on each kind of database: promised a call once it is, each of them once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from ivr.domain.callback import Attempt, AttemptId, Callback, CallbackPurpose, CallbackRequest, CallbackState, Window
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.domain.outage import Outage, OutageId, OutageNotice
from ivr.store.callbacks import StoredCallbacks
from ivr.store.database import Database
from ivr.store.outages import StoredOutages

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
END = NOW + timedelta(hours=2)
ANNA, BRAM = PhoneNumber("+31612345678"), PhoneNumber("+31687654321")


@pytest.fixture
async def outages(database: Database) -> StoredOutages:
    """Two outages are open."""
    store = StoredOutages(database)
    for name in ("a", "b"):
        await store.add(Outage(OutageId(name), NOW))
    return store


async def ask(
    store: StoredOutages,
    number: PhoneNumber = ANNA,
    outage: str = "a",
    language: Language = Language.NL,
    at: datetime = NOW,
) -> bool:
    notice = OutageNotice(OutageId(outage), number, language, "contact", "K1")
    return await store.call_after(notice, now=at, not_before=at + MINUTE)


async def promised(database: Database) -> list[Callback]:
    found = await StoredCallbacks(database).callbacks(only_open=True)
    return sorted(found, key=lambda promise: promise.request.number)


async def test_whoever_asked_is_promised_a_call_when_the_outage_is_closed(
    database: Database, outages: StoredOutages
) -> None:
    assert await ask(outages)
    assert await ask(outages, BRAM, language=Language.EN)
    assert await ask(outages, BRAM, "b")
    assert await promised(database) == []
    assert await outages.to_call() == {"a": 2, "b": 1}
    assert await outages.close(OutageId("a"), END)
    anna, bram = await promised(database)
    assert (anna.request.number, anna.request.language, anna.request.purpose, anna.request.queue) == (
        ANNA, Language.NL, CallbackPurpose.OUTAGE_OVER, "",
    )  # fmt: skip
    assert (anna.state, anna.not_before, anna.request.customer_id) == (CallbackState.BOOKED, END, "K1")
    assert (bram.request.number, bram.request.language) == (BRAM, Language.EN)
    assert await outages.to_call() == {"a": 2, "b": 1}


async def test_an_outage_that_is_closed_twice_promises_nothing_more(database: Database, outages: StoredOutages) -> None:
    await ask(outages)
    closed = await asyncio.gather(*(outages.close(OutageId("a"), END) for _ in range(5)))
    assert sorted(closed) == [False] * 4 + [True]
    (promise,) = await promised(database)
    await StoredCallbacks(database).move(promise.id, CallbackState.KEPT, at=END)
    assert not await outages.close(OutageId("a"), END)
    assert await promised(database) == []


async def test_a_number_asks_once_an_outage_and_is_called_in_the_language_of_the_last_time(
    database: Database, outages: StoredOutages
) -> None:
    await ask(outages)
    await ask(outages, language=Language.EN)
    assert await outages.to_call() == {"a": 1}
    await outages.close(OutageId("a"), END)
    assert [promise.request.language for promise in await promised(database)] == [Language.EN]


async def test_who_asks_after_the_end_is_told_so(database: Database, outages: StoredOutages) -> None:
    await outages.close(OutageId("a"), END)
    assert not await ask(outages, at=END)
    assert not await ask(outages, outage="never")
    assert await outages.to_call() == {}
    assert await promised(database) == []


async def test_nobody_is_lost_who_asks_at_the_moment_of_the_end(database_url: str, database: Database) -> None:
    """Who was told that they will be called is promised a call, however the two cross."""
    other = Database(database_url, timeout=5.0)
    try:
        here, there = StoredOutages(database), StoredOutages(other)
        for turn in range(20):
            await here.add(Outage(OutageId(f"o{turn}"), NOW))
            number = PhoneNumber(f"+316{turn:08}")
            told, _ = await asyncio.gather(ask(here, number, f"o{turn}"), there.close(OutageId(f"o{turn}"), END))
            assert told == (number in [promise.request.number for promise in await promised(database)])
    finally:
        await other.close()


async def test_who_is_still_on_the_line_is_not_called_yet(database: Database, outages: StoredOutages) -> None:
    await ask(outages, at=END)
    await outages.close(OutageId("a"), END)
    (promise,) = await promised(database)
    assert promise.not_before == END + MINUTE


async def test_who_waits_for_two_outages_that_end_together_is_called_once(
    database: Database, outages: StoredOutages
) -> None:
    await ask(outages)
    await ask(outages, outage="b")
    await outages.close(OutageId("a"), END)
    await outages.close(OutageId("b"), END + MINUTE)
    (promise,) = await promised(database)
    await StoredCallbacks(database).move(promise.id, CallbackState.KEPT, at=END)


async def test_who_waits_for_two_outages_is_called_again_when_the_second_ends_later(
    database: Database, outages: StoredOutages
) -> None:
    await ask(outages)
    await ask(outages, outage="b")
    await outages.close(OutageId("a"), END)
    (promise,) = await promised(database)
    await StoredCallbacks(database).move(promise.id, CallbackState.KEPT, at=END)
    await outages.close(OutageId("b"), END + MINUTE)
    assert len(await promised(database)) == 1


async def test_a_promise_of_an_agent_and_one_of_news_stand_beside_each_other(
    database: Database, outages: StoredOutages
) -> None:
    """They are never called for at the same moment."""
    store = StoredCallbacks(database)
    window = Window(NOW, END)
    await store.book(CallbackRequest(ANNA, window, "support", Language.NL, "contact"), now=NOW, capacity=10)
    await ask(outages)
    await outages.close(OutageId("a"), NOW + MINUTE)
    assert len(await promised(database)) == 2
    later = NOW + 2 * MINUTE
    claimed = []
    for queue in ("support", ""):
        claimed += await store.claim_due(queue=queue, now=later, owner="n", lease_until=later + MINUTE, limit=5)
    begun = [
        await store.begin_attempt(promise.id, Attempt(AttemptId(promise.id), promise.id, promise.id, later), owner="n")
        for promise in claimed
    ]
    assert begun == [True, False]


async def test_two_nodes_that_begin_to_call_a_number_at_once_call_it_once(
    database_url: str, database: Database, outages: StoredOutages
) -> None:
    store, other = StoredCallbacks(database), Database(database_url, timeout=5.0)
    await store.book(CallbackRequest(ANNA, Window(NOW, END), "support", Language.NL, "contact"), now=NOW, capacity=10)
    await ask(outages, at=NOW - MINUTE)
    await outages.close(OutageId("a"), NOW)
    [talk] = await store.claim_due(queue="support", now=NOW, owner="a", lease_until=END, limit=5)
    [news] = await store.claim_due(queue="", now=NOW, owner="b", lease_until=END, limit=5)
    try:
        begun = await asyncio.gather(
            store.begin_attempt(talk.id, Attempt(AttemptId("t"), talk.id, "t", NOW), owner="a"),
            StoredCallbacks(other).begin_attempt(news.id, Attempt(AttemptId("n"), news.id, "n", NOW), owner="b"),
        )
    finally:
        await other.close()
    assert sorted(begun) == [False, True]
