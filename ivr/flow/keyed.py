"""What is keyed: the keys a caller pressed, read as a value. Nothing here raises on keys; what is not right is None."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from ivr.domain.line import LineState, PhoneNumber, read_line

LONGEST = 32
"""The most digits that are taken as one answer."""
MOST_EUROS = 7
"""The most digits before the comma of an amount."""
HOUSE_NUMBER_DIGITS = 5
"""No Dutch house number is longer (BAG, the national register of addresses)."""
LEAP_GAP = 8
"""The longest time in years from one 29 February to the next."""


@dataclass(frozen=True, slots=True)
class Address:
    """What can be keyed of a Dutch address: the four digits of a postcode and the house number without letters."""

    postcode: str
    house_number: int


@dataclass(frozen=True, slots=True)
class Bound:
    """The first or last date that is taken: `fixed`, or so many days and years from today."""

    fixed: date | None = None
    days: int = 0
    years: int = 0

    def on(self, today: date) -> date:
        """The date that it is today."""
        return self.fixed or shift_years(today, self.years) + timedelta(days=self.days)


def bound(written: object) -> Bound:
    """The bound in `2026-12-31`, `today`, `today+30d` or `today-18y`.

    Raises:
        ValueError: it is none of these, in an admin's words.
    """
    if isinstance(written, Bound):
        return written
    text = str(written).replace(" ", "")
    parts = re.fullmatch(r"today(?:([+-]\d{1,5})d|([+-]\d{1,3})y)?", text)
    if parts:
        return Bound(days=int(parts[1] or 0), years=int(parts[2] or 0))
    try:
        return Bound(fixed=date.fromisoformat(text))
    except ValueError:
        raise ValueError(
            f"'{text[:40]}' is not a date; write such as 2026-12-31, today, today+30d or today-18y"
        ) from None


def shift_years(day: date, years: int) -> date:
    """The same day in another year, within the years there are; 29 February becomes the 28th where there is none."""
    year = min(max(day.year + years, date.min.year + 1), date.max.year - 1)
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def read_digits(keys: str, shortest: int, longest: int) -> str | None:
    """So many digits."""
    return keys if _digits(keys) and shortest <= len(keys) <= longest else None


def read_yes_no(keys: str) -> bool | None:
    """1 for yes, 2 for no."""
    return {"1": True, "2": False}.get(keys)


def read_date(keys: str, earliest: date, latest: date) -> date | None:
    """Day, month and year as `ddmmjjjj`, from `earliest` to `latest`."""
    if not _digits(keys) or len(keys) != 8:
        return None
    found = _date(int(keys[4:]), keys)
    return found if found and earliest <= found <= latest else None


def read_day(keys: str, earliest: date, latest: date, today: date) -> date | None:
    """Day and month as `ddmm`: of the dates from `earliest` to `latest` the one nearest to today, the later of two."""
    if not _digits(keys) or len(keys) != 4:
        return None
    years = range(max(earliest.year, today.year - LEAP_GAP), min(latest.year, today.year + LEAP_GAP) + 1)
    found = [day for year in years if (day := _date(year, keys)) and earliest <= day <= latest]
    return min(found, key=lambda day: (abs(day - today), today > day), default=None)


def read_amount(keys: str, least: Decimal, most: Decimal) -> Decimal | None:
    """Euros, and after `*`, which stands for the comma, two digits of cents."""
    parts = re.fullmatch(rf"([0-9]{{0,{MOST_EUROS}}})(?:\*([0-9]{{2}}))?", keys)
    if not parts or not keys:
        return None
    found = Decimal(f"{parts[1] or '0'}.{parts[2] or '00'}")
    return found if least <= found <= most else None


def read_address(keys: str) -> Address | None:
    """The four digits of a Dutch postcode, then the house number."""
    parts = re.fullmatch(rf"([1-9][0-9]{{3}})([1-9][0-9]{{0,{HOUSE_NUMBER_DIGITS - 1}}})", keys)
    return Address(parts[1], int(parts[2])) if parts else None


def read_phone(keys: str, country: str) -> PhoneNumber | None:
    """A telephone number, in the national form of a country or with its 00. Service numbers are nobody's."""
    line = read_line(keys, country=country) if _digits(keys) else None
    return line.number if line and line.state is LineState.KNOWN else None


def _digits(keys: str) -> bool:
    return re.fullmatch(r"[0-9]+", keys) is not None


def _date(year: int, keys: str) -> date | None:
    try:
        return date(year, int(keys[2:4]), int(keys[:2]))
    except ValueError:
        return None
