"""Described: callers of scenarios, as an admin writes down who they are and what they call about."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from ivr.domain.caller import Caller, Customer, CustomerId, Identification, IdentificationState
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
from ivr.domain.language import Language
from ivr.domain.line import LineState, PhoneNumber, read_line
from ivr.domain.region import region_of
from ivr.flow.step import Settings
from ivr.simulation.setting import Setting

EXAMPLE_NUMBER = "+31612345678"


def _moment(written: object) -> object:
    if not isinstance(written, str):
        return written
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(f"'{written}' is not a moment; write such as 2026-11-21T10:00") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d", "description": "2026-11-21T10:00"}),
]
"""A moment in the organisation's time zone, unless it says another."""


class DescribedOrder(Settings):
    """An order of the caller's."""

    number: str
    state: OrderState
    description: str = ""
    expected_on: date | None = None


class DescribedInvoice(Settings):
    """An invoice of the caller's; `amount` is what is still to be paid."""

    number: str
    amount: Decimal
    state: InvoiceState = InvoiceState.OPEN
    due_on: date | None = None
    description: str = ""


class DescribedCase(Settings):
    """A case of the caller's."""

    number: str
    subject: str = ""
    state: CaseState = CaseState.OPEN
    opened_on: date | None = None


class DescribedFault(Settings):
    """A fault at the caller's."""

    number: str
    state: FaultState = FaultState.REPORTED
    description: str = ""
    expected_end: Moment | None = None


class DescribedAppointment(Settings):
    """A visit to the caller."""

    number: str
    starts_at: Moment
    ends_at: Moment | None = None
    description: str = ""


class DescribedCaller(Settings):
    """Who calls: a number, `withheld`, or one of the file's `callers`; and the customer behind it, if one is described.

    With `look_up` the connected systems are asked, as in a real call. `shared`: two or more customers have the number.
    """

    shorthand: ClassVar[str] = "number"

    number: str = EXAMPLE_NUMBER
    look_up: bool = False
    shared: bool = False
    region: str | None = None
    customer: str | None = None
    name: str = ""
    language: Language | None = None
    postcode: str | None = None
    house_number: str | None = None
    birth_date: date | None = None
    email: str | None = None
    products: tuple[str, ...] = ()
    orders: tuple[DescribedOrder, ...] = ()
    invoices: tuple[DescribedInvoice, ...] = ()
    cases: tuple[DescribedCase, ...] = ()
    faults: tuple[DescribedFault, ...] = ()
    appointments: tuple[DescribedAppointment, ...] = ()

    @property
    def is_customer(self) -> bool:
        """Whether a customer is described."""
        return bool(self.model_fields_set - {"number", "look_up", "shared", "region"})

    @model_validator(mode="after")
    def _one_source(self) -> DescribedCaller:
        if self.look_up and self.is_customer:
            raise ValueError("who is looked up is not described; leave out look_up, or the customer's fields")
        if self.shared and (self.look_up or self.is_customer):
            raise ValueError("on a shared line nobody knows who calls; leave out shared, or what else is said of them")
        return self

    def customer_of(self, number: PhoneNumber | None, zone: tzinfo) -> Customer | None:
        """The customer behind a number, if one is described. Moments without a zone are local."""
        if not self.is_customer:
            return None
        return Customer(
            CustomerId(self.customer or "K1"),
            self.name,
            (number,) if number else (),
            self.language,
            self.postcode,
            frozenset(self.products),
            tuple(Order(each.number, each.state, each.description, each.expected_on) for each in self.orders),
            self.house_number,
            self.birth_date,
            self.customer or "K1",
            self.email,
            tuple(
                Invoice(each.number, each.state, each.amount, "EUR", each.due_on, each.description)
                for each in self.invoices
            ),
            tuple(Case(each.number, each.state, each.subject, each.opened_on) for each in self.cases),
            tuple(
                Fault(each.number, each.state, each.description, each.expected_end and local(each.expected_end, zone))
                for each in self.faults
            ),
            tuple(
                Appointment(
                    each.number,
                    local(each.starts_at, zone),
                    each.ends_at and local(each.ends_at, zone),
                    each.description,
                )
                for each in self.appointments
            ),
        )

    def caller(self, setting: Setting) -> Caller:
        """The caller as a flow sees them."""
        line = read_line(self.number, country=setting.services.country)
        customer = self.customer_of(line.number, setting.services.zone)
        state = IdentificationState.KNOWN if customer else IdentificationState.UNKNOWN
        if self.shared:
            state = IdentificationState.AMBIGUOUS
        if line.state is LineState.WITHHELD:
            state, customer = IdentificationState.WITHHELD, None
        region = self.region or region_of(setting.regions, postcode=self.postcode, number=line.number)
        return Caller(line, Identification(state, customer), region)


def local(moment: datetime, zone: tzinfo) -> datetime:
    """A moment that is local unless it says its zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
