"""Dutch words.

Spelling follows the Woordenlijst: no space inside a number but after "duizend" and around "miljoen". A one that
stands alone is written "één", because voices read "een" as the article.
"""

from __future__ import annotations

from datetime import date, time

MINUS = "min"
PLUS = "plus"
NONE = "geen"
STAR = "sterretje"
HASH = "hekje"
DIGITS: tuple[str, ...] = ("nul", "één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen")
TO_NINETEEN = [
    "nul",
    "een",
    "twee",
    "drie",
    "vier",
    "vijf",
    "zes",
    "zeven",
    "acht",
    "negen",
    "tien",
    "elf",
    "twaalf",
    "dertien",
    "veertien",
    "vijftien",
    "zestien",
    "zeventien",
    "achttien",
    "negentien",
]
TENS = ["", "", "twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig"]
ORDINALS = [
    "nulde",
    "eerste",
    "tweede",
    "derde",
    "vierde",
    "vijfde",
    "zesde",
    "zevende",
    "achtste",
    "negende",
    "tiende",
    "elfde",
    "twaalfde",
    "dertiende",
    "veertiende",
    "vijftiende",
    "zestiende",
    "zeventiende",
    "achttiende",
    "negentiende",
]
BIG = ((1_000_000_000, "miljard"), (1_000_000, "miljoen"))
WEEKDAYS = ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"]
MONTHS = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
]
RELATIVE_DAYS = {-1: "gisteren", 0: "vandaag", 1: "morgen"}
# From which hour a part of the day begins.
DAY_PARTS: tuple[tuple[int, str], ...] = ((18, "'s avonds"), (12, "'s middags"), (6, "'s ochtends"), (0, "'s nachts"))
UNITS = {
    "second": ("seconde", "seconden"),
    "minute": ("minuut", "minuten"),
    "hour": ("uur", "uur"),
    "day": ("dag", "dagen"),
}
# Minutes that have a name of their own.
NAMED_DURATIONS = {15: "een kwartier", 30: "een half uur", 45: "drie kwartier", 90: "anderhalf uur"}
AND = "en"


def cardinal(n: int) -> str:
    """A whole number from 0 to 999,999,999,999.

    >>> cardinal(1500), cardinal(1522)
    ('vijftienhonderd', 'duizend vijfhonderdtweeëntwintig')
    """
    return _stressed(_number(n))


def _stressed(words: str) -> str:
    return " ".join("één" if word == "een" else word for word in words.split())


def _number(n: int) -> str:
    for size, name in BIG:
        if n >= size:
            rest = n % size
            return f"{_number(n // size)} {name}" + (f" {_number(rest)}" if rest else "")
    if 1000 < n < 10_000 and n % 100 == 0 and n % 1000:
        return _below_hundred(n // 100) + "honderd"
    if n >= 1000:
        thousands = "" if n < 2000 else _number(n // 1000)
        return f"{thousands}duizend" + (f" {_number(n % 1000)}" if n % 1000 else "")
    if n >= 100:
        hundreds = "" if n < 200 else TO_NINETEEN[n // 100]
        return f"{hundreds}honderd" + (_below_hundred(n % 100) if n % 100 else "")
    return _below_hundred(n)


def _below_hundred(n: int) -> str:
    if n < 20:
        return TO_NINETEEN[n]
    ones, tens = TO_NINETEEN[n % 10], TENS[n // 10]
    if not n % 10:
        return tens
    return ones + ("ën" if ones.endswith("e") else "en") + tens


def ordinal(n: int) -> str:
    """A rank from 0: `eerste`, `tweeëntwintigste`, `honderdachtste`."""
    words, last = _number(n), n % 100
    if n == 0 or 0 < last < 20:
        return words.removesuffix(TO_NINETEEN[last]) + ORDINALS[last]
    return words + "ste"


def year(n: int) -> str:
    """A year: `negentienhonderdnegenennegentig`, `tweeduizend vijfentwintig`."""
    if 1100 <= n < 2000:
        return _below_hundred(n // 100) + "honderd" + (_below_hundred(n % 100) if n % 100 else "")
    return cardinal(n)


def day(when: date, *, with_year: bool) -> str:
    """A date: `dinsdag vier maart`."""
    words = f"{WEEKDAYS[when.weekday()]} {cardinal(when.day)} {MONTHS[when.month - 1]}"
    return f"{words} {year(when.year)}" if with_year else words


def clock(at: time, *, bare: bool = False) -> str:
    """A time of day on the twelve-hour clock: `half drie`, `tien over half vier`. `bare` leaves out "uur"."""
    this, following = _hour(at.hour), _hour(at.hour + 1)
    minute = at.minute
    if minute == 0:
        return this if bare else f"{this} uur"
    if minute == 15:
        return f"kwart over {this}"
    if minute < 15:
        return f"{cardinal(minute)} over {this}"
    if minute < 30:
        return f"{cardinal(30 - minute)} voor half {following}"
    if minute == 30:
        return f"half {following}"
    if minute < 45:
        return f"{cardinal(minute - 30)} over half {following}"
    if minute == 45:
        return f"kwart voor {following}"
    return f"{cardinal(60 - minute)} voor {following}"


def _hour(hour: int) -> str:
    return cardinal((hour - 1) % 12 + 1)


def between(start: time, end: time, *, start_part: str, end_part: str) -> str:
    """A span: `tussen twee en vier uur 's middags`; the part of the day is said once when it is the same."""
    if start_part == end_part:
        first = clock(start, bare=not start.minute and not end.minute)
        return f"tussen {first} en {clock(end)} {end_part}"
    return f"tussen {clock(start)} {start_part} en {clock(end)} {end_part}"


def money(euros: int, cents: int) -> str:
    """An amount: `twaalf euro vijftig`, `twaalf euro en vijf cent`; the euro has no plural."""
    if not cents:
        return f"{cardinal(euros)} euro"
    if not euros:
        return f"{cardinal(cents)} cent"
    if cents < 10:
        return f"{cardinal(euros)} euro en {cardinal(cents)} cent"
    return f"{cardinal(euros)} euro {cardinal(cents)}"
