"""A dossier: what a customer may call about, as the connected systems keep it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class OrderState(StrEnum):
    """How far an order is."""

    PLACED = "placed"
    ON_THE_WAY = "on_the_way"
    DELAYED = "delayed"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Order:
    """An order a caller may ask after. `expected_on` is a date in the organisation's zone."""

    number: str
    state: OrderState
    description: str = ""
    expected_on: date | None = None


class InvoiceState(StrEnum):
    """Whether an invoice still has to be paid; `overdue` when its day has passed."""

    OPEN = "open"
    OVERDUE = "overdue"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice. `amount` is what is still to be paid, in `currency` (ISO 4217)."""

    number: str
    state: InvoiceState
    amount: Decimal
    currency: str = "EUR"
    due_on: date | None = None
    description: str = ""


class CaseState(StrEnum):
    """Who is at work on a case: the organisation, the customer (`waiting`), or nobody any more."""

    OPEN = "open"
    WAITING = "waiting"
    SOLVED = "solved"


@dataclass(frozen=True, slots=True)
class Case:
    """A question, complaint or request that is being handled; a ticket."""

    number: str
    state: CaseState
    subject: str = ""
    opened_on: date | None = None


class FaultState(StrEnum):
    """How far the repair of a fault is."""

    REPORTED = "reported"
    IN_REPAIR = "in_repair"
    SOLVED = "solved"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not work at this customer's. `expected_end` is aware."""

    number: str
    state: FaultState
    description: str = ""
    expected_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """A visit that was agreed on; its moments are aware."""

    number: str
    starts_at: datetime
    ends_at: datetime | None = None
    description: str = ""
