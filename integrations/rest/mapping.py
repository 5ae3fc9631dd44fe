"""From a vendor's records to customers, orders and the rest, as a recipe's fields say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from re import fullmatch
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import structlog

from integrations.rest.recipe import Fields, Source
from ivr.domain.caller import Customer
from ivr.domain.dossier import Invoice, InvoiceState
from ivr.domain.language import Language
from ivr.domain.line import parse_number

log = structlog.get_logger()

T = TypeVar("T")

UNMAPPED = frozenset({"orders", "invoices", "cases", "faults", "appointments", "references"})
"""Fields of a customer that other questions fill."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading needs to know: the country of national numbers, the zone of moments that have none, and today."""

    country: str
    zone: tzinfo
    today: Callable[[], date]


def fields_of(kind: type) -> Mapping[str, bool]:
    """The fields a recipe may fill, and whether it must."""
    return {
        each.name: each.default is MISSING and each.default_factory is MISSING
        for each in fields(kind)
        if each.name not in UNMAPPED
    }


def words_of(kind: type, field: str) -> Sequence[str]:
    """The words a field may have; empty when it may have any."""
    of = _type_of(kind, field)
    return [str(word) for word in of] if isinstance(of, type) and issubclass(of, StrEnum) else []


class Mapper(Generic[T]):
    """Makes a `kind` of every record that has what it needs; what lacks something is left out, and logged."""

    def __init__(self, kind: type[T], sources: Fields, reading: Reading) -> None:
        self._kind: Any = kind
        self._sources = sources
        self._reading = reading
        self._needed = [name for name, needed in fields_of(kind).items() if needed]
        self._readers = {name: self._reader(name) for name in sources}

    def all_of(self, records: Sequence[Any]) -> Sequence[T]:
        """One of each record, in their order. Raises ConnectorRefused when an expression does not fit."""
        made: list[T] = []
        lacking: Counter[str] = Counter()
        for record in records:
            found = {name: read(self._sources[name], record) for name, read in self._readers.items()}
            missing = [name for name in self._needed if found.get(name) in (None, "")]
            lacking.update(missing)
            if not missing:
                one = self._kind(**{name: value for name, value in found.items() if value is not None})
                made.append(self._overdue(one) if isinstance(one, Invoice) else one)
        if lacking:
            left_out = len(records) - len(made)
            log.warning("connector.left_out", kind=self._kind.__name__.lower(), records=left_out, lacking=dict(lacking))
        return made

    def _overdue(self, invoice: Invoice) -> Any:
        late = invoice.due_on is not None and invoice.due_on < self._reading.today()
        return replace(invoice, state=InvoiceState.OVERDUE) if late and invoice.state is InvoiceState.OPEN else invoice

    def _reader(self, name: str) -> Callable[[Source, Any], Any]:
        of = _type_of(self._kind, name)
        if name == "numbers":
            return lambda source, record: tuple(
                dict.fromkeys(
                    number for text in _texts(source, record) if (number := parse_number(text, self._reading.country))
                )
            )
        if of is frozenset:
            return lambda source, record: frozenset(
                part.strip() for text in _texts(source, record) for part in text.split(",") if part.strip()
            )
        if of is tuple:
            return lambda source, record: tuple(_texts(source, record))
        if of is Language:
            return lambda source, record: _word(Language, _text(source, record).lower()[:2])
        if isinstance(of, type) and issubclass(of, StrEnum):
            return lambda source, record: _word(of, _text(source, record))
        if of is Decimal:
            return lambda source, record: _decimal(_text(source, record))
        if of is datetime:
            return lambda source, record: _moment(source.find.find(record), source.format, self._reading.zone)
        if of is date:
            return lambda source, record: _day(source.find.find(record), source.format, self._reading.zone)
        return lambda source, record: _text(source, record) or None


def merged(customers: Sequence[Customer]) -> Sequence[Customer]:
    """Each customer once, with all the numbers that its records had."""
    once: dict[str, Customer] = {}
    for customer in customers:
        before = once.get(customer.id)
        numbers = customer.numbers if before is None else (*before.numbers, *customer.numbers)
        once[customer.id] = replace(before or customer, numbers=tuple(dict.fromkeys(numbers)))
    return list(once.values())


@cache  # reading a class's types takes longer than reading a record
def _type_of(kind: Any, field: str) -> Any:
    """A field's type without its None: `tuple` and `frozenset` for those of anything."""
    hint = get_type_hints(kind)[field]
    hint = next((each for each in get_args(hint) if each is not type(None)), hint) if _is_optional(hint) else hint
    return getattr(hint, "__origin__", hint)


def _is_optional(hint: Any) -> bool:
    return type(None) in get_args(hint)


def _texts(source: Source, record: Any) -> Sequence[str]:
    found = source.find.find(record)
    values = found if isinstance(found, list) else [found]
    return [text for value in values if (text := _translated(source, value))]


def _text(source: Source, record: Any) -> str:
    return _translated(source, source.find.find(record))


def _translated(source: Source, value: Any) -> str:
    if isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = str(value).strip() if isinstance(value, str | int | Decimal) else ""
    if source.values or source.otherwise is not None:
        return source.values.get(text, source.otherwise or "")
    return text


def _word(words: type[StrEnum], text: str) -> StrEnum | None:
    return words(text) if text in set(words) else None


def _decimal(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _moment(value: Any, format: str | None, zone: tzinfo) -> datetime | None:
    """A moment from ISO 8601, from OData's `/Date(ms)/`, or as `format` says; aware."""
    try:
        if format in ("milliseconds", "seconds"):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(**{format: int(value)})
        if not isinstance(value, str):
            return None
        if format:
            return datetime.strptime(value, format).replace(tzinfo=zone)
        if written := fullmatch(r"/Date\((-?\d{1,15})\)/", value):
            # OData 2 counts a moment without a zone from the same hour on the clock.
            return datetime(1970, 1, 1, tzinfo=zone) + timedelta(milliseconds=int(written[1]))
        moment = datetime.fromisoformat(value.strip())
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _day(value: Any, format: str | None, zone: tzinfo) -> date | None:
    moment = _moment(value, format, zone)
    return moment.astimezone(zone).date() if moment else None
