"""Stored promises on each kind of database: booked, claimed, dialled and ended once each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from ivr.domain.callback import (
    Attempt,
    AttemptId,
    AttemptOutcome,
    Callback,
    CallbackId,
    CallbackRequest,
    CallbackState,
    Window,
)
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.errors import WindowFull
from ivr.store.callbacks import StoredCallbacks
from ivr.store.database import Database
from ivr.store.tables import callbacks

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
FIRST = Window(NOW, NOW + HOUR)
SECOND = Window(NOW + HOUR, NOW + 2 * HOUR)
LATER = NOW + 10 * MINUTE


@pytest.fixture
def store(database: Database) -> StoredCallbacks:
    return StoredCallbacks(database)


def request(last: int, window: Window = FIRST, queue: str = "support") -> CallbackRequest:
    return CallbackRequest(
        PhoneNumber(f"+316{last:08}"), window, queue, Language.EN, f"contact-{last}", customer_id="c", reason="order"
    )


async def claim(store: StoredCallbacks, owner: str = "a", now: datetime = NOW, limit: int = 10) -> list[Callback]:
    return list(await store.claim_due(queue="support", now=now, owner=owner, lease_until=now + MINUTE, limit=limit))


def attempt(callback: Callback, name: str = "t1", at: datetime = NOW) -> Attempt:
    return Attempt(AttemptId(name), callback.id, f"callback-{name}", at)


async def test_a_promise_comes_back_as_it_was_booked(store: StoredCallbacks) -> None:
    booked = await store.book(request(1), now=NOW, capacity=1)
    assert booked.state is CallbackState.BOOKED
    assert booked.not_before == FIRST.start
    assert await store.callback(booked.id) == booked
    assert await store.callbacks(only_open=True) == [booked]
    assert await store.callback(CallbackId("x")) is None


async def test_a_later_promise_replaces_the_open_one_of_its_number(store: StoredCallbacks) -> None:
    first = await store.book(request(1), now=NOW, capacity=1)
    second = await store.book(request(1, SECOND), now=NOW + MINUTE, capacity=1)
    assert await store.callbacks(only_open=True) == [second]
    replaced = await store.callback(first.id)
    assert replaced is not None
    assert (replaced.state, replaced.ended_at) == (CallbackState.CANCELLED, NOW + MINUTE)
    assert "replaced" in replaced.reason


async def test_a_full_window_is_refused_and_the_earlier_promise_stands(store: StoredCallbacks) -> None:
    mine = await store.book(request(1, SECOND), now=NOW, capacity=1)
    await store.book(request(2), now=NOW, capacity=1)
    with pytest.raises(WindowFull):
        await store.book(request(1), now=NOW, capacity=1)
    assert await store.callback(mine.id) == mine


async def test_changing_a_promise_within_its_full_window_is_possible(store: StoredCallbacks) -> None:
    await store.book(request(1), now=NOW, capacity=1)
    await store.book(request(1), now=NOW, capacity=1)
    assert await store.booked_in("support", [FIRST]) == [1]


async def test_windows_count_open_promises_that_overlap_them(store: StoredCallbacks) -> None:
    whole = Window(FIRST.start, SECOND.end)
    await store.book(request(1), now=NOW, capacity=9)
    await store.book(request(2, whole), now=NOW, capacity=9)
    await store.book(request(3, queue="sales"), now=NOW, capacity=9)
    gone = await store.book(request(4), now=NOW, capacity=9)
    await store.move(gone.id, CallbackState.CANCELLED, at=NOW)
    assert await store.booked_in("support", [FIRST, SECOND, whole]) == [2, 1, 2]
    assert await store.booked_in("support", []) == []


async def test_the_last_place_goes_to_one_of_those_who_ask_together(database_url: str, database: Database) -> None:
    other_node = Database(database_url, timeout=5.0)
    stores = [StoredCallbacks(database), StoredCallbacks(other_node)]
    asked = [stores[number % 2].book(request(number), now=NOW, capacity=3) for number in range(12)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert Counter(type(answer) for answer in answers) == {Callback: 3, WindowFull: 9}
    assert len(await stores[0].callbacks(only_open=True)) == 3
    await other_node.close()


async def test_one_promise_stands_when_a_number_books_many_at_once(store: StoredCallbacks) -> None:
    await asyncio.gather(*(store.book(request(1, window), now=NOW, capacity=99) for window in [FIRST, SECOND] * 6))
    assert len(await store.callbacks(only_open=True)) == 1
    assert len(await store.callbacks(only_open=False)) == 12


async def test_due_promises_are_claimed_the_oldest_window_first(store: StoredCallbacks) -> None:
    later = await store.book(request(1, SECOND), now=NOW, capacity=9)
    passed = await store.book(request(2, Window(NOW - HOUR, NOW)), now=NOW - HOUR, capacity=9)
    current = await store.book(request(3), now=NOW, capacity=9)
    await store.book(request(4, queue="sales"), now=NOW, capacity=9)
    assert [due.id for due in await claim(store)] == [passed.id, current.id]
    assert [due.id for due in await claim(store, now=NOW + HOUR, limit=3)] == [passed.id, current.id, later.id]


async def test_a_claimed_promise_is_free_again_when_its_lease_has_passed(store: StoredCallbacks) -> None:
    await store.book(request(1), now=NOW, capacity=9)
    assert len(await claim(store, "a")) == 1
    assert await claim(store, "b", NOW + MINUTE / 2) == []
    assert len(await claim(store, "b", NOW + MINUTE)) == 1


async def test_twenty_claimers_never_get_the_same_promise(database_url: str, database: Database) -> None:
    other_node = Database(database_url, timeout=20.0)
    stores = [StoredCallbacks(database), StoredCallbacks(other_node)]
    booked = [await stores[0].book(request(number), now=NOW, capacity=99) for number in range(30)]

    async def take(number: int) -> list[CallbackId]:
        taken: list[CallbackId] = []
        while due := await claim(stores[number % 2], f"owner {number}", limit=2):
            taken += [callback.id for callback in due]
        return taken

    taken = [one for ids in await asyncio.gather(*(take(number) for number in range(20))) for one in ids]
    assert sorted(taken) == sorted(callback.id for callback in booked)
    await other_node.close()


async def test_an_attempt_is_begun_by_the_holder_of_the_claim_only(store: StoredCallbacks) -> None:
    await store.book(request(1), now=NOW, capacity=9)
    [due] = await claim(store, "a")
    assert not await store.begin_attempt(due.id, attempt(due), owner="b")
    assert await store.begin_attempt(due.id, attempt(due), owner="a")
    assert not await store.begin_attempt(due.id, attempt(due, "t2"), owner="a")
    [unfinished] = await store.unfinished()
    assert unfinished.state is CallbackState.DIALLING
    assert unfinished.attempts == (attempt(due),)


async def test_a_claim_that_somebody_took_over_cannot_begin_or_move(store: StoredCallbacks) -> None:
    await store.book(request(1), now=NOW, capacity=9)
    [due] = await claim(store, "a")
    await claim(store, "b", NOW + MINUTE)
    assert not await store.begin_attempt(due.id, attempt(due), owner="a")
    assert not await store.move(due.id, CallbackState.MISSED, at=NOW, owner="a")
    assert await store.move(due.id, CallbackState.MISSED, at=NOW, owner="b")


async def test_a_lease_is_kept_by_its_owner_and_taken_when_it_has_passed(store: StoredCallbacks) -> None:
    await store.book(request(1), now=NOW, capacity=9)
    [due] = await claim(store, "a")

    async def hold(owner: str, now: datetime) -> CallbackState | None:
        return await store.hold(due.id, owner=owner, now=now, lease_until=now + MINUTE)

    assert await hold("a", NOW + MINUTE / 2) is CallbackState.BOOKED
    assert await hold("b", NOW + MINUTE) is None
    assert await hold("b", NOW + 2 * MINUTE) is CallbackState.BOOKED
    assert await hold("a", NOW + 2 * MINUTE) is None
    await store.move(due.id, CallbackState.CANCELLED, at=NOW)
    assert await hold("a", NOW + 2 * MINUTE) is CallbackState.CANCELLED


async def end(
    store: StoredCallbacks, callback: Callback, outcome: AttemptOutcome, state: CallbackState, name: str = "t1"
) -> bool:
    return await store.end_attempt(
        callback.id, AttemptId(name), outcome, at=NOW + MINUTE, state=state, reason=outcome.value, not_before=LATER
    )


async def test_how_an_attempt_ended_is_stored_once_and_together_with_what_follows(store: StoredCallbacks) -> None:
    await store.book(request(1), now=NOW, capacity=9)
    [due] = await claim(store)
    await store.begin_attempt(due.id, attempt(due), owner="a")
    assert await end(store, due, AttemptOutcome.BUSY, CallbackState.BOOKED)
    assert not await end(store, due, AttemptOutcome.CONNECTED, CallbackState.KEPT)
    [promise] = await store.callbacks(only_open=True)
    assert (promise.state, promise.reason, promise.not_before) == (CallbackState.BOOKED, "busy", LATER)
    assert [(one.outcome, one.ended_at) for one in promise.attempts] == [(AttemptOutcome.BUSY, NOW + MINUTE)]


async def test_an_attempt_of_a_cancelled_promise_ends_and_leaves_it_cancelled(store: StoredCallbacks) -> None:
    await store.book(request(1), now=NOW, capacity=9)
    [due] = await claim(store)
    await store.begin_attempt(due.id, attempt(due), owner="a")
    await store.move(due.id, CallbackState.CANCELLED, at=NOW, reason="by hand")
    assert [promise.id for promise in await store.unfinished()] == [due.id]
    assert await end(store, due, AttemptOutcome.NO_ANSWER, CallbackState.BOOKED)
    assert await store.unfinished() == []
    cancelled = await store.callback(due.id)
    assert cancelled is not None
    assert (cancelled.state, cancelled.reason) == (CallbackState.CANCELLED, "by hand")
    assert cancelled.attempts[0].outcome is AttemptOutcome.NO_ANSWER


async def test_a_number_that_is_being_called_is_not_claimed_for_its_next_promise(store: StoredCallbacks) -> None:
    await store.book(request(1), now=NOW, capacity=9)
    [due] = await claim(store)
    await store.begin_attempt(due.id, attempt(due), owner="a")
    later = await store.book(request(1), now=NOW, capacity=9)
    assert await claim(store) == []
    await end(store, due, AttemptOutcome.NO_ANSWER, CallbackState.BOOKED)
    assert [promise.id for promise in await claim(store)] == [later.id]


async def test_a_promise_has_one_attempt_at_a_time(store: StoredCallbacks, database: Database) -> None:
    await store.book(request(1), now=NOW, capacity=9)
    [due] = await claim(store)
    await store.begin_attempt(due.id, attempt(due), owner="a")
    async with database.writing() as connection:
        await connection.execute(update(callbacks).values(state=CallbackState.BOOKED.value))
    assert not await store.begin_attempt(due.id, attempt(due, "t2"), owner="a")


async def test_a_customer_who_waits_for_an_agent_is_shown_and_still_held(store: StoredCallbacks) -> None:
    await store.book(request(1), now=NOW, capacity=9)
    [due] = await claim(store)
    await store.begin_attempt(due.id, attempt(due), owner="a")
    assert await store.move(due.id, CallbackState.CONNECTING, at=NOW, owner="a")
    assert await store.hold(due.id, owner="b", now=NOW, lease_until=NOW + MINUTE) is None


async def test_a_promise_that_is_tried_again_waits_and_loses_its_lease(store: StoredCallbacks) -> None:
    booked = await store.book(request(1), now=NOW, capacity=9)
    [due] = await claim(store)
    await store.begin_attempt(due.id, attempt(due), owner="a")
    await end(store, due, AttemptOutcome.BUSY, CallbackState.BOOKED)
    assert await claim(store, "b", LATER - MINUTE / 2) == []
    [claimed] = await claim(store, "b", LATER)
    assert (claimed.id, claimed.reason) == (booked.id, "busy")


async def test_a_promise_ends_once(store: StoredCallbacks) -> None:
    booked = await store.book(request(1), now=NOW, capacity=9)
    assert await store.move(booked.id, CallbackState.CANCELLED, at=NOW, reason="cancelled by a supervisor")
    assert not await store.move(booked.id, CallbackState.KEPT, at=NOW + HOUR)
    ended = await store.callback(booked.id)
    assert ended is not None
    assert (ended.state, ended.ended_at) == (CallbackState.CANCELLED, NOW)
    assert await store.callbacks(only_open=True) == []


@pytest.mark.parametrize("steps", range(5))
async def test_a_crash_after_any_step_neither_loses_nor_doubles_a_promise(
    store: StoredCallbacks, database_url: str, steps: int
) -> None:
    """The first node stops after some steps; a second one goes on from what is stored."""
    booked = await store.book(request(1), now=NOW, capacity=9)
    first = Attempt(AttemptId("t1"), booked.id, "callback-t1", NOW)
    sequence: Sequence[Callable[[], Awaitable[object]]] = (
        lambda: claim(store, "a"),
        lambda: store.begin_attempt(booked.id, first, owner="a"),
        lambda: store.move(booked.id, CallbackState.CONNECTING, at=NOW, owner="a"),
        lambda: end(store, booked, AttemptOutcome.CONNECTED, CallbackState.KEPT),
    )
    for step in sequence[:steps]:
        await step()

    reopened = Database(database_url, timeout=5.0)
    survivor = StoredCallbacks(reopened)
    later = NOW + 2 * MINUTE
    dialled = 1 if steps >= 2 else 0
    for due in await claim(survivor, "b", later):
        dialled += await survivor.begin_attempt(due.id, attempt(due, "t2", later), owner="b")
    for promise in await survivor.unfinished():
        assert await survivor.hold(promise.id, owner="b", now=later, lease_until=later + MINUTE)
        assert await end(survivor, promise, AttemptOutcome.CONNECTED, CallbackState.KEPT, promise.attempts[-1].id)
    kept = await survivor.callback(booked.id)
    assert kept is not None
    assert kept.state is CallbackState.KEPT
    assert [one.outcome for one in kept.attempts] == [AttemptOutcome.CONNECTED]
    assert dialled == 1
    await reopened.close()
