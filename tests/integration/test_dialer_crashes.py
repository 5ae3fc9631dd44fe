"""The dialer broken off at every single thing it asks of database or Asterisk: no promise is lost, none kept twice."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ivr.domain.callback import AttemptOutcome, Callback, CallbackState
from ivr.simulation.manual_clock import ManualClock
from ivr.store.callbacks import StoredCallbacks
from ivr.store.database import Database
from tests.integration.dialer_nodes import POLL, Break, Customers, Node, Operations, book, number, pass_time

ENOUGH, AFTERWARDS = 16, 3
"""Looks of the dialer in which leases lapse, retries come due and calls end; and those after a promise was kept."""


@dataclass(frozen=True, slots=True)
class Story:
    """A promise as it ended, and what its customer met."""

    promise: Callback
    customers: Customers


@pytest.fixture
def store(database: Database) -> StoredCallbacks:
    return StoredCallbacks(database)


async def play(store: StoredCallbacks, last: int, operations: Operations, successor: str = "a") -> Story:
    """A promise from booking to its end, by a node that is broken off and, if it died, its successor.

    The customer's line is busy at first.
    """
    clock = ManualClock()
    customers = Customers(clock)
    customers.answers[number(last)] = ["busy", "connected"]
    promise = await book(store, clock, last)
    node = Node(store, customers, operations=operations)
    nodes, left = [node], ENOUGH
    while left:
        await pass_time(clock, nodes, POLL)
        left -= 1
        if operations.is_dead and len(nodes) == 1:
            await node.stop()
            nodes.append(Node(store, customers, owner=successor))
        elif await state_of(store, promise) is CallbackState.KEPT:
            left = min(left, AFTERWARDS)
    for each in nodes:
        await each.stop()
    found = await store.callback(promise.id)
    assert found is not None
    return Story(found, customers)


async def state_of(store: StoredCallbacks, promise: Callback) -> CallbackState | None:
    found = await store.callback(promise.id)
    return found.state if found else None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("how", "successor"),
    [(Break.DIES, "a"), (Break.DIES, "b"), (Break.FAILS, "a")],
    ids=["restarted", "taken-over", "answer-lost"],
)
async def test_a_promise_is_kept_once_wherever_the_dialer_is_broken_off(
    store: StoredCallbacks, how: Break, successor: str, after: bool
) -> None:
    whole = Operations()
    await play(store, 0, whole)
    steps = len(whole.asked) - whole.asked[::-1].index("forget_mark") + 1
    for k in range(1, steps + 1):
        story = await play(store, k, Operations(how, k, after), successor)
        outcomes = [attempt.outcome for attempt in story.promise.attempts]
        told = f"operation {k}, {whole.asked[k - 1]}: {[outcome.value for outcome in outcomes]}"
        assert story.promise.state is CallbackState.KEPT, told
        assert story.customers.dialled == [number(k)] * 2, told
        assert story.customers.connected == [number(k)], told
        assert outcomes.count(AttemptOutcome.CONNECTED) == 1, told
        assert AttemptOutcome.PENDING not in outcomes, told
    assert await store.unfinished() == []
