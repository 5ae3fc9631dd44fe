"""English words, as said in Britain."""

from __future__ import annotations

from datetime import date, time

MINUS = "minus"
PLUS = "plus"
NONE = "no"
STAR = "star"
HASH = "hash"
DIGITS: tuple[str, ...] = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TO_NINETEEN = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
BIG = ((1_000_000_000, "billion"), (1_000_000, "million"), (1000, "thousand"))
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
RELATIVE_DAYS = {-1: "yesterday", 0: "today", 1: "tomorrow"}
DAY_PARTS: tuple[tuple[int, str], ...] = (
    (22, "at night"),
    (18, "in the evening"),
    (12, "in the afternoon"),
    (0, "in the morning"),
)
UNITS = {
    "second": ("second", "seconds"),
    "minute": ("minute", "minutes"),
    "hour": ("hour", "hours"),
    "day": ("day", "days"),
}
NAMED_DURATIONS = {
    15: "a quarter of an hour",
    30: "half an hour",
    45: "three quarters of an hour",
    90: "an hour and a half",
}
AND = "and"


def cardinal(n: int) -> str:
    """A whole number from 0 to 999,999,999,999: `one thousand two hundred and thirty-four`."""
    for size, name in BIG:
        if n >= size:
            rest = n % size
            words = f"{cardinal(n // size)} {name}"
            if not rest:
                return words
            return f"{words} and {cardinal(rest)}" if rest < 100 else f"{words} {cardinal(rest)}"
    if n >= 100:
        words = f"{TO_NINETEEN[n // 100]} hundred"
        return f"{words} and {_below_hundred(n % 100)}" if n % 100 else words
    return _below_hundred(n)


def _below_hundred(n: int) -> str:
    if n < 20:
        return TO_NINETEEN[n]
    return TENS[n // 10] + (f"-{TO_NINETEEN[n % 10]}" if n % 10 else "")


def ordinal(n: int) -> str:
    """A rank from 0: `first`, `twenty-second`, `one hundredth`."""
    words = cardinal(n)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    front, last = words[:cut], words[cut:]
    if last in IRREGULAR_ORDINALS:
        return front + IRREGULAR_ORDINALS[last]
    return front + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def year(n: int) -> str:
    """A year: `nineteen ninety-nine`, `two thousand and five`, `twenty twenty-five`."""
    century, rest = divmod(n, 100)
    if not 1100 <= n < 10_000 or (century % 10 == 0 and rest < 10):
        return cardinal(n)
    if rest == 0:
        return f"{_below_hundred(century)} hundred"
    return f"{_below_hundred(century)} {'oh ' if rest < 10 else ''}{_below_hundred(rest)}"


def day(when: date, *, with_year: bool) -> str:
    """A date: `Tuesday the fourth of March`."""
    words = f"{WEEKDAYS[when.weekday()]} the {ordinal(when.day)} of {MONTHS[when.month - 1]}"
    return f"{words} {year(when.year)}" if with_year else words


def clock(at: time, *, bare: bool = False) -> str:
    """A time of day on the twelve-hour clock: `half past two`, `twenty to four`. `bare` leaves out "o'clock"."""
    this, following = _hour(at.hour), _hour(at.hour + 1)
    minute = at.minute
    if minute == 0:
        return this if bare else f"{this} o'clock"
    if minute <= 30:
        return f"{_minutes(minute)} past {this}"
    return f"{_minutes(60 - minute)} to {following}"


def _minutes(minutes: int) -> str:
    if minutes == 15:
        return "quarter"
    if minutes == 30:
        return "half"
    if minutes % 5 == 0:
        return cardinal(minutes)
    return f"{cardinal(minutes)} minute{'s' if minutes > 1 else ''}"


def _hour(hour: int) -> str:
    return cardinal((hour - 1) % 12 + 1)


def between(start: time, end: time, *, start_part: str, end_part: str) -> str:
    """A span: `between two and four in the afternoon`; the part of the day is said once when it is the same."""
    first = clock(start, bare=True)
    if start_part != end_part:
        first = f"{first} {start_part}"
    return f"between {first} and {clock(end, bare=True)} {end_part}"


def money(euros: int, cents: int) -> str:
    """An amount: `twelve euros fifty`, `twelve euros and five cents`."""
    whole = f"{cardinal(euros)} euro{'' if euros == 1 else 's'}"
    parts = f"{cardinal(cents)} cent{'' if cents == 1 else 's'}"
    if not cents:
        return whole
    if not euros:
        return parts
    return f"{whole} and {parts}" if cents < 10 else f"{whole} {cardinal(cents)}"
