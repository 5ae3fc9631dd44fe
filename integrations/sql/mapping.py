"""From rows to customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from difflib import get_close_matches

import structlog

from ivr.domain.caller import Customer, CustomerId
from ivr.domain.dossier import Order, OrderState
from ivr.domain.language import Language
from ivr.domain.line import parse_number

log = structlog.get_logger()

Row = Mapping[str, object]

REQUIRED_COLUMNS = frozenset({"customer_id", "name", "number"})
OPTIONAL_COLUMNS = frozenset(
    {
        "language",
        "postcode",
        "house_number",
        "birth_date",
        "products",
        "customer_number",
        "email",
        "handles",
        "order_number",
        "order_state",
        "order_description",
        "order_expected_on",
    }
)


def column_mistakes(
    columns: Iterable[str],
    *,
    required: frozenset[str] = REQUIRED_COLUMNS,
    optional: AbstractSet[str] = OPTIONAL_COLUMNS,
) -> Sequence[str]:
    """What is wrong with a query's columns, each as a sentence for the admin; empty when nothing is."""
    given = set(columns)
    known = required | optional
    mistakes = [f"the query gives no column '{name}'" for name in sorted(required - given)]
    for name in sorted(given - known):
        close = get_close_matches(name, known - given, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(sorted(known))}"
        mistakes.append(f"the query gives a column '{name}' that means nothing here; {hint}")
    if "order_number" in given and "order_state" not in given:
        mistakes.append("the query gives order_number without order_state")
    return mistakes


def customers_from(rows: Sequence[Row], country: str) -> Sequence[Customer]:
    """The customers in a query's rows, in their order; one customer may have several rows.

    Numbers become E.164, national forms read in `country`; a number that is none is left
    out. Within a customer the first filled-in value of each column counts.
    """
    return [customer_from(customer_id, own, country) for customer_id, own in by_customer(rows).items()]


def by_customer(rows: Iterable[Row]) -> Mapping[str, Sequence[Row]]:
    """The rows of each customer, by their ids."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        if row["customer_id"] is not None:
            grouped.setdefault(str(row["customer_id"]), []).append(row)
    return grouped


def customer_from(customer_id: str, rows: Sequence[Row], country: str) -> Customer:
    """The customer that these rows are about."""
    numbers = [parse_number(written, country) for written in _texts(rows, "number")]
    languages = [language.lower()[:2] for language in _texts(rows, "language")]
    return Customer(
        id=CustomerId(customer_id),
        name=next(iter(_texts(rows, "name")), ""),
        numbers=tuple(dict.fromkeys(number for number in numbers if number)),
        language=next((Language(language) for language in languages if language in set(Language)), None),
        postcode=next(iter(_texts(rows, "postcode")), None),
        house_number=next(iter(_texts(rows, "house_number")), None),
        birth_date=next((born for row in rows if (born := day(row.get("birth_date")))), None),
        products=frozenset(_listed(rows, "products")),
        orders=tuple(_orders(rows)),
        customer_number=next(iter(_texts(rows, "customer_number")), None),
        email=next(iter(_texts(rows, "email")), None),
        handles=tuple(dict.fromkeys(_listed(rows, "handles"))),
    )


def _orders(rows: Sequence[Row]) -> Iterable[Order]:
    seen: set[str] = set()
    for row in rows:
        number = text(row.get("order_number"))
        if not number or number in seen:
            continue
        seen.add(number)
        state = text(row.get("order_state"))
        if state not in set(OrderState):
            log.warning("connector.unknown_order_state", state=state, known=[str(each) for each in OrderState])
            continue
        description, expected_on = text(row.get("order_description")), day(row.get("order_expected_on"))
        yield Order(number, OrderState(state), description, expected_on)


def text(value: object) -> str:
    """A value without spaces around it; nothing is empty."""
    return "" if value is None else str(value).strip()


def _texts(rows: Sequence[Row], column: str) -> Sequence[str]:
    return [each for each in (text(row.get(column)) for row in rows) if each]


def _listed(rows: Sequence[Row], column: str) -> Sequence[str]:
    """What rows hold in a column, one a row or several with commas between."""
    return [each.strip() for several in _texts(rows, column) for each in several.split(",") if each.strip()]


def day(value: object) -> date | None:
    """A date as databases give it: a date, a date with a time, or ISO 8601 text."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
