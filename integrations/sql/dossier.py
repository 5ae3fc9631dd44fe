"""From the rows of a query to a part of a dossier: each column becomes the field of its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import structlog

from integrations.sql.mapping import Row, column_mistakes, day, text
from ivr.domain.capability import Capability
from ivr.domain.dossier import (
    Appointment,
    Case,
    CaseState,
    Fault,
    FaultState,
    Invoice,
    InvoiceState,
    Order,
    OrderState,
)

log = structlog.get_logger()

Read = Callable[[object, tzinfo], object | None]
"""What a database gives for a field, as the field has it; None when it is nothing or makes no sense."""


def _text(value: object, _: tzinfo) -> str | None:
    return text(value) or None


def _day(value: object, zone: tzinfo) -> object | None:
    """A date; that of a moment is the one in the organisation's zone."""
    return day(value.astimezone(zone) if isinstance(value, datetime) and value.tzinfo else value)


def _moment(value: object, zone: tzinfo) -> datetime | None:
    """An aware moment; one without a zone is in the organisation's."""
    if not isinstance(value, datetime):
        try:
            value = datetime.fromisoformat(str(value))
        except ValueError:
            return None
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def _amount(value: object, _: tzinfo) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _one_of(states: type[StrEnum]) -> Read:
    def read(value: object, _: tzinfo) -> StrEnum | None:
        word = text(value)
        if word in set(states):
            return states(word)
        log.warning("connector.unknown_state", state=word, known=[str(each) for each in states])
        return None

    return read


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a dossier: what its rows become, and how each column is read."""

    kind: type[Any]
    columns: Mapping[str, Read]

    @property
    def required(self) -> frozenset[str]:
        """The columns without which there is nothing to tell."""
        return frozenset(field.name for field in fields(self.kind) if field.default is MISSING)

    def mistakes(self, columns: Sequence[str]) -> Sequence[str]:
        """What is wrong with a query's columns, each as a sentence for the admin."""
        return column_mistakes(columns, required=self.required, optional=self.columns.keys() - self.required)

    def items(self, rows: Sequence[Row], zone: tzinfo) -> Sequence[Any]:
        """What rows say, in their order. A row without what is required is left out."""
        found = []
        for row in rows:
            read = {name: self.columns[name](value, zone) for name, value in row.items() if value is not None}
            given = {name: value for name, value in read.items() if value is not None}
            if self.required <= given.keys():
                found.append(self.kind(**given))
            else:
                log.warning(
                    "connector.row_left_out", part=self.kind.__name__, lacks=sorted(self.required - given.keys())
                )
        return found


PARTS: Mapping[Capability, Part] = {
    Capability.ORDERS: Part(
        Order, {"number": _text, "state": _one_of(OrderState), "description": _text, "expected_on": _day}
    ),
    Capability.INVOICES: Part(
        Invoice,
        {
            "number": _text,
            "state": _one_of(InvoiceState),
            "amount": _amount,
            "currency": _text,
            "due_on": _day,
            "description": _text,
        },
    ),
    Capability.CASES: Part(Case, {"number": _text, "state": _one_of(CaseState), "subject": _text, "opened_on": _day}),
    Capability.FAULTS: Part(
        Fault, {"number": _text, "state": _one_of(FaultState), "description": _text, "expected_end": _moment}
    ),
    Capability.APPOINTMENTS: Part(
        Appointment, {"number": _text, "starts_at": _moment, "ends_at": _moment, "description": _text}
    ),
}
