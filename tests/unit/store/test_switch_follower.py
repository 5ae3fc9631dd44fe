"""Following switches, with a watch in memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from ivr.errors import StoreUnavailable
from ivr.simulation.manual_clock import ManualClock
from ivr.store.switch_follower import SwitchFollower


@dataclass
class MemorySwitches:
    """A watch whose number is set by hand, and a follower's refresh that counts; both can be away."""

    number: int = 0
    is_away: bool = False
    refusals: int = 0
    refreshed: int = 0

    async def revision(self) -> int:
        if self.is_away:
            raise StoreUnavailable
        return self.number

    async def refresh(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable
        self.refreshed += 1


@pytest.fixture
def switches() -> MemorySwitches:
    return MemorySwitches()


@pytest.fixture
def follower(switches: MemorySwitches) -> SwitchFollower:
    return SwitchFollower(switches, [switches.refresh], ManualClock(), interval=0.3)


async def test_it_refreshes_at_the_start_and_then_only_after_a_change(
    follower: SwitchFollower, switches: MemorySwitches
) -> None:
    for number in (0, 0, 1, 1, 5):
        switches.number = number
        await follower.step()
    assert switches.refreshed == 3


async def test_a_refresh_that_failed_is_done_again(follower: SwitchFollower, switches: MemorySwitches) -> None:
    switches.refusals = 2
    for _ in range(4):
        await follower.step()
    assert switches.refreshed == 1


async def test_a_change_while_the_database_was_away_is_followed_afterwards(
    follower: SwitchFollower, switches: MemorySwitches
) -> None:
    await follower.step()
    switches.is_away, switches.number = True, 1
    await follower.step()
    switches.is_away = False
    await follower.step()
    assert switches.refreshed == 2


async def test_it_looks_once_each_interval(switches: MemorySwitches) -> None:
    clock = ManualClock()
    running = asyncio.create_task(SwitchFollower(switches, [switches.refresh], clock, interval=0.3).run())
    await clock.settle()
    switches.number = 1
    await clock.advance(0.29)
    assert switches.refreshed == 1
    await clock.advance(0.02)
    assert switches.refreshed == 2
    running.cancel()
