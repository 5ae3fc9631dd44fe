from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ivr.callbacks.windows import windows_ahead
from ivr.domain.callback import Window
from ivr.domain.opening_hours import OpeningHours

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
OFFICE = ((time(9), time(17)),)
WEEKDAYS = OpeningHours(AMSTERDAM, (OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, (), ()), frozenset({date(2026, 12, 25)}))


def local(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=AMSTERDAM).astimezone(UTC)


def ahead(now: datetime, hours: OpeningHours = WEEKDAYS, days: int = 3, length: float = 2) -> list[Window]:
    return list(windows_ahead(hours, now=now, length=timedelta(hours=length), lead=timedelta(minutes=10), days=days))


def test_a_window_that_has_begun_is_offered_while_enough_of_it_is_left() -> None:
    assert ahead(local(23, 10, 50))[0] == Window(local(23, 9), local(23, 11))


def test_a_window_with_too_little_left_is_not_offered() -> None:
    assert ahead(local(23, 10, 51))[0] == Window(local(23, 11), local(23, 13))


def test_the_last_window_of_a_day_is_cut_at_closing_time() -> None:
    assert ahead(local(23, 9), length=3)[2] == Window(local(23, 15), local(23, 17))


def test_a_closed_day_and_the_weekend_have_no_windows() -> None:
    windows = ahead(local(24, 16, 55, month=12), days=4)
    assert windows == []


def test_windows_of_the_days_ahead_follow_in_order() -> None:
    windows = ahead(local(23, 16, 55), days=2)
    assert windows[0] == Window(local(24, 9), local(24, 11))
    assert windows == sorted(windows)


def test_a_line_that_never_closes_has_windows_through_the_night() -> None:
    always = OpeningHours(AMSTERDAM, (((time(0), time(0)),),) * 7)
    windows = ahead(local(22, 23, 55), hours=always, days=2)
    assert windows[0] == Window(local(23, 0), local(23, 2))


def test_the_night_that_clocks_go_back_has_one_hour_more() -> None:
    always = OpeningHours(AMSTERDAM, (((time(0), time(0)),),) * 7)
    windows = ahead(local(24, 22, 30, month=10), hours=always, days=2)
    night = [window for window in windows if window.start >= local(25, 0, month=10)]
    assert sum((window.end - window.start for window in night), timedelta()) == timedelta(hours=25)


def test_a_night_shift_that_began_yesterday_is_open_after_midnight() -> None:
    nights = OpeningHours(AMSTERDAM, (((time(22), time(6)),),) * 7)
    assert nights.is_open(local(24, 3))
    assert not nights.is_open(local(24, 12))
