"""Whatever a connected system does, a look-up ends in time, with an answer or one of our errors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from ivr.config.model import Guard as Limits
from ivr.connectors.breaker import BreakerState
from ivr.connectors.connector import FindsCallers
from ivr.connectors.guard import Count
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable
from ivr.simulation.manual_clock import ManualClock
from ivr.simulation.scripted_connector import ScriptedConnector

NUMBER = PhoneNumber("+31300000101")
OTHER = PhoneNumber("+31300000102")
ANNA = Customer(CustomerId("1"), "Anna", (NUMBER,))
LIMITS = Limits(timeout=2.0, concurrency=3, failures_to_open=5, open_for=10.0, cache_for=60.0, cache_unknown_for=10.0)


def numbers(count: int) -> list[PhoneNumber]:
    return [PhoneNumber(f"+3130{number:07}") for number in range(count)]


def guard(connector: FindsCallers, clock: ManualClock, limits: Limits = LIMITS) -> ConnectedSystem:
    return ConnectedSystem("crm", connector, limits, clock)


async def fails(look_up: asyncio.Task[Sequence[Customer]]) -> type[BaseException]:
    (result,) = await asyncio.gather(look_up, return_exceptions=True)
    assert isinstance(result, BaseException)
    return type(result)


async def test_it_opens_the_connector_once_and_finds() -> None:
    connector = ScriptedConnector(customers=[ANNA])
    guarded = guard(connector, ManualClock())
    assert connector.opened == 0
    assert list(await guarded.find_caller(NUMBER)) == [ANNA]
    assert list(await guarded.find_caller(OTHER)) == []
    assert connector.opened == 1


async def test_an_answer_is_remembered_until_it_is_too_old() -> None:
    clock = ManualClock()
    connector = ScriptedConnector(customers=[ANNA])
    guarded = guard(connector, clock)
    for _ in range(3):
        await guarded.find_caller(NUMBER)
        await guarded.find_caller(OTHER)
    assert connector.asked == [NUMBER, OTHER]
    await clock.advance(10)
    await guarded.find_caller(NUMBER)
    await guarded.find_caller(OTHER)
    assert connector.asked == [NUMBER, OTHER, OTHER]
    assert guarded.status.counts[Count.CACHED] == 5


async def test_simultaneous_look_ups_of_one_number_are_one_request() -> None:
    connector = ScriptedConnector(customers=[ANNA], hangs=True)
    guarded = guard(connector, ManualClock())
    look_ups = [asyncio.create_task(guarded.find_caller(NUMBER)) for _ in range(10)]
    await ManualClock().settle()
    connector.let_go()
    assert [list(answer) for answer in await asyncio.gather(*look_ups)] == [[ANNA]] * 10
    assert connector.asked == [NUMBER]
    assert guarded.status.counts[Count.JOINED] == 9


async def test_who_stops_waiting_leaves_the_request_for_the_others() -> None:
    connector = ScriptedConnector(customers=[ANNA], hangs=True)
    guarded = guard(connector, ManualClock())
    first, second = (asyncio.create_task(guarded.find_caller(NUMBER)) for _ in range(2))
    await ManualClock().settle()
    first.cancel()
    await ManualClock().settle()
    connector.let_go()
    assert list(await second) == [ANNA]
    assert list(await guarded.find_caller(NUMBER)) == [ANNA]
    assert connector.asked == [NUMBER]


async def test_a_system_that_hangs_ends_in_a_time_out() -> None:
    clock = ManualClock()
    connector = ScriptedConnector(hangs=True)
    guarded = guard(connector, clock)
    look_up = asyncio.create_task(guarded.find_caller(NUMBER))
    await clock.advance(1.99)
    assert not look_up.done()
    await clock.advance(0.01)
    assert await fails(look_up) is ConnectorTimeout
    assert connector.under_way == 0
    assert guarded.status.counts[Count.TIMED_OUT] == 1
    assert clock.sleepers == 0


async def test_failures_are_not_remembered_as_answers() -> None:
    connector = ScriptedConnector(customers=[ANNA], raises=ConnectorUnavailable("away"))
    guarded = guard(connector, ManualClock())
    with pytest.raises(ConnectorUnavailable):
        await guarded.find_caller(NUMBER)
    connector.raises = None
    assert list(await guarded.find_caller(NUMBER)) == [ANNA]
    assert guarded.status.last_error == ""


async def test_a_connector_that_does_not_open_is_called_on_once_for_all_who_wait() -> None:
    connector = ScriptedConnector(refuses_to_open=ConnectorUnavailable("away"))
    guarded = guard(connector, ManualClock())
    look_ups = [asyncio.create_task(guarded.find_caller(number)) for number in numbers(3)]
    assert [await fails(look_up) for look_up in look_ups] == [ConnectorUnavailable] * 3
    assert connector.opened == 1


async def test_a_connector_that_could_not_open_is_opened_by_the_next_look_up() -> None:
    connector = ScriptedConnector(customers=[ANNA], refuses_to_open=ConnectorUnavailable("away"))
    guarded = guard(connector, ManualClock())
    with pytest.raises(ConnectorUnavailable):
        await guarded.open()
    with pytest.raises(ConnectorUnavailable):
        await guarded.find_caller(NUMBER)
    connector.refuses_to_open = None
    assert list(await guarded.find_caller(NUMBER)) == [ANNA]
    assert connector.opened == 3


@pytest.mark.parametrize(
    ("raised", "kind", "counted"),
    [
        (ConnectorRefused("no"), ConnectorRefused, Count.REFUSED),
        (ConnectorTimeout("slow"), ConnectorTimeout, Count.TIMED_OUT),
        (TimeoutError(), ConnectorTimeout, Count.TIMED_OUT),
        (ConnectionRefusedError(), ConnectorUnavailable, Count.UNAVAILABLE),
        (EOFError(), ConnectorUnavailable, Count.UNAVAILABLE),
        (asyncio.CancelledError(), ConnectorUnavailable, Count.UNAVAILABLE),
        (KeyError("Anna de Vries"), ConnectorError, Count.FAILED),
    ],
)
async def test_every_failure_becomes_one_of_ours(raised: Exception, kind: type[ConnectorError], counted: Count) -> None:
    guarded = guard(ScriptedConnector(raises=raised), ManualClock())
    with pytest.raises(ConnectorError) as caught:
        await guarded.find_caller(NUMBER)
    assert type(caught.value) is kind
    assert guarded.status.counts[counted] == 1


async def test_the_text_of_an_unforeseen_exception_is_not_passed_on() -> None:
    guarded = guard(ScriptedConnector(raises=KeyError("Anna de Vries")), ManualClock())
    with pytest.raises(ConnectorError) as caught:
        await guarded.find_caller(NUMBER)
    assert "Anna" not in str(caught.value)
    assert "Anna" not in guarded.status.last_error


class AnswersWithAnybody(ScriptedConnector):
    """A system whose search ignores what it does not know, and returns everybody."""

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        return self.customers


async def test_customers_with_another_number_are_dropped() -> None:
    bram = Customer(CustomerId("2"), "Bram", (OTHER,))
    guarded = guard(AnswersWithAnybody(customers=[ANNA, bram]), ManualClock())
    assert list(await guarded.find_caller(OTHER)) == [bram]
    assert list(await guarded.find_caller(PhoneNumber("+31300000199"))) == []


async def test_a_slow_system_holds_no_more_requests_than_its_places() -> None:
    clock = ManualClock()
    connector = ScriptedConnector(hangs=True)
    guarded = guard(connector, clock)
    look_ups = [asyncio.create_task(guarded.find_caller(number)) for number in numbers(8)]
    await clock.settle()
    assert connector.under_way == 3
    connector.let_go()
    assert len(await asyncio.gather(*look_ups)) == 8
    assert connector.most_under_way == 3
    assert guarded.status.under_way == 0


async def test_who_finds_no_place_within_the_time_out_is_told_so_and_opens_no_breaker() -> None:
    clock = ManualClock()
    connector = ScriptedConnector(hangs=True, stubborn=True)
    guarded = guard(connector, clock)
    stuck = [asyncio.create_task(guarded.find_caller(number)) for number in numbers(3)]
    await clock.advance(2)
    assert [await fails(look_up) for look_up in stuck] == [ConnectorTimeout] * 3
    crowded = [asyncio.create_task(guarded.find_caller(number)) for number in numbers(20)]
    await clock.advance(2)
    assert {await fails(look_up) for look_up in crowded} == {ConnectorTimeout}
    assert guarded.status.counts[Count.CROWDED] == 20
    assert guarded.status.breaker is BreakerState.CLOSED
    assert connector.under_way == guarded.status.under_way == 3
    connector.let_go()
    await clock.settle()
    assert list(await guarded.find_caller(OTHER)) == []


async def test_after_enough_failures_it_is_left_alone_and_then_probed_by_one() -> None:
    clock = ManualClock()
    connector = ScriptedConnector(customers=[ANNA], raises=ConnectionRefusedError())
    guarded = guard(connector, clock)
    for number in numbers(20):
        with pytest.raises(ConnectorUnavailable):
            await guarded.find_caller(number)
    assert len(connector.asked) == 5
    assert guarded.status.counts[Count.LEFT_ALONE] == 15
    await clock.advance(10)
    connector.raises, connector.hangs = None, True
    probe = asyncio.create_task(guarded.find_caller(NUMBER))
    await clock.settle()
    with pytest.raises(ConnectorUnavailable):
        await guarded.find_caller(OTHER)
    assert len(connector.asked) == 6
    connector.let_go()
    assert list(await probe) == [ANNA]
    assert guarded.status.breaker is BreakerState.CLOSED
    assert list(await guarded.find_caller(OTHER)) == []


async def test_those_waiting_for_a_place_do_not_ask_once_it_is_left_alone() -> None:
    clock = ManualClock()
    connector = ScriptedConnector(hangs=True)
    guarded = guard(connector, clock, LIMITS.model_copy(update={"failures_to_open": 1}))
    first = [asyncio.create_task(guarded.find_caller(number)) for number in numbers(3)]
    await clock.advance(1)
    waiting = [asyncio.create_task(guarded.find_caller(number)) for number in numbers(9)[3:]]
    await clock.advance(1)
    assert {await fails(look_up) for look_up in first} == {ConnectorTimeout}
    assert {await fails(look_up) for look_up in waiting} == {ConnectorUnavailable}
    assert len(connector.asked) == 3


async def test_check_asks_past_cache_and_breaker() -> None:
    clock = ManualClock()
    connector = ScriptedConnector(raises=ConnectionRefusedError())
    guarded = guard(connector, clock)
    for number in numbers(5):
        with pytest.raises(ConnectorUnavailable):
            await guarded.find_caller(number)
    with pytest.raises(ConnectorUnavailable):
        await guarded.check()
    connector.raises, connector.hangs = None, True
    hanging = asyncio.create_task(guarded.check())
    await clock.advance(2)
    with pytest.raises(ConnectorTimeout):
        await hanging
    connector.let_go()
    await guarded.check()


async def test_closing_ends_every_look_up() -> None:
    clock = ManualClock()
    connector = ScriptedConnector(hangs=True)
    guarded = guard(connector, clock)
    look_ups = [asyncio.create_task(guarded.find_caller(number)) for number in numbers(5)]
    await clock.settle()
    await guarded.close()
    assert {await fails(look_up) for look_up in look_ups} == {ConnectorUnavailable}
    assert connector.closed == 1
    assert connector.under_way == 0
    assert clock.sleepers == 0


async def test_closing_does_not_wait_for_ever_for_a_stubborn_request() -> None:
    clock = ManualClock()
    connector = ScriptedConnector(hangs=True, stubborn=True)
    guarded = guard(connector, clock)
    look_up = asyncio.create_task(guarded.find_caller(NUMBER))
    await clock.settle()
    closing = asyncio.create_task(guarded.close())
    await clock.advance(2)
    assert closing.done()
    assert await fails(look_up) is ConnectorUnavailable
    connector.let_go()
    await clock.settle()


async def test_it_counts_what_it_did() -> None:
    clock = ManualClock()
    connector = ScriptedConnector(customers=[ANNA], hangs=True)
    guarded = guard(connector, clock)
    look_up = asyncio.create_task(guarded.find_caller(NUMBER))
    await clock.advance(0.25)
    connector.let_go()
    await look_up
    await guarded.find_caller(OTHER)
    status = guarded.status
    assert (status.name, status.answers, status.asked_seconds, status.cached_answers) == ("crm", 2, 0.25, 2)
    assert {count: status.counts[count] for count in (Count.FOUND, Count.NOT_FOUND)} == {"found": 1, "not_found": 1}
