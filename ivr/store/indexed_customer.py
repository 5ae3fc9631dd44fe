"""A customer in the index: what is kept of them, as text, and by what they are found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ivr.domain.caller import Customer, CustomerId
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber

FORMAT = 1
"""Of what is kept; another number has every index built anew."""

LONGEST_KEY = 320
"""Characters of an id or identity: as an e-mail address may have. PostgreSQL indexes no more than 2,700 bytes."""


def key_of(identity: Identity) -> str:
    """An identity as it is looked for: addresses, customer numbers and handles without case or outer spaces."""
    if identity.kind is IdentityKind.PHONE:
        return identity.value
    return identity.value.strip().casefold()


def identities_of(customer: Customer) -> frozenset[tuple[str, str]]:
    """By what a customer is found: kinds with their keys. What no database could hold is left out."""
    return frozenset(
        (identity.kind.value, key) for identity in _identities(customer) if is_storable(key := key_of(identity))
    )


def _identities(customer: Customer) -> Iterator[Identity]:
    for number in customer.numbers:
        yield Identity(IdentityKind.PHONE, number)
    for handle in customer.handles:
        yield Identity(IdentityKind.HANDLE, handle)
    if customer.email:
        yield Identity(IdentityKind.EMAIL, customer.email)
    if customer.customer_number:
        yield Identity(IdentityKind.CUSTOMER_NUMBER, customer.customer_number)


def is_storable(key: str) -> bool:
    """Whether a text can be a key in every database: not empty, not endless, no NUL and no half of a character."""
    return 0 < len(key) <= LONGEST_KEY and "\0" not in key and not any("\ud800" <= each <= "\udfff" for each in key)


def record_of(customer: Customer) -> str:
    """What is kept of a customer, as JSON; the same customer always gives the same text.

    Neither what changes by the hour (orders and the rest of the dossier) nor the house
    number and the date of birth, which only prove who calls: those are asked live.
    """
    kept: dict[str, object] = {
        "name": customer.name,
        "numbers": customer.numbers,
        "language": customer.language,
        "postcode": customer.postcode,
        "products": sorted(customer.products),
        "customer_number": customer.customer_number,
        "email": customer.email,
        "handles": customer.handles,
    }
    return json.dumps({name: value for name, value in kept.items() if value}, separators=(",", ":"))


def customer_from(customer_id: str, record: str) -> Customer:
    """The customer that `record_of` made a record of."""
    kept: dict[str, Any] = json.loads(record)
    language = kept.get("language")
    return Customer(
        id=CustomerId(customer_id),
        name=kept.get("name", ""),
        numbers=tuple(PhoneNumber(number) for number in kept.get("numbers", ())),
        language=Language(language) if language else None,
        postcode=kept.get("postcode"),
        products=frozenset(kept.get("products", ())),
        customer_number=kept.get("customer_number"),
        email=kept.get("email"),
        handles=tuple(kept.get("handles", ())),
    )
