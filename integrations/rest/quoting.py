"""Quoting: how a value is written inside a query language, so that it stays a value."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ivr.errors import ConnectorRefused

SOSL_RESERVED = re.compile(r"""([&|!(){}\[\]^"~*?:\\'+\-])""")
"""See "Example Text Searches" in Salesforce's SOQL and SOSL reference."""


def odata(value: object) -> str:
    """A string literal of OData: in quotes, a quote in it doubled (OData 4.01 part 2, 5.1.1.6.2)."""
    return "'" + _text(value).replace("'", "''") + "'"


def soql(value: object) -> str:
    """A string literal of Salesforce's SOQL: in quotes, quotes and backslashes in it escaped."""
    return "'" + re.sub(r"(['\\])", r"\\\1", _without_controls(value)) + "'"


def sosl(value: object) -> str:
    """A search term of Salesforce's SOSL, its reserved characters escaped."""
    return SOSL_RESERVED.sub(r"\\\1", _without_controls(value))


def in_double_quotes(value: object) -> str:
    """A phrase in double quotes, for languages that say nothing of escaping: a value with a quote in it is refused."""
    return '"' + _without(value, '"\\') + '"'


def in_single_quotes(value: object) -> str:
    """The same in single quotes, where the whole query stands in double ones (Freshdesk)."""
    return "'" + _without(value, "'\"\\") + "'"


def afas(value: object) -> str:
    """A value in a list of AFAS, where `,` and `;` part one filter from the next."""
    return _without(value, ",;")


def digits(value: object) -> str:
    """The digits of a value and nothing else."""
    return re.sub(r"[^0-9]", "", _text(value))


def word(value: object) -> str:
    """An identifier, a number or a moment; anything that could end a word is refused."""
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z0-9_:.+-]+", text):
        raise ConnectorRefused("a value that must be one word is not")
    return text


def plain(value: object) -> str:
    """Text for people, as it is: only where no language reads it."""
    return _text(value)


def iso(value: object) -> str:
    """A moment as `2026-11-22T09:30:00Z`."""
    return _moment(value).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(value: object) -> int:
    """A moment in milliseconds since 1970, or how many a time took."""
    if isinstance(value, timedelta):
        return round(value.total_seconds() * 1000)
    return round(_moment(value).timestamp() * 1000)


def seconds(value: object) -> int:
    """The same in whole seconds."""
    return milliseconds(value) // 1000


def html(value: object) -> str:
    """A text as HTML: what would be markup is escaped, a new line stays one."""
    return escape(_text(value)).replace("\n", "<br>")


def base64_of(value: object) -> str:
    """Base64 of a text in UTF-8."""
    return base64.b64encode(_text(value).encode()).decode("ascii")


def uuid_of(value: object) -> str:
    """A UUID that is the same for the same text, to write something once however often it is sent."""
    return str(uuid5(NAMESPACE_URL, f"klantlijn:{_text(value)}"))


def cut(value: object, most: int) -> str:
    """The first characters of a text."""
    return _text(value)[:most]


QUOTING: Mapping[str, Callable[..., Any]] = {
    "odata": odata,
    "soql": soql,
    "sosl": sosl,
    "zendesk": in_double_quotes,
    "freshdesk": in_single_quotes,
    "afas": afas,
    "digits": digits,
    "word": word,
    "plain": plain,
    "iso": iso,
    "milliseconds": milliseconds,
    "seconds": seconds,
    "html": html,
    "base64": base64_of,
    "uuid": uuid_of,
}
"""Filters whose result may stand in the middle of a text."""

OTHER: Mapping[str, Callable[..., Any]] = {"cut": cut}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float | Decimal | datetime):
        raise ConnectorRefused("a value that the request needs is missing")
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _without(value: object, forbidden: str) -> str:
    text = _without_controls(value)
    if any(letter in text for letter in forbidden):
        raise ConnectorRefused("a value has a character that the system's query language cannot quote")
    return text


def _without_controls(value: object) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", _text(value))


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise ConnectorRefused("a moment that the request needs is missing")
    return value
