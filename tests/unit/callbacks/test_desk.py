from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ivr.callbacks.desk import BookingDesk
from ivr.config.model import Callbacks, Queue
from ivr.domain.callback import CallbackRequest, Window
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.domain.opening_hours import OpeningHours
from ivr.errors import WindowFull
from ivr.simulation.manual_clock import ManualClock
from ivr.store.callbacks import StoredCallbacks
from ivr.store.database import Database

OFFICE = OpeningHours(ZoneInfo("Europe/Amsterdam"), (((time(9), time(17)),),) * 7)
NINE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST = Window(NINE, NINE + 2 * HOUR)


class Nobody(StoredCallbacks):
    """A store in which nobody has booked yet."""

    def __init__(self) -> None:
        super().__init__(Database("sqlite+aiosqlite://", timeout=1.0))

    async def booked_in(self, queue: str, windows: Sequence[Window]) -> Sequence[int]:
        return [0 for _ in windows]


def desk(clock: ManualClock, store: StoredCallbacks, capacity: int = 1) -> BookingDesk:
    queue = Queue(split={"own": 100}, callbacks_per_window=capacity)
    return BookingDesk(Callbacks(), {"support": queue}, {"support": OFFICE}, store, clock)


def request(window: Window) -> CallbackRequest:
    return CallbackRequest(PhoneNumber("+31612345678"), window, "support", Language.NL, "c1")


async def test_a_queue_without_capacity_offers_nothing() -> None:
    clock = ManualClock(NINE)
    assert await desk(clock, Nobody(), capacity=0).windows("support", 3) == []
    assert len(await desk(clock, Nobody(), capacity=1).windows("support", 3)) == 3


async def test_a_window_that_passed_while_the_caller_thought_about_it_is_refused() -> None:
    clock = ManualClock(FIRST.end)
    with pytest.raises(WindowFull):
        await desk(clock, Nobody()).book(request(FIRST))


async def test_a_window_that_nobody_offered_is_refused() -> None:
    with pytest.raises(WindowFull):
        await desk(ManualClock(NINE), Nobody()).book(request(Window(NINE, NINE + HOUR)))


async def test_nobody_is_called_while_they_still_hear_what_was_agreed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A window that was offered ten minutes before its end can still be chosen a minute later."""
    clock = ManualClock(FIRST.end - timedelta(minutes=9))
    database = Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('db') / 'k.db'}", timeout=5.0)
    await database.migrate()
    booked = await desk(clock, StoredCallbacks(database)).book(request(FIRST))
    await database.close()
    assert booked.not_before == clock.now() + timedelta(seconds=30)
