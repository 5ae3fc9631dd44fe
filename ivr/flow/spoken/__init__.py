"""Numbers, dates, times and money as people say them; a flow's texts use these as filters."""

from __future__ import annotations

from ivr.flow.spoken.words import (
    cardinal,
    clock,
    count,
    digits,
    duration,
    key_word,
    money,
    ordinal,
    phone,
    postcode,
    spoken_date,
    window,
    year,
)

__all__ = [
    "cardinal",
    "clock",
    "count",
    "digits",
    "duration",
    "key_word",
    "money",
    "ordinal",
    "phone",
    "postcode",
    "spoken_date",
    "window",
    "year",
]
