"""Written: dates, times and amounts as people read them, for tickets and messages."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal

from ivr.domain.language import Language
from ivr.flow.spoken import en, nl

MONTHS = {Language.NL: nl.MONTHS, Language.EN: en.MONTHS}
CENT = Decimal("0.01")


def written(value: date | time | Decimal, language: Language) -> str:
    """`4 maart 2026`, `14:30`, both for a moment, or `€ 1.234,50`; in English `4 March 2026` and `€1,234.50`.

    The month is a word and the year is there, so that nobody reads another day, wherever and whenever they read it.
    """
    if isinstance(value, Decimal):
        return _amount(value, language)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    day = f"{value.day} {MONTHS[language][value.month - 1]} {value.year}"
    return f"{day} {value:%H:%M}" if isinstance(value, datetime) else day


def _amount(value: Decimal, language: Language) -> str:
    english = f"{value.quantize(CENT, ROUND_HALF_UP):,}"
    if language is Language.EN:
        return f"€{english}"
    return f"€ {english.translate(str.maketrans(',.', '.,'))}"
