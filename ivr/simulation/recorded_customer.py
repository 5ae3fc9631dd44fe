"""A recorded customer: who called in a call of the journal, described so that they cannot be recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from ivr.domain.caller import Customer
from ivr.domain.capability import DOSSIER
from ivr.domain.contact import ContactEvent, EventKind

NOBODY = "Voorbeeld"
"""The name that a caller gets whose own is not told."""
STAND_INS = {"orders": {"state": "placed"}, "invoices": {"amount": "10.00"}}
"""What an item of each part of a dossier is, besides its number, where the journal only says how many there were."""
TOLD = ("state", "amount", "due_on", "opened_on", "expected_on", "expected_end", "starts_at", "ends_at")
"""What is told of an item that a system still knows; the rest is in words, and may name people."""
PROVABLE = {"postcode": "1234 AB", "house_number": "1", "birth_date": "1970-01-01"}
"""The facts by which somebody proves to be this customer. Their own are not in the journal."""
NUMBER, POSTCODE = "identify_number", "identify_postcode"


def described(
    number: str, customer: Customer | None, events: Sequence[ContactEvent], at: datetime, *, reveal: bool
) -> dict[str, Any]:
    """A customer with this number. `customer` is who the connected systems say it is, if they know; `at`, the call.

    Without `reveal` their name, numbers, postcode and whatever is written about them are others.
    """
    told: dict[str, Any] = {"customer": number}
    if customer is None or not reveal:
        told["name"] = NOBODY
    if customer is not None:
        if reveal:
            told |= {"name": customer.name} | ({"postcode": customer.postcode} if customer.postcode else {})
        if customer.language:
            told["language"] = customer.language.value
        if customer.products:
            told["products"] = sorted(customer.products)
    heard = prompts_of(events)
    told |= {fact: PROVABLE[fact] for fact in PROVABLE if {f"verify_{fact}", f"identify_{fact}"} & heard}
    if any(event.kind is EventKind.MESSAGE and "@" in str(event.detail.get("to")) for event in events):
        told["email"] = customer.email if customer and reveal else "voorbeeld@example.invalid"
    for part in DOSSIER:
        known = getattr(customer, part) if customer else ()
        items = [_item(part, position, each, reveal=reveal) for position, each in enumerate(known, start=1)]
        found = _found(part, events)
        if found is not None:
            others = [_stand_in(part, position, at) for position in range(len(items) + 1, found + 1)]
            items = [*items, *others][:found]
        if items:
            told[part.value] = items
    return told


def keys_of(customer: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """What tells that somebody is a described customer, by the prompts that ask for it. `prefix` of their number."""
    digits = "".join(each for each in str(customer.get("customer", "")) if each.isdigit())
    return {
        NUMBER: f"{str(customer.get('customer', '1')).removeprefix(prefix)}#",
        POSTCODE: "1234",
        "verify_postcode": "1234",
        "verify_house_number": "1#",
        "verify_birth_date": "01011970",
        "verify_customer_number": f"{digits}#",
    }


def prompts_of(events: Sequence[ContactEvent]) -> set[str]:
    """The names of what was heard."""
    return {str(event.detail.get("prompt", "")) for event in events if event.kind is EventKind.PROMPT}


def _item(part: str, position: int, item: Any, *, reveal: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"number": item.number if reveal else _name(part, position)}
    words = ("description", "subject") if reveal else ("description",) if part == "orders" else ()
    for name in (*TOLD, *words):
        value = getattr(item, name, None)
        if value:
            told[name] = value.isoformat() if isinstance(value, date) else str(value)
    if part == "invoices" and not reveal:
        told |= STAND_INS[part]
    return told


def _stand_in(part: str, position: int, at: datetime) -> dict[str, Any]:
    moment = {"starts_at": at.strftime("%Y-%m-%dT%H:%M")} if part == "appointments" else {}
    return {"number": _name(part, position), **STAND_INS.get(part, {}), **moment}


def _found(part: str, events: Sequence[ContactEvent]) -> int | None:
    """How many there were of a part when it was looked up; None when it was not."""
    details = [event.detail for event in events if event.kind is EventKind.LOOKED_UP]
    return max((int(str(each["found"])) for each in details if each["part"] == part and "found" in each), default=None)


def _name(part: str, position: int) -> str:
    return f"{'B' if part == 'orders' else part[0].upper()}{position}"
