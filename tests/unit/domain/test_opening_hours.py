"""Opening hours are local: they hold through summer time, past midnight, and not on closed days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ivr.domain.opening_hours import OpeningHours

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
OFFICE = ((time(9), time(12)), (time(13), time(17)))
WEEK = (OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, (), ())
HOURS = OpeningHours(AMSTERDAM, WEEK, closed=frozenset({date(2026, 12, 25)}))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-23T08:59:59", False),
        ("2026-11-23T09:00", True),
        ("2026-11-23T11:59:59", True),
        ("2026-11-23T12:00", False),
        ("2026-11-23T13:00", True),
        ("2026-11-23T17:00", False),
        ("2026-11-22T10:00", False),
        ("2026-12-25T10:00", False),
        ("2026-12-24T10:00", True),
        ("2026-07-01T09:00", True),
        ("2026-07-01T08:30", False),
    ],
)
def test_open_by_the_clock_on_the_wall(at: str, is_open: bool) -> None:
    assert HOURS.is_open(local(at)) is is_open
    assert HOURS.is_open(local(at).astimezone(UTC)) is is_open


def test_spans_are_utc_and_begin_with_the_one_that_is_under_way() -> None:
    spans = list(HOURS.spans(local("2026-11-23T10:00"), 1))
    assert spans == [
        (datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2026, 11, 23, 11, tzinfo=UTC)),
        (datetime(2026, 11, 23, 12, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC)),
    ]
    assert all(moment.tzinfo is UTC for span in spans for moment in span)


def test_spans_follow_the_change_to_winter_time() -> None:
    """The clocks go back on 25 October 2026: Friday's nine o'clock is 7:00 UTC, Monday's is 8:00 UTC."""
    starts = [start.hour for start, _ in HOURS.spans(local("2026-10-23T08:00"), 4)]
    assert starts == [7, 11, 8, 12]


def test_a_span_past_midnight_belongs_to_the_day_it_starts_on() -> None:
    night = OpeningHours(AMSTERDAM, ((), (), (), (), ((time(22), time(6)),), (), ()))
    assert night.is_open(local("2026-11-27T23:00"))
    assert night.is_open(local("2026-11-28T05:59"))
    assert not night.is_open(local("2026-11-28T06:00"))
    assert not night.is_open(local("2026-11-27T05:00"))
    assert len(list(night.spans(local("2026-11-28T01:00"), 1))) == 1


def test_a_whole_day_is_open_from_midnight_to_midnight() -> None:
    always = OpeningHours(AMSTERDAM, (((time(0), time(0)),),) * 7)
    moment = local("2026-03-28T00:00")
    for _ in range(3 * 24):
        assert always.is_open(moment)
        moment = (moment.astimezone(UTC) + timedelta(hours=1)).astimezone(AMSTERDAM)


def test_a_night_without_its_missing_hour_is_an_hour_shorter() -> None:
    """On 29 March 2026 the hour from two to three does not exist."""
    night = OpeningHours(AMSTERDAM, ((), (), (), (), (), ((time(22), time(6)),), ()))
    ((start, end),) = night.spans(local("2026-03-28T23:00"), 1)
    assert end - start == timedelta(hours=7)


ALWAYS = ((time(0), time(0)),)


@pytest.mark.parametrize(
    ("week", "closed", "gap"),
    [
        (WEEK, frozenset[date](), "mon 00:00"),
        ((ALWAYS,) * 7, frozenset[date](), ""),
        ((ALWAYS,) * 7, frozenset({date(2026, 12, 26), date(2026, 12, 25)}), "2026-12-25"),
        ((((time(0), time(18)), (time(18), time(0))),) * 7, frozenset[date](), ""),
        ((((time(22), time(6)), (time(6), time(21, 30))),) * 7, frozenset[date](), "mon 21:30"),
        ((*(ALWAYS,) * 6, ((time(0), time(23, 59)),)), frozenset[date](), "sun 23:59"),
    ],
)
def test_the_first_gap_in_a_week_is_found(
    week: tuple[tuple[tuple[time, time], ...], ...], closed: frozenset[date], gap: str
) -> None:
    assert OpeningHours(AMSTERDAM, week, closed).first_gap() == gap
