from __future__ import annotations

import asyncio

from ivr.asterisk.ami_subscription import GAP, Subscription
from ivr.asterisk.ami_wire import AmiMessage


def numbered(number: int) -> AmiMessage:
    return AmiMessage([("Event", "Hangup"), ("N", str(number))])


async def drain(subscription: Subscription) -> list[AmiMessage]:
    subscription.close()
    return [event async for event in subscription]


async def test_events_come_in_their_order() -> None:
    subscription = Subscription(frozenset({"Hangup"}))
    for number in range(3):
        subscription.put(numbered(number))
    assert [event["N"] for event in await drain(subscription)] == ["0", "1", "2"]
    assert subscription.dropped == 0


async def test_without_room_the_oldest_go_are_counted_and_a_gap_is_told_first() -> None:
    subscription = Subscription(frozenset({"Hangup"}), room=2)
    for number in range(5):
        subscription.put(numbered(number))
    events = await drain(subscription)
    assert events[0] is GAP
    assert [event["N"] for event in events[1:]] == ["3", "4"]
    assert subscription.dropped == 3


async def test_several_gaps_before_a_reading_are_one() -> None:
    subscription = Subscription(frozenset())
    subscription.mark_gap()
    subscription.mark_gap()
    assert await drain(subscription) == [GAP]


async def test_a_waiting_reader_wakes_for_an_event_and_for_the_end() -> None:
    subscription = Subscription(frozenset({"Hangup"}))
    reading = asyncio.create_task(anext(subscription))
    await asyncio.sleep(0)
    subscription.put(numbered(7))
    assert (await reading)["N"] == "7"
    ending = asyncio.create_task(drain_open(subscription))
    await asyncio.sleep(0)
    subscription.close()
    assert await ending == []


async def drain_open(subscription: Subscription) -> list[AmiMessage]:
    return [event async for event in subscription]
