"""Who calls: the customer behind a line, and what they most likely call for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import NewType

from ivr.domain.dossier import Appointment, Case, Fault, Invoice, Order, OrderState
from ivr.domain.identity import IdentityKind
from ivr.domain.language import Language
from ivr.domain.line import Line, LineState, PhoneNumber

CustomerId = NewType("CustomerId", str)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as a connected system knows them; only what greetings and flows use.

    `id` is the system's own; `customer_number` is what stands on a customer's letters, and
    what tells whether two systems mean the same customer. `references` are the ids in each
    connector that knows them. `house_number` is the number and what is behind it (`12`,
    `12-A`); `birth_date` is only used to prove who calls. `handles` are names on networks,
    such as `x:@anna`.
    """

    id: CustomerId
    name: str
    numbers: tuple[PhoneNumber, ...]
    language: Language | None = None
    postcode: str | None = None
    products: frozenset[str] = frozenset()
    orders: tuple[Order, ...] = ()
    house_number: str | None = None
    birth_date: date | None = None
    customer_number: str | None = None
    email: str | None = None
    invoices: tuple[Invoice, ...] = ()
    cases: tuple[Case, ...] = ()
    faults: tuple[Fault, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    references: tuple[tuple[str, CustomerId], ...] = ()
    handles: tuple[str, ...] = ()

    @property
    def open_orders(self) -> tuple[Order, ...]:
        """The orders that have not been delivered yet."""
        return tuple(order for order in self.orders if order.state is not OrderState.DELIVERED)


def is_same_customer(one: Customer, other: Customer) -> bool:
    """Whether two systems mean the same customer.

    A number alone does not tell: it may have been another's before. The customer number
    decides where both have one, else the name.
    """
    if one.customer_number and other.customer_number:
        return one.customer_number == other.customer_number
    return bool(_plain(one.name)) and _plain(one.name) == _plain(other.name)


def merged(one: Customer, other: Customer) -> Customer:
    """A customer as two systems know them; `one` is believed where both say something."""
    lives_at = one if one.postcode else other
    return replace(
        one,
        language=one.language or other.language,
        postcode=lives_at.postcode,
        house_number=lives_at.house_number or (other.house_number if other.postcode == one.postcode else None),
        products=one.products | other.products,
        birth_date=one.birth_date or other.birth_date,
        customer_number=one.customer_number or other.customer_number,
        email=one.email or other.email,
        orders=one.orders or other.orders,
        invoices=one.invoices or other.invoices,
        cases=one.cases or other.cases,
        faults=one.faults or other.faults,
        appointments=one.appointments or other.appointments,
        references=tuple(dict([*other.references, *one.references]).items()),
    )


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


class IdentificationState(StrEnum):
    """What identification has come to."""

    PENDING = "pending"
    KNOWN = "known"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Identification:
    """The answer to "who is this?". `customer` is None unless `state` is KNOWN.

    AMBIGUOUS: two or more different customers share the number (a family, a
    switchboard): the line is known, the person is not, so nothing personal is told.
    """

    state: IdentificationState
    customer: Customer | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller as the flow sees them at this moment of the call.

    `recognised_by` is what told who they are: the line, or something they keyed.
    """

    line: Line = Line(LineState.ABSENT)
    identification: Identification = Identification(IdentificationState.PENDING)
    region: str | None = None
    recognised_by: IdentityKind = IdentityKind.PHONE

    @property
    def customer(self) -> Customer | None:
        """The customer, once known."""
        return self.identification.customer

    @property
    def known(self) -> bool:
        """Whether exactly one customer was found."""
        return self.customer is not None
