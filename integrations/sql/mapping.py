"""From rows to customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
        "order_number",
        "order_state",
        "order_description",
        "order_expected_on",
    }
)


def column_mistakes(columns: Iterable[str]) -> Sequence[str]:
    """What is wrong with a query's columns, each as a sentence for the admin; empty when nothing is."""
    given = set(columns)
    known = REQUIRED_COLUMNS | OPTIONAL_COLUMNS
    mistakes = [f"the query gives no column '{name}'" for name in sorted(REQUIRED_COLUMNS - given)]
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
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        if row["customer_id"] is not None:
            grouped.setdefault(str(row["customer_id"]), []).append(row)
    return [_customer(customer_id, group, country) for customer_id, group in grouped.items()]


def _customer(customer_id: str, rows: Sequence[Row], country: str) -> Customer:
    numbers = [parse_number(text, country) for text in _texts(rows, "number")]
    languages = [language.lower()[:2] for language in _texts(rows, "language")]
    return Customer(
        id=CustomerId(customer_id),
        name=next(iter(_texts(rows, "name")), ""),
        numbers=tuple(dict.fromkeys(number for number in numbers if number)),
        language=next((Language(language) for language in languages if language in set(Language)), None),
        postcode=next(iter(_texts(rows, "postcode")), None),
        house_number=next(iter(_texts(rows, "house_number")), None),
        birth_date=next((day for row in rows if (day := _day(row.get("birth_date")))), None),
        products=frozenset(
            product.strip() for text in _texts(rows, "products") for product in text.split(",") if product.strip()
        ),
        orders=tuple(_orders(rows)),
    )


def _orders(rows: Sequence[Row]) -> Iterable[Order]:
    seen: set[str] = set()
    for row in rows:
        number = _text(row, "order_number")
        if not number or number in seen:
            continue
        seen.add(number)
        state = _text(row, "order_state")
        if state not in set(OrderState):
            log.warning("connector.unknown_order_state", state=state, known=[str(each) for each in OrderState])
            continue
        yield Order(number, OrderState(state), _text(row, "order_description"), _day(row.get("order_expected_on")))


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value).strip()


def _texts(rows: Sequence[Row], column: str) -> Sequence[str]:
    return [text for text in (_text(row, column) for row in rows) if text]


def _day(value: object) -> date | None:
    """A date as databases give it: a date, a date with a time, or ISO 8601 text."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
