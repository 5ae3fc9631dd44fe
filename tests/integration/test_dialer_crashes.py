"""The dialer broken off at every single thing it asks of database or Asterisk: no promise is lost, none kept twice."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ivr.domain.callback import AttemptOutcome, Callback, CallbackState
from ivr.simulation.manual_clock import ManualClock
from ivr.store.callbacks import StoredCallbacks
from ivr.store.database import Database
from tests.integration.dialer_nodes import (
    POLL,
    Break,
    Customers,
    Node,
    Operations,
    book,
    number,
    pass_time,
    promise_news,
)

ENOUGH, AFTERWARDS = 16, 3
"""Looks of the dialer in which leases lapse, retries come due and calls end; and those after a promise was kept."""


@dataclass(frozen=True, slots=True)
class Story:
    """A promise as it ended, and what its customer met."""

    promise: Callback
    customers: Customers


async def play(
    database: Database, last: int, operations: Operations, successor: str = "a", *, kept: str = "connected"
) -> Story:
    """A promise from booking to its end, by a node that is broken off and, if it died, its successor.

    The customer's line is busy at first. `kept`: connected with an agent, or told that an outage is over.
    """
    clock, store = ManualClock(), StoredCallbacks(database)
    customers = Customers(clock)
    customers.answers[number(last)] = ["busy", kept]
    if kept == "told":
        (promise,) = await promise_news(database, clock, last)
    else:
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
@pytest.mark.parametrize("kept", ["connected", "told"])
async def test_a_promise_is_kept_once_wherever_the_dialer_is_broken_off(
    database: Database, kept: str, how: Break, successor: str, after: bool
) -> None:
    whole = Operations()
    await play(database, 0, whole, kept=kept)
    steps = len(whole.asked) - whole.asked[::-1].index("forget_mark") + 1
    for k in range(1, steps + 1):
        story = await play(database, k, Operations(how, k, after), successor, kept=kept)
        outcomes = [attempt.outcome for attempt in story.promise.attempts]
        told = f"operation {k}, {whole.asked[k - 1]}: {[outcome.value for outcome in outcomes]}"
        assert story.promise.state is CallbackState.KEPT, told
        assert story.customers.dialled == [number(k)] * 2, told
        reached = story.customers.connected if kept == "connected" else story.customers.told
        assert reached == [number(k)], told
        assert outcomes.count(AttemptOutcome(kept)) == 1, told
        assert AttemptOutcome.PENDING not in outcomes, told
    assert await StoredCallbacks(database).unfinished() == []
