"""From a vCard to a customer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import vobject
from vobject.base import VObjectError

from ivr.domain.caller import Customer, CustomerId
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber, parse_number

NO_TELEPHONE = {"FAX", "PAGER", "TEXTPHONE"}


def customer_from(card: str, path: str, country: str) -> Customer | None:
    """The customer on a vCard (RFC 2426, RFC 6350), or None when it is of a group, has no name, or cannot be read.

    `path` tells customers apart whose card has no UID. Numbers become E.164, national forms read in `country`.
    """
    try:
        fields: dict[str, list[Any]] = vobject.readOne(card).contents
        customer = Customer(
            id=CustomerId(_first(fields, "uid").removeprefix("urn:uuid:") or path),
            name=_first(fields, "fn"),
            numbers=tuple(dict.fromkeys(_numbers(fields, country))),
            language=_language(_first(fields, "lang")),
            postcode=next((code for each in fields.get("adr", ()) if (code := str(each.value.code).strip())), None),
            email=_first(fields, "email") or None,
        )
    # What vobject raises for a card that is none: its own errors, and those of what it reads values with.
    except (VObjectError, ValueError, LookupError, AttributeError, TypeError, StopIteration):
        return None
    kinds = {_first(fields, name).lower() for name in ("kind", "x-addressbookserver-kind")}
    return customer if customer.name and "group" not in kinds else None


def _first(fields: dict[str, list[Any]], name: str) -> str:
    return next((text for each in fields.get(name, ()) if (text := str(each.value).strip())), "")


def _numbers(fields: dict[str, list[Any]], country: str) -> Iterator[PhoneNumber]:
    for each in fields.get("tel", ()):
        types = {word.strip().upper() for text in each.params.get("TYPE", ()) for word in text.split(",")}
        number = parse_number(str(each.value), country)
        if number and not types & NO_TELEPHONE:
            yield number


def _language(tag: str) -> Language | None:
    word = tag.lower()[:2]
    return Language(word) if word in set(Language) else None
