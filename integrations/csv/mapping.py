"""From lines to customers: which column is what, and what may be left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from hashlib import blake2b

from integrations.csv.client import Sheet
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber, parse_number
from ivr.errors import ConnectorRefused


class Field(StrEnum):
    """What a column can be. Of all but `products` the first that is filled in counts."""

    CUSTOMER_ID = "customer_id"
    CUSTOMER_NUMBER = "customer_number"
    NAME = "name"
    NUMBER = "number"
    EMAIL = "email"
    LANGUAGE = "language"
    POSTCODE = "postcode"
    HOUSE_NUMBER = "house_number"
    BIRTH_DATE = "birth_date"
    PRODUCTS = "products"


Column = str | int
"""A column's title in the first line, or its place, counted from 1, in a file without titles."""

Columns = Mapping[Field, Sequence[Column]]


@dataclass(frozen=True, slots=True)
class _Row:
    """A line's cells that are filled in, by field, and those of its numbers that are valid."""

    texts: Mapping[Field, Sequence[str]]
    numbers: tuple[PhoneNumber, ...]

    @property
    def enough(self) -> bool:
        """Whether there is a name, and something to find it by."""
        by = bool(self.numbers) or Field.EMAIL in self.texts or Field.CUSTOMER_NUMBER in self.texts
        return by and Field.NAME in self.texts


@dataclass(frozen=True, slots=True)
class Listed:
    """The customers of a file, and how many lines were left out since they say too little, with the first of them."""

    customers: Sequence[Customer]
    left_out: int = 0
    first_left_out: int = 0


def listed(sheet: Sheet, columns: Columns, country: str) -> Listed:
    """The customers in a file; lines with the same customer are one. National numbers are read in `country`.

    A line that has no name, or neither a valid number nor an e-mail address nor a customer number, is left out.

    Raises:
        ConnectorRefused: a column is missing, or there is nobody in it.
    """
    titled = not any(isinstance(column, int) for named in columns.values() for column in named)
    lines = sheet.lines[1:] if titled else sheet.lines
    if not lines:
        raise ConnectorRefused("there is nobody in the file")
    places = _places(sheet.lines[0][1], columns, titled=titled)
    grouped: dict[str, list[_Row]] = {}
    left_out: list[int] = []
    for number, cells in lines:
        row = _row(cells, places, country)
        if row.enough:
            grouped.setdefault(_id(row), []).append(row)
        else:
            left_out.append(number)
    if not grouped:
        raise ConnectorRefused(f"line {left_out[0]} and all others have no name, or nothing to find it by")
    customers = [_customer(customer_id, rows) for customer_id, rows in grouped.items()]
    return Listed(customers, len(left_out), left_out[0] if left_out else 0)


def _places(first: Sequence[str], columns: Columns, *, titled: bool) -> Mapping[Field, Sequence[int]]:
    """Where each field's columns are, counted from 0."""
    if not titled:
        places = {field: [int(column) - 1 for column in named] for field, named in columns.items()}
        beyond = [place + 1 for named in places.values() for place in named if place >= len(first)]
        if beyond:
            raise ConnectorRefused(f"there is no column {beyond[0]}: the first line has {len(first)}")
        return places
    at = {title.strip().casefold(): place for place, title in reversed(list(enumerate(first)))}
    if not columns:
        places = {field: [at[field]] for field in Field if field in at}
        missing = [field for field in (Field.NAME, Field.NUMBER) if field not in places]
        if missing:
            raise ConnectorRefused(f"no title in line 1 is '{missing[0]}'; set columns")
        return places
    for column in (str(column) for named in columns.values() for column in named):
        if column.strip().casefold() not in at:
            close = get_close_matches(column.casefold(), at, n=1)
            # No other title is told: without titles after all, line 1 is somebody's data.
            hint = f"did you mean '{first[at[close[0]]].strip()}'?" if close else "see columns in the settings"
            raise ConnectorRefused(f"no title in line 1 is '{column}'; {hint}")
    return {field: [at[str(column).strip().casefold()] for column in named] for field, named in columns.items()}


def _row(cells: Sequence[str], places: Mapping[Field, Sequence[int]], country: str) -> _Row:
    texts = {field: [text for at in named if (text := cells[at].strip())] for field, named in places.items()}
    read = (parse_number(text, country) for text in texts.get(Field.NUMBER, ()))
    return _Row(
        {field: filled for field, filled in texts.items() if filled},
        tuple(number for number in read if number),
    )


def _id(row: _Row) -> str:
    """What tells customers apart. Without a column for it a line is a customer, for as long as it says the same."""
    for field in (Field.CUSTOMER_ID, Field.CUSTOMER_NUMBER):
        if field in row.texts:
            return row.texts[field][0]
    said = "\0".join((*row.texts[Field.NAME], *row.numbers, *row.texts.get(Field.EMAIL, ())))
    return f"line-{blake2b(said.encode(), digest_size=8).hexdigest()}"


def _customer(customer_id: str, rows: Sequence[_Row]) -> Customer:
    def first(field: Field) -> str | None:
        return next((text for row in rows for text in row.texts.get(field, ())), None)

    language = (first(Field.LANGUAGE) or "").lower()[:2]
    products = (text for row in rows for cell in row.texts.get(Field.PRODUCTS, ()) for text in cell.split(","))
    return Customer(
        id=CustomerId(customer_id),
        name=first(Field.NAME) or "",
        numbers=tuple(dict.fromkeys(number for row in rows for number in row.numbers)),
        language=Language(language) if language in set(Language) else None,
        postcode=first(Field.POSTCODE),
        house_number=first(Field.HOUSE_NUMBER),
        birth_date=_day(first(Field.BIRTH_DATE)),
        customer_number=first(Field.CUSTOMER_NUMBER),
        email=first(Field.EMAIL),
        products=frozenset(product.strip() for product in products if product.strip()),
    )


def _day(text: str | None) -> date | None:
    """A date such as 1985-04-12, or as clerks in the Netherlands and Belgium write it: 12-4-1985, 12/04/1985."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        parts = text.replace("/", "-").replace(".", "-").split("-")
    try:
        day, month, year = (int(part) for part in parts)
        return date(year, month, day)
    except ValueError:
        return None
