"""A breaker opens after failures in a row, and lets one probe find out whether the system is back."""

from __future__ import annotations

from ivr.connectors.breaker import Breaker, BreakerState
from ivr.simulation.manual_clock import ManualClock


def opened(clock: ManualClock) -> Breaker:
    breaker = Breaker(failures_to_open=2, open_for=10, clock=clock)
    breaker.failed()
    breaker.failed()
    return breaker


def test_it_opens_after_the_last_failure_in_a_row() -> None:
    breaker = Breaker(failures_to_open=2, open_for=10, clock=ManualClock())
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.admits()
    breaker.failed()
    assert breaker.state is BreakerState.OPEN
    assert not breaker.admits()


async def test_after_its_rest_it_admits_one_probe() -> None:
    clock = ManualClock()
    breaker = opened(clock)
    await clock.advance(9.9)
    assert not breaker.admits()
    assert round(breaker.left_alone_for, 3) == 0.1
    await clock.advance(0.1)
    assert breaker.state is BreakerState.HALF_OPEN
    assert [breaker.admits() for _ in range(3)] == [True, False, False]


async def test_a_probe_that_succeeds_closes_it() -> None:
    clock = ManualClock()
    breaker = opened(clock)
    await clock.advance(10)
    assert breaker.admits()
    breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.failures == 0


async def test_a_probe_that_fails_opens_it_for_as_long_again() -> None:
    clock = ManualClock()
    breaker = opened(clock)
    await clock.advance(10)
    assert breaker.admits()
    breaker.failed()
    assert breaker.state is BreakerState.OPEN
    await clock.advance(9.9)
    assert not breaker.admits()
    await clock.advance(0.1)
    assert breaker.admits()


async def test_failures_of_requests_from_before_do_not_keep_it_open_longer() -> None:
    clock = ManualClock()
    breaker = opened(clock)
    await clock.advance(9)
    breaker.failed()
    await clock.advance(1)
    assert breaker.admits()


async def test_a_probe_that_never_asked_leaves_room_for_another() -> None:
    clock = ManualClock()
    breaker = opened(clock)
    await clock.advance(10)
    assert breaker.admits()
    breaker.gave_up()
    assert breaker.admits()
