"""The filters: each takes a value and a language, and gives what a voice has to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from ivr.domain.language import Language
from ivr.flow.spoken import en, nl
from ivr.flow.spoken.grouping import groups, phone_groups

LARGEST = 10**12 - 1
# A date further away than this is said with its year.
NEAR = timedelta(days=180)


class Words(Protocol):
    """What a language's module offers."""

    MINUS: str
    PLUS: str
    NONE: str
    AND: str
    STAR: str
    HASH: str
    DIGITS: tuple[str, ...]
    RELATIVE_DAYS: dict[int, str]
    DAY_PARTS: tuple[tuple[int, str], ...]
    UNITS: dict[str, tuple[str, str]]
    NAMED_DURATIONS: dict[int, str]

    def cardinal(self, n: int) -> str: ...

    def ordinal(self, n: int) -> str: ...

    def year(self, n: int) -> str: ...

    def day(self, when: date, *, with_year: bool) -> str: ...

    def clock(self, at: time, *, bare: bool = False) -> str: ...

    def between(self, start: time, end: time, *, start_part: str, end_part: str) -> str: ...

    def money(self, euros: int, cents: int) -> str: ...


LANGUAGES: Mapping[Language, Words] = {Language.NL: nl, Language.EN: en}


def cardinal(n: int, language: Language) -> str:
    """A whole number: `vijftienhonderd`.

    Raises:
        ValueError: it is a million million or more.
    """
    _check(n)
    words = LANGUAGES[language]
    return f"{words.MINUS} {words.cardinal(-n)}" if n < 0 else words.cardinal(n)


def ordinal(n: int, language: Language) -> str:
    """A rank: `derde`.

    Raises:
        ValueError: it is negative, or a million million or more.
    """
    _check(n, least=0)
    return LANGUAGES[language].ordinal(n)


def year(n: int, language: Language) -> str:
    """A year: `negentienhonderdnegenennegentig`. Raises ValueError below 0."""
    _check(n, least=0)
    return LANGUAGES[language].year(n)


def digits(text: str, language: Language) -> str:
    """A number that is a name (customer, order): digit by digit, with a pause between groups."""
    return _spelled(groups(text), LANGUAGES[language])


def postcode(text: str, language: Language) -> str:
    """A postcode: the digits one by one, then the letters."""
    return _spelled(groups(text.upper()), LANGUAGES[language])


def key_word(key: str, language: Language) -> str:
    """A key of the telephone: `één`, `sterretje`, `hekje`."""
    words = LANGUAGES[language]
    return {"*": words.STAR, "#": words.HASH}.get(key) or words.DIGITS[int(key)]


def phone(e164: str, language: Language, country: str = "NL") -> str:
    """A telephone number in its home form: `nul zes, één twee, drie vier, vijf zes, zeven acht`.

    A number of another country than `country` (ISO 3166) begins with "plus" and its
    country's code. Anything that is not E.164 is read as `digits`.
    """
    words = LANGUAGES[language]
    foreign, parts = phone_groups(e164, country)
    spoken = _spelled(parts, words)
    return f"{words.PLUS} {spoken}" if foreign else spoken


def spoken_date(when: date, language: Language, today: date) -> str:
    """A date seen from `today`: `vandaag`, `morgen`, `gisteren`, else `dinsdag vier maart`.

    The year is said when the date is more than half a year away.
    """
    words = LANGUAGES[language]
    distance = _plain(when) - _plain(today)
    relative = words.RELATIVE_DAYS.get(distance.days)
    return relative or words.day(when, with_year=abs(distance) > NEAR)


def clock(at: time | datetime, language: Language) -> str:
    """A local time of day as people say it: `half drie`, `kwart over negen`. Seconds are left out."""
    return LANGUAGES[language].clock(_time(at))


def window(start: datetime, end: datetime, language: Language, today: date) -> str:
    """A span of local time: `morgen tussen twee en vier uur 's middags`.

    A span that ends where a part of the day ends belongs to that part: ten to twelve is
    "'s ochtends".
    """
    words = LANGUAGES[language]
    part = words.between(
        _time(start),
        _time(end),
        start_part=_day_part(start, words),
        end_part=_day_part(end - timedelta(minutes=1), words),
    )
    return f"{spoken_date(start.date(), language, today)} {part}"


def duration(seconds: float, language: Language) -> str:
    """How long: `dertig seconden`, `vijf minuten`, `anderhalf uur`, `twee dagen en drie uur`.

    Two units at most. From a minute on it is rounded to minutes, from a day on to hours.

    Raises:
        ValueError: it is negative.
    """
    if seconds < 0:
        raise ValueError(f"a duration cannot be negative: {seconds}")
    words = LANGUAGES[language]
    if round(seconds) < 60:
        return _amount(round(seconds), "second", words)
    minutes = round(seconds / 60)
    if minutes in words.NAMED_DURATIONS:
        return words.NAMED_DURATIONS[minutes]
    if minutes < 24 * 60:
        return _two(*divmod(minutes, 60), "hour", "minute", words)
    return _two(*divmod(round(minutes / 60), 24), "day", "hour", words)


def money(amount: Decimal, language: Language) -> str:
    """An amount in euros: `twaalf euro vijftig`; half a cent is rounded up.

    Raises:
        ValueError: it is not a number, or too large.
    """
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount")
    total = int((abs(amount) * 100).to_integral_value(ROUND_HALF_UP))
    _check(total // 100)
    words = LANGUAGES[language]
    spoken = words.money(*divmod(total, 100))
    return f"{words.MINUS} {spoken}" if amount < 0 and total else spoken


def count(n: int, singular: str, plural: str, language: Language) -> str:
    """So many of something: `geen bestellingen`, `één bestelling`, `drie bestellingen`."""
    number = LANGUAGES[language].NONE if n == 0 else cardinal(n, language)
    return f"{number} {singular if n == 1 else plural}"


def _check(n: int, *, least: int = -LARGEST) -> None:
    if not least <= n <= LARGEST:
        raise ValueError(f"{n} is not between {least} and {LARGEST}")


def _spelled(parts: Sequence[str], words: Words) -> str:
    return ", ".join(
        " ".join(words.DIGITS[int(sign)] if sign.isdecimal() else sign.upper() for sign in part) for part in parts
    )


def _plain(when: date) -> date:
    return when.date() if isinstance(when, datetime) else when


def _time(at: time | datetime) -> time:
    return at.time() if isinstance(at, datetime) else at


def _day_part(at: datetime, words: Words) -> str:
    return next(name for hour, name in words.DAY_PARTS if at.hour >= hour)


def _amount(n: int, unit: str, words: Words) -> str:
    singular, plural = words.UNITS[unit]
    return f"{words.cardinal(n)} {singular if n == 1 else plural}"


def _two(large: int, small: int, large_unit: str, small_unit: str, words: Words) -> str:
    parts = [_amount(n, unit, words) for n, unit in ((large, large_unit), (small, small_unit)) if n]
    return f" {words.AND} ".join(parts)
