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
from ivr.domain.outage import Outage, OutageId, OutageNotice
from ivr.errors import WindowFull
from ivr.simulation.manual_clock import ManualClock
from ivr.store.callbacks import StoredCallbacks
from ivr.store.database import Database
from ivr.store.outages import StoredOutages

OFFICE = OpeningHours(ZoneInfo("Europe/Amsterdam"), (((time(9), time(17)),),) * 7)
NINE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST = Window(NINE, NINE + 2 * HOUR)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database in which nobody has booked yet."""
    opened = Database(f"sqlite+aiosqlite:///{tmp_path / 'klantlijn.db'}", timeout=5.0)
    await opened.migrate()
    yield opened
    await opened.close()


def desk(clock: ManualClock, database: Database, capacity: int = 1) -> BookingDesk:
    queue = Queue(split={"own": 100}, callbacks_per_window=capacity)
    return BookingDesk(
        Callbacks(), {"support": queue}, {"support": OFFICE}, StoredCallbacks(database), StoredOutages(database), clock
    )


def request(window: Window) -> CallbackRequest:
    return CallbackRequest(PhoneNumber("+31612345678"), window, "support", Language.NL, "c1")


async def test_a_queue_without_capacity_offers_nothing(database: Database) -> None:
    clock = ManualClock(NINE)
    assert await desk(clock, database, capacity=0).windows("support", 3) == []
    assert len(await desk(clock, database, capacity=1).windows("support", 3)) == 3


async def test_a_window_that_passed_while_the_caller_thought_about_it_is_refused(database: Database) -> None:
    with pytest.raises(WindowFull):
        await desk(ManualClock(FIRST.end), database).book(request(FIRST))


async def test_a_window_that_nobody_offered_is_refused(database: Database) -> None:
    with pytest.raises(WindowFull):
        await desk(ManualClock(NINE), database).book(request(Window(NINE, NINE + HOUR)))


async def test_nobody_is_called_while_they_still_hear_what_was_agreed(database: Database) -> None:
    """A window that was offered ten minutes before its end can still be chosen a minute later."""
    clock = ManualClock(FIRST.end - timedelta(minutes=9))
    booked = await desk(clock, database).book(request(FIRST))
    assert booked.not_before == clock.now() + timedelta(seconds=30)


async def test_a_promise_for_a_later_window_is_due_when_that_begins(database: Database) -> None:
    clock = ManualClock(NINE)
    later = (await desk(clock, database).windows("support", 2))[1]
    assert (await desk(clock, database).book(request(later))).not_before == later.start


async def test_who_wants_to_hear_of_an_outage_is_not_called_while_still_on_the_line(database: Database) -> None:
    clock, outages = ManualClock(NINE), StoredOutages(database)
    await outages.add(Outage(OutageId("o"), NINE))
    notice = OutageNotice(OutageId("o"), PhoneNumber("+31612345678"), Language.NL, "c1")
    assert await desk(clock, database).call_after(notice)
    await outages.close(OutageId("o"), NINE)
    assert not await desk(clock, database).call_after(notice)
    (promise,) = await StoredCallbacks(database).callbacks(only_open=True)
    assert promise.not_before == NINE + timedelta(seconds=Callbacks().after_booking)
