"""From entries to customers, and from what is known of a caller to a filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from sansldap import FilterAnd, FilterEquality, FilterGreaterOrEqual, FilterOr, LDAPFilter

from integrations.ldap.client import Entry
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.language import Language
from ivr.domain.line import parse_number


class Field(StrEnum):
    """What an attribute can be."""

    CUSTOMER_ID = "customer_id"
    CUSTOMER_NUMBER = "customer_number"
    NAME = "name"
    NUMBER = "number"
    EMAIL = "email"
    LANGUAGE = "language"
    POSTCODE = "postcode"


Attributes = Mapping[Field, Sequence[str]]

ATTRIBUTES: Attributes = {
    Field.CUSTOMER_ID: ("entryUUID",),
    Field.CUSTOMER_NUMBER: ("employeeNumber",),
    Field.NAME: ("displayName", "cn"),
    Field.NUMBER: ("telephoneNumber", "mobile"),
    Field.EMAIL: ("mail",),
    Field.LANGUAGE: ("preferredLanguage",),
    Field.POSTCODE: ("postalCode",),
}
"""Those of inetOrgPerson (RFC 2798)."""


def having_any(among: LDAPFilter, attributes: Iterable[str], values: Sequence[str]) -> LDAPFilter:
    """Selects the entries with one of the values in one of the attributes.

    A value goes over the line as bytes with their length, and never as a part of a filter's
    text (RFC 4511, 4.5.1), so there is nothing in it to escape.
    """
    either = [FilterEquality(attribute, value.encode()) for attribute in attributes for value in values]
    return FilterAnd([among, FilterOr(list(either))])


def from_on(among: LDAPFilter, attribute: str, value: str) -> LDAPFilter:
    """Selects the entries whose attribute is this value or comes after it."""
    return FilterAnd([among, FilterGreaterOrEqual(attribute, value.encode())])


def customers_from(entries: Iterable[Entry], attributes: Attributes, country: str) -> Sequence[Customer]:
    """The customers in entries, in their order; an entry without an id or a name is left out.

    Numbers become E.164, national forms read in `country`; a number that is none is left out.
    """
    found = (_customer(entry, attributes, country) for entry in entries)
    return [customer for customer in found if customer.id and customer.name]


def latest(entries: Iterable[Entry], attribute: str) -> str:
    """The greatest value of an attribute that only grows: a time, a change number; '' without any."""
    values = (value for entry in entries for value in texts(entry, [attribute]))
    return max(values, key=in_order, default="")


def in_order(value: str) -> tuple[int, str]:
    """A key by which times of one form, and numbers, are in their order."""
    return len(value), value


def texts(entry: Entry, attributes: Iterable[str]) -> Sequence[str]:
    """The values of attributes that are not blank; one that is no text, as objectGUID, in hexadecimal digits."""
    values = (_text(value) for attribute in attributes for value in entry.get(attribute.lower(), ()))
    return [value for value in values if value]


def _text(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value.hex()
    return text.strip() if text.isprintable() else value.hex()


def _customer(entry: Entry, attributes: Attributes, country: str) -> Customer:
    def first(field: Field) -> str | None:
        return next(iter(texts(entry, attributes[field])), None)

    numbers = (parse_number(text, country) for text in texts(entry, attributes[Field.NUMBER]))
    language = (first(Field.LANGUAGE) or "").lower()[:2]
    return Customer(
        id=CustomerId(first(Field.CUSTOMER_ID) or ""),
        name=first(Field.NAME) or "",
        numbers=tuple(dict.fromkeys(number for number in numbers if number)),
        language=Language(language) if language in set(Language) else None,
        postcode=first(Field.POSTCODE),
        customer_number=first(Field.CUSTOMER_NUMBER),
        email=first(Field.EMAIL),
    )
