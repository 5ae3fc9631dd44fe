"""Filters: what an expression can do with a value, and how a value is spoken in the call's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from ivr.domain.language import Language
from ivr.errors import ExpressionFailed
from ivr.flow import spoken
from ivr.flow.views import Missing, WindowView
from ivr.flow.written import written

Number = (int, float, Decimal)

SPEECH = "_speech"
"""The name under which a call's Speech is put in the context; expressions cannot reach it."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What speaking needs to know of the call: `today` and moments are told as clocks in `zone` show them."""

    language: Language
    today: date
    country: str
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: what it can be given, how many arguments it needs, whether it speaks, and its code.

    `gives` is the type of its result; None means an element of the list it was given.
    """

    accepts: tuple[Any, ...]
    call: Callable[..., Any]
    arguments: int = 0
    gives: type | None = str


def _spoken(say: Callable[[Any, Speech], str]) -> Callable[..., str]:
    @pass_context
    def filtered(context: Context, value: Any) -> str:
        return say(_local(_there(value), context[SPEECH].zone), context[SPEECH])

    return filtered


def _local(value: Any, zone: tzinfo) -> Any:
    """A value; a moment as clocks in a zone show it, for systems tell moments in zones of their own."""
    return value.astimezone(zone) if isinstance(value, datetime) and value.tzinfo else value


def _there(value: Any) -> Any:
    if value is None or isinstance(value, Missing):
        raise ExpressionFailed("there is nothing to say")
    return value


@pass_context
def _date(context: Context, value: Any) -> date | None:
    return _local(value, context[SPEECH].zone).date() if isinstance(value, datetime) else None


@pass_context
def _count(context: Context, value: Any, singular: str, plural: str) -> str:
    number = value if isinstance(value, int) else len(value)
    return spoken.count(number, singular, plural, context[SPEECH].language)


def _first(values: Sequence[Any]) -> Any:
    return values[0] if values else None


def _last(values: Sequence[Any]) -> Any:
    return values[-1] if values else None


def _join(values: Sequence[Any], between: str) -> str:
    return between.join(str(value) for value in values)


FILTERS: dict[str, Filter] = {
    "cardinal": Filter((int,), _spoken(lambda value, call: spoken.cardinal(value, call.language))),
    "ordinal": Filter((int,), _spoken(lambda value, call: spoken.ordinal(value, call.language))),
    "year": Filter((int,), _spoken(lambda value, call: spoken.year(value, call.language))),
    "digits": Filter((str,), _spoken(lambda value, call: spoken.digits(value, call.language))),
    "postcode": Filter((str,), _spoken(lambda value, call: spoken.postcode(value, call.language))),
    "phone": Filter((str,), _spoken(lambda value, call: spoken.phone(value, call.language, call.country))),
    "spoken_date": Filter(
        (date, datetime), _spoken(lambda value, call: spoken.spoken_date(value, call.language, call.today))
    ),
    "clock": Filter((time, datetime), _spoken(lambda value, call: spoken.clock(value, call.language))),
    "window": Filter(
        (WindowView,), _spoken(lambda value, call: spoken.window(value.start, value.end, call.language, call.today))
    ),
    "duration": Filter((int, float), _spoken(lambda value, call: spoken.duration(value, call.language))),
    "written": Filter((date, datetime, time, Decimal), _spoken(lambda value, call: written(value, call.language))),
    "date": Filter((datetime,), _date, gives=date),
    "money": Filter(Number, _spoken(lambda value, call: spoken.money(Decimal(str(value)), call.language))),
    "count": Filter((int, tuple), _count, arguments=2),
    "length": Filter((tuple, str), len, gives=int),
    "first": Filter((tuple,), _first, gives=None),
    "last": Filter((tuple,), _last, gives=None),
    "join": Filter((tuple,), _join, arguments=1),
    "lower": Filter((str,), lambda value: _there(value).lower()),
    "upper": Filter((str,), lambda value: _there(value).upper()),
}
"""Every filter by its name. Those that speak use the language, the country and the date of the call."""
