"""Views: what a flow's expressions may see of the call, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from ivr.domain.callback import Window
from ivr.domain.caller import Caller, Customer, IdentificationState
from ivr.domain.contact import Direction
from ivr.domain.dossier import Appointment, Case, Fault, Invoice, Order
from ivr.domain.identity import IdentityKind
from ivr.domain.language import Language
from ivr.domain.line import LineState
from ivr.domain.opening_hours import OpeningHours
from ivr.domain.outage import Outage

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Missing(str):
    """A text that is not there: empty in a condition, and refused where it would be spoken."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class CallerView:
    """`caller`. What belongs to a customer is empty until exactly one customer is known."""

    known: bool
    verified: bool
    withheld: bool
    attested: bool
    shared: bool
    number: str
    region: str
    id: str
    name: str
    postcode: str
    language: Language | None
    products: tuple[str, ...]
    orders: tuple[Order, ...]
    open_orders: tuple[Order, ...]
    customer_number: str
    email: str
    invoices: tuple[Invoice, ...]
    cases: tuple[Case, ...]
    faults: tuple[Fault, ...]
    appointments: tuple[Appointment, ...]


PERSONAL = frozenset(
    {
        "number",
        "id",
        "name",
        "postcode",
        "products",
        "orders",
        "open_orders",
        "customer_number",
        "email",
        "invoices",
        "cases",
        "faults",
        "appointments",
    }
)
"""The fields of `caller` that make a text personal."""


@dataclass(frozen=True, slots=True)
class CallView:
    """`call`. `entry` is what was dialled, `reason` the contact reason so far."""

    language: Language
    entry: str
    reason: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class OutageView:
    """`outage`: the outage that concerns this caller. `expected_end` is local time."""

    open: bool
    told: bool
    region: str
    product: str
    expected_end: datetime | None


@dataclass(frozen=True, slots=True)
class QueueView:
    """`queue`: whether people answer now."""

    open: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """`now`, in the organisation's time zone."""

    date: date
    time: time
    hour: int
    minute: int
    weekday: Weekday


@dataclass(frozen=True, slots=True)
class WindowView:
    """A callback window in local time; spoken by the filter `window`."""

    start: datetime
    end: datetime


class Answers:
    """`answers`: what steps kept, by its name; what was not kept is missing."""

    __slots__ = ("_given",)

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given

    def __getattr__(self, name: str) -> Any:
        return self._given.get(name, Missing())


class Open:
    """`open`: by the name of opening hours, whether they hold at a moment."""

    __slots__ = ("_at", "_hours")

    def __init__(self, hours: Mapping[str, OpeningHours], at: datetime) -> None:
        self._hours = hours
        self._at = at

    def __getattr__(self, name: str) -> bool:
        if name not in self._hours:
            raise AttributeError(name)
        return self._hours[name].is_open(self._at)


def known_customer(caller: Caller) -> Customer | None:
    """The customer who calls, if they are known.

    A number identifies a line, not a person: a customer counts as known only when their
    own record holds the number that calls, or when they keyed what tells who they are.
    """
    customer = caller.customer
    if customer is None or caller.recognised_by is not IdentityKind.PHONE:
        return customer
    return customer if caller.line.number in customer.numbers else None


def view_caller(caller: Caller, *, verified: bool = False) -> CallerView:
    """What a flow may see of the caller; `verified` when they proved to be that customer."""
    customer = known_customer(caller)
    number = caller.line.number
    return CallerView(
        known=customer is not None,
        verified=verified,
        withheld=caller.line.state is LineState.WITHHELD,
        attested=caller.line.attested,
        shared=caller.identification.state is IdentificationState.AMBIGUOUS,
        number=number or Missing(),
        region=caller.region or Missing(),
        id=customer.id if customer else Missing(),
        name=(customer.name if customer else "") or Missing(),
        postcode=(customer.postcode if customer else "") or Missing(),
        language=customer.language if customer else None,
        products=tuple(sorted(customer.products)) if customer else (),
        orders=customer.orders if customer else (),
        open_orders=customer.open_orders if customer else (),
        customer_number=(customer.customer_number if customer else "") or Missing(),
        email=(customer.email if customer else "") or Missing(),
        invoices=customer.invoices if customer else (),
        cases=customer.cases if customer else (),
        faults=customer.faults if customer else (),
        appointments=customer.appointments if customer else (),
    )


def view_outage(outage: Outage | None, *, told: bool, zone: ZoneInfo) -> OutageView:
    """What a flow may see of an outage; None when there is none."""
    end = outage.expected_end if outage else None
    return OutageView(
        open=outage is not None,
        told=told,
        region=(outage.region if outage else "") or Missing(),
        product=(outage.product if outage else "") or Missing(),
        expected_end=end.astimezone(zone) if end else None,
    )


def view_moment(at: datetime, zone: ZoneInfo) -> Moment:
    """A moment as the organisation's clocks show it."""
    local = at.astimezone(zone)
    return Moment(local.date(), local.time(), local.hour, local.minute, WEEKDAYS[local.weekday()])


def view_window(window: Window, zone: ZoneInfo) -> WindowView:
    """A window as the organisation's clocks show it."""
    return WindowView(window.start.astimezone(zone), window.end.astimezone(zone))
