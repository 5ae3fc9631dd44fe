"""Dates, times of day and windows, in words."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from ivr.domain.language import Language
from ivr.flow.spoken import clock, spoken_date, window

NL, EN = Language.NL, Language.EN
TODAY = date(2025, 3, 3)
ZONE = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("when", "dutch", "english"),
    [
        (date(2025, 3, 3), "vandaag", "today"),
        (date(2025, 3, 4), "morgen", "tomorrow"),
        (date(2025, 3, 2), "gisteren", "yesterday"),
        (date(2025, 3, 11), "dinsdag elf maart", "Tuesday the eleventh of March"),
        (date(2025, 4, 1), "dinsdag één april", "Tuesday the first of April"),
        (
            date(2026, 2, 28),
            "zaterdag achtentwintig februari tweeduizend zesentwintig",
            "Saturday the twenty-eighth of February twenty twenty-six",
        ),
    ],
)
def test_dates_seen_from_today(when: date, dutch: str, english: str) -> None:
    assert spoken_date(when, NL, TODAY) == dutch
    assert spoken_date(when, EN, TODAY) == english


def test_a_date_soon_after_new_year_needs_no_year() -> None:
    assert spoken_date(date(2026, 1, 2), NL, date(2025, 12, 30)) == "vrijdag twee januari"


def test_a_moment_counts_as_its_date() -> None:
    assert spoken_date(datetime(2025, 3, 4, 23, 59, tzinfo=ZONE), NL, TODAY) == "morgen"


@pytest.mark.parametrize(
    ("at", "dutch", "english"),
    [
        ("14:30", "half drie", "half past two"),
        ("09:15", "kwart over negen", "quarter past nine"),
        ("15:40", "tien over half vier", "twenty to four"),
        ("15:20", "tien voor half vier", "twenty past three"),
        ("12:45", "kwart voor één", "quarter to one"),
        ("13:00", "één uur", "one o'clock"),
        ("12:30", "half één", "half past twelve"),
        ("00:00", "twaalf uur", "twelve o'clock"),
        ("23:55", "vijf voor twaalf", "five to twelve"),
        ("08:05", "vijf over acht", "five past eight"),
        ("08:29", "één voor half negen", "twenty-nine minutes past eight"),
        ("08:31", "één over half negen", "twenty-nine minutes to nine"),
        ("08:59", "één voor negen", "one minute to nine"),
    ],
)
def test_times_of_day(at: str, dutch: str, english: str) -> None:
    assert clock(time.fromisoformat(at), NL) == dutch
    assert clock(time.fromisoformat(at), EN) == english


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("start", "end", "dutch", "english"),
    [
        (
            "2025-03-03T14:00",
            "2025-03-03T16:00",
            "vandaag tussen twee en vier uur 's middags",
            "today between two and four in the afternoon",
        ),
        (
            "2025-03-04T10:00",
            "2025-03-04T12:00",
            "morgen tussen tien en twaalf uur 's ochtends",
            "tomorrow between ten and twelve in the morning",
        ),
        (
            "2025-03-11T09:30",
            "2025-03-11T11:00",
            "dinsdag elf maart tussen half tien en elf uur 's ochtends",
            "Tuesday the eleventh of March between half past nine and eleven in the morning",
        ),
        (
            "2025-03-04T09:00",
            "2025-03-04T10:30",
            "morgen tussen negen uur en half elf 's ochtends",
            "tomorrow between nine and half past ten in the morning",
        ),
        (
            "2025-03-04T11:00",
            "2025-03-04T13:00",
            "morgen tussen elf uur 's ochtends en één uur 's middags",
            "tomorrow between eleven in the morning and one in the afternoon",
        ),
        (
            "2025-03-03T18:00",
            "2025-03-03T20:00",
            "vandaag tussen zes en acht uur 's avonds",
            "today between six and eight in the evening",
        ),
    ],
)
def test_windows(start: str, end: str, dutch: str, english: str) -> None:
    assert window(moment(start), moment(end), NL, TODAY) == dutch
    assert window(moment(start), moment(end), EN, TODAY) == english
