"""Whom the dialer calls and whom not: with other nodes, other promises, other queues, closed hours, late evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ivr.config.model import Asterisk, Callbacks
from ivr.dialer.attempt import AttemptRunner
from ivr.domain.callback import Attempt, AttemptId, AttemptOutcome, Callback, CallbackState
from ivr.domain.opening_hours import OpeningHours
from ivr.simulation.manual_clock import ManualClock
from ivr.store.callbacks import StoredCallbacks
from ivr.store.database import Database
from tests.integration.dialer_nodes import (
    ALWAYS,
    POLL,
    SUPPORT,
    Break,
    Customers,
    Node,
    Operations,
    book,
    number,
    pass_time,
    promise_news,
)

LONG = 12 * POLL


@pytest.fixture
def store(database: Database) -> StoredCallbacks:
    return StoredCallbacks(database)


@pytest.fixture
def customers() -> Customers:
    return Customers(ManualClock())


async def after(store: StoredCallbacks, promise: Callback) -> Callback:
    found = await store.callback(promise.id)
    assert found is not None
    return found


async def work(
    store: StoredCallbacks,
    customers: Customers,
    seconds: float = LONG,
    *,
    hours: OpeningHours = ALWAYS,
    queues: Mapping[str, Sequence[str]] = SUPPORT,
) -> None:
    """A node at work for a while."""
    worker = Node(store, customers, hours=hours, queues=queues)
    await pass_time(customers.clock, [worker], seconds)
    await worker.stop()


async def test_two_nodes_call_each_customer_once(database_url: str, store: StoredCallbacks) -> None:
    customers = Customers(ManualClock(), agents=8)
    promises = [await book(store, customers.clock, last) for last in range(16)]
    other = Database(database_url, timeout=5.0)
    nodes = [Node(store, customers, owner="a"), Node(StoredCallbacks(other), customers, owner="b")]
    await pass_time(customers.clock, nodes, LONG)
    for node in nodes:
        await node.stop()
    await other.close()
    assert sorted(customers.dialled) == [number(last) for last in range(16)]
    assert {(await after(store, promise)).state for promise in promises} == {CallbackState.KEPT}


async def test_nobody_is_called_without_a_free_agent(store: StoredCallbacks) -> None:
    customers = Customers(ManualClock(), agents=0)
    promise = await book(store, customers.clock)
    await work(store, customers)
    assert customers.dialled == []
    assert (await after(store, promise)).state is CallbackState.BOOKED


async def test_queues_that_share_agents_do_not_call_more_customers_than_there_are(
    store: StoredCallbacks, customers: Customers
) -> None:
    for last, queue in enumerate(("support", "sales", "advice")):
        customers.answers[number(last)] = ["rings"]
        await book(store, customers.clock, last, queue)
    queues = {"support": ("own", "partner"), "sales": ("partner",), "advice": ("elsewhere",)}
    await work(store, customers, queues=queues)
    assert sorted(customers.dialled) == [number(0), number(2)]


async def test_news_is_told_without_an_agent_a_few_at_a_time(database: Database) -> None:
    customers = Customers(ManualClock(), agents=0)
    store = StoredCallbacks(database)
    promises = await promise_news(database, customers.clock, *range(1, 8))
    for promise in promises:
        customers.answers[promise.request.number] = ["told"]
    worker = Node(store, customers, queues=SUPPORT, news_at_once=3)
    await pass_time(customers.clock, [worker], POLL)
    assert len(customers.dialled) == 3
    await pass_time(customers.clock, [worker], LONG)
    await worker.stop()
    assert sorted(customers.told) == [number(last) for last in range(1, 8)]
    assert {(await after(store, promise)).state for promise in promises} == {CallbackState.KEPT}


async def test_news_waits_for_the_usual_hours_and_is_told_again_to_who_did_not_hear_it_all(database: Database) -> None:
    clock, store = ManualClock(datetime(2026, 11, 23, 20, 0, tzinfo=UTC)), StoredCallbacks(database)
    customers = Customers(clock)
    (promise,) = await promise_news(database, clock, 1)
    office = OpeningHours(ZoneInfo("UTC"), (((time(8), time(18)),),) * 7)
    await work(store, customers, hours=office)
    assert customers.dialled == []
    await clock.advance(12 * 3600)
    customers.answers[number(1)] = ["connected"]  # an engine that died left them to an agent
    await work(store, customers, hours=office)
    told = await after(store, promise)
    assert (told.state, [attempt.outcome for attempt in told.attempts]) == (
        CallbackState.KEPT, [AttemptOutcome.CONNECTED],
    )  # fmt: skip


async def test_a_promise_whose_window_passed_is_kept_late_in_opening_hours(store: StoredCallbacks) -> None:
    office = OpeningHours(ZoneInfo("Europe/Amsterdam"), (((time(9), time(17)),),) * 7)
    clock = ManualClock(datetime(2026, 11, 23, 15, 30, tzinfo=UTC))  # half past four: half an hour to go
    customers = Customers(clock)
    promise = await book(store, clock)
    clock.start += timedelta(hours=3)
    await work(store, customers, hours=office)
    assert customers.dialled == []
    clock.start += timedelta(hours=14)
    await work(store, customers, hours=office)
    assert customers.dialled == [number(1)]
    assert (await after(store, promise)).state is CallbackState.KEPT


async def test_a_telephone_stops_ringing_when_its_promise_is_cancelled(
    store: StoredCallbacks, customers: Customers
) -> None:
    customers.answers[number(1)] = ["rings"]
    promise = await book(store, customers.clock)
    node = Node(store, customers)
    await pass_time(customers.clock, [node], POLL)
    assert customers.switchboard.ringing
    await store.move(promise.id, CallbackState.CANCELLED, at=customers.clock.now(), reason="by hand")
    await pass_time(customers.clock, [node], 2 * POLL)
    await node.stop()
    assert not customers.switchboard.ringing
    cancelled = await after(store, promise)
    assert (cancelled.state, cancelled.reason) == (CallbackState.CANCELLED, "by hand")
    assert [attempt.outcome for attempt in cancelled.attempts] == [AttemptOutcome.NO_ANSWER]


async def test_a_conversation_goes_on_when_its_promise_is_cancelled(
    store: StoredCallbacks, customers: Customers
) -> None:
    promise = await book(store, customers.clock)
    node = Node(store, customers)
    await pass_time(customers.clock, [node], POLL / 2)
    await store.move(promise.id, CallbackState.CANCELLED, at=customers.clock.now(), reason="by hand")
    await pass_time(customers.clock, [node], 2 * POLL)
    assert customers.switchboard.channels
    await node.stop()
    ended = await after(store, promise)
    assert (ended.state, ended.attempts[0].outcome) == (CallbackState.CANCELLED, AttemptOutcome.CONNECTED)


async def test_a_new_promise_waits_until_the_call_for_the_one_it_replaced_is_over(store: StoredCallbacks) -> None:
    customers = Customers(ManualClock(), agents=9)
    customers.answers[number(1)] = ["rings", "connected"]
    first = await book(store, customers.clock)
    node = Node(store, customers)
    await pass_time(customers.clock, [node], POLL)
    second = await book(store, customers.clock)
    claimed = await store.claim_due(
        queue="support", now=customers.clock.now(), owner="b", lease_until=customers.clock.now(), limit=9
    )
    assert claimed == []
    await pass_time(customers.clock, [node], LONG)
    await node.stop()
    assert customers.dialled == [number(1)] * 2
    assert [(await after(store, each)).state for each in (first, second)] == [
        CallbackState.CANCELLED,
        CallbackState.KEPT,
    ]


async def tried_once(store: StoredCallbacks, customers: Customers) -> tuple[Callback, Attempt]:
    """A promise whose one attempt was settled as unanswered."""
    customers.answers[number(1)] = ["no_answer", "connected"]
    promise = await book(store, customers.clock)
    await work(store, customers, POLL)
    tried = await after(store, promise)
    assert tried.attempts[0].outcome is AttemptOutcome.NO_ANSWER
    return tried, tried.attempts[0]


async def test_a_customer_whom_an_earlier_attempt_reached_after_all_is_not_called(
    store: StoredCallbacks, customers: Customers
) -> None:
    """Asterisk or the node that dialled stood still, and then went on."""
    promise, attempt = await tried_once(store, customers)
    customers.switchboard.marks[attempt.id] = "connected"
    await work(store, customers)
    assert customers.dialled == [number(1)]
    assert (await after(store, promise)).state is CallbackState.KEPT
    assert customers.switchboard.marks == {}


async def test_a_customer_is_not_called_while_an_earlier_attempt_is_still_up(
    store: StoredCallbacks, customers: Customers
) -> None:
    promise, attempt = await tried_once(store, customers)
    customers.switchboard.channels.add(attempt.channel_id)
    await work(store, customers)
    assert customers.dialled == [number(1)]
    customers.switchboard.channels.clear()
    await work(store, customers)
    assert customers.dialled == [number(1)] * 2
    assert (await after(store, promise)).state is CallbackState.KEPT


async def test_a_call_that_asterisk_does_not_take_is_not_counted(store: StoredCallbacks, customers: Customers) -> None:
    promise = await book(store, customers.clock)
    operations = Operations(Break.FAILS, at=6)
    node = Node(store, customers, operations=operations)
    await pass_time(customers.clock, [node], POLL)
    await node.stop()
    assert operations.asked[5] == "dial"
    tried = await after(store, promise)
    assert [attempt.outcome for attempt in tried.attempts] == [AttemptOutcome.CONGESTION]
    assert customers.dialled == []


async def test_a_node_that_stood_still_longer_than_its_lease_does_not_dial(
    store: StoredCallbacks, customers: Customers
) -> None:
    promise = await book(store, customers.clock)
    now, lease = customers.clock.now(), timedelta(seconds=10)
    [claimed] = await store.claim_due(queue="support", now=now, owner="a", lease_until=now + lease, limit=1)
    customers.clock.start += lease
    config = Callbacks(lease=10.0)
    runner = AttemptRunner(config, Asterisk(), store, customers.switchboard, customers.clock, "a")
    await runner.dial(claimed, Attempt(AttemptId("late"), claimed.id, "callback-late", started_at=now))
    assert customers.dialled == []
    ended = await after(store, promise)
    assert (ended.state, ended.attempts[0].outcome) == (CallbackState.BOOKED, AttemptOutcome.CONGESTION)


async def test_attempts_under_way_are_followed_on_by_the_next_start(
    store: StoredCallbacks, customers: Customers
) -> None:
    promise = await book(store, customers.clock)
    await work(store, customers, POLL / 2)
    stopped = await after(store, promise)
    # Whether the node saw the customer's mark before it stopped is a race that Asterisk may win or lose.
    assert stopped.state in (CallbackState.DIALLING, CallbackState.CONNECTING)
    assert [attempt.outcome for attempt in stopped.attempts] == [AttemptOutcome.PENDING]
    await work(store, customers, 2 * POLL)
    assert (await after(store, promise)).state is CallbackState.KEPT
    assert customers.dialled == [number(1)]
