"""Words: how the values of `config.yaml` are written, whichever part they stand in."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

Port = Annotated[int, Field(ge=1, le=65535)]
Percent = Annotated[int, Field(ge=0, le=100)]


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise ValueError(f"'{text}' is not a name; use letters, digits, - and _")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"'{text}' is not a time zone; write such as Europe/Amsterdam") from error
    return text


def _field(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", text, re.ASCII):
        raise ValueError(f"'{text}' is not a field; write such as postcode or invoices.amount")
    return text


def _word(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]\w{0,63}", text, re.ASCII):
        raise ValueError(f"'{text}' is not a word; use letters, digits and _, a letter first")
    return text


def _pattern(text: str) -> str:
    if not re.fullmatch(r"[\w+*?.-]{1,64}", text, re.ASCII):
        raise ValueError(f"'{text}' is not what anybody dials; use digits and letters, * for any rest, ? for one digit")
    return text


def _span(text: str) -> str:
    opening_span(text)
    return text


Name = Annotated[str, AfterValidator(_name)]
"""A name that may reach Asterisk, SQL and file names."""
FieldName = Annotated[str, AfterValidator(_field)]
"""A field of the caller: `postcode`, `invoices.amount`."""
TimeZone = Annotated[str, AfterValidator(_zone)]
Dialled = Annotated[str, AfterValidator(_pattern)]
"""What is dialled, with `*` and `?` for what may be anything."""
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
Spans = list[Annotated[str, AfterValidator(_span)]]
HoursName = Annotated[str, AfterValidator(_word)]
"""A name that conditions can use: `open.support`."""


def opening_span(text: str) -> tuple[time, time]:
    """The two local times of `08:00-21:00`; `24:00` is the next day's `00:00`. Raises ValueError."""
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]?\d|2[0-3]):([0-5]\d)|24:00)", text.strip())
    if not match:
        raise ValueError(f"'{text}' is not a span of time; write such as 08:00-21:00")
    start_hour, start_minute, end_hour, end_minute = (int(part or 0) for part in match.groups())
    return time(start_hour, start_minute), time(end_hour, end_minute)


def _time_of_day(text: object) -> time:
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", str(text).strip())
    if not match:
        raise ValueError(f"'{text}' is not a time of day; write such as 07:45")
    return time(int(match[1]), int(match[2]))


TimeOfDay = Annotated[
    time,
    BeforeValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": r"^\s*([01]?\d|2[0-3]):[0-5]\d\s*$"}),
]
"""A local time, such as 07:45."""
