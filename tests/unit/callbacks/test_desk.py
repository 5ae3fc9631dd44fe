from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
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


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[StoredCallbacks]:
    """A store in which nobody has booked yet."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'klantlijn.db'}", timeout=5.0)
    await database.migrate()
    yield StoredCallbacks(database)
    await database.close()


def desk(clock: ManualClock, store: StoredCallbacks, capacity: int = 1) -> BookingDesk:
    queue = Queue(split={"own": 100}, callbacks_per_window=capacity)
    return BookingDesk(Callbacks(), {"support": queue}, {"support": OFFICE}, store, clock)


def request(window: Window) -> CallbackRequest:
    return CallbackRequest(PhoneNumber("+31612345678"), window, "support", Language.NL, "c1")


async def test_a_queue_without_capacity_offers_nothing(store: StoredCallbacks) -> None:
    clock = ManualClock(NINE)
    assert await desk(clock, store, capacity=0).windows("support", 3) == []
    assert len(await desk(clock, store, capacity=1).windows("support", 3)) == 3


async def test_a_window_that_passed_while_the_caller_thought_about_it_is_refused(store: StoredCallbacks) -> None:
    with pytest.raises(WindowFull):
        await desk(ManualClock(FIRST.end), store).book(request(FIRST))


async def test_a_window_that_nobody_offered_is_refused(store: StoredCallbacks) -> None:
    with pytest.raises(WindowFull):
        await desk(ManualClock(NINE), store).book(request(Window(NINE, NINE + HOUR)))


async def test_nobody_is_called_while_they_still_hear_what_was_agreed(store: StoredCallbacks) -> None:
    """A window that was offered ten minutes before its end can still be chosen a minute later."""
    clock = ManualClock(FIRST.end - timedelta(minutes=9))
    booked = await desk(clock, store).book(request(FIRST))
    assert booked.not_before == clock.now() + timedelta(seconds=30)


async def test_a_promise_for_a_later_window_is_due_when_that_begins(store: StoredCallbacks) -> None:
    clock = ManualClock(NINE)
    later = (await desk(clock, store).windows("support", 2))[1]
    assert (await desk(clock, store).book(request(later))).not_before == later.start
