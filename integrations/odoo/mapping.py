"""From Odoo's records to customers and what they may call about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.odoo.client import Row
from ivr.domain.address import house_number
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.dossier import Case, CaseState, Invoice, InvoiceState, Order, OrderState
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber, parse_number

NUMBER_FIELDS = ("phone_sanitized", "phone", "mobile")

PARTNER_FIELDS = (
    "name", "ref", "email", "lang", "street", "zip", "country_code", "parent_id", "commercial_partner_id", "active",
    "write_date", *NUMBER_FIELDS,
)  # fmt: skip
"""Of a partner. Those of them that this Odoo has are asked for."""

ORDER_SPECIFICATION: Mapping[str, Any] = {
    "name": {},
    "delivery_status": {},
    "commitment_date": {},
    "client_order_ref": {},
    "order_line": {"fields": {"product_id": {"fields": {"name": {}}}}},
}

INVOICE_FIELDS = ("name", "amount_residual", "currency_id", "invoice_date_due")

CASE_FIELDS = ("name", "create_date")


def partner_specification(fields: Iterable[str]) -> Mapping[str, Any]:
    """What to ask of a partner, in an Odoo whose partners have these fields."""
    there = set(fields)
    of_company: Mapping[str, Any] = {name: {} for name in ("country_code", *NUMBER_FIELDS) if name in there}
    nested = {"parent_id": {"display_name": {}}, "commercial_partner_id": of_company}
    return {name: {"fields": nested[name]} if name in nested else {} for name in PARTNER_FIELDS if name in there}


def customers_from(partners: Sequence[Row], number: PhoneNumber, country: str) -> Sequence[Customer]:
    """Those among the partners who have the number."""
    ids = {partner["id"] for partner in partners}
    # Before Odoo 17 we are not told the company's numbers; but then it was found, too.
    own = [partner for partner in partners if _company(partner) == partner["id"] or _company(partner) not in ids]
    customers = [customer_from(partner, country) for partner in own]
    return [customer for customer in customers if number in customer.numbers]


def customer_from(partner: Row, country: str) -> Customer:
    """A customer. Numbers in national form are read in the partner's country, else in `country`.

    A number that a company has is not one of its people's too: whoever calls from it, the
    company calls. An address without a name of its own has its company's.
    """
    company, parent = partner.get("commercial_partner_id"), partner.get("parent_id")
    numbers = _numbers(partner, country)
    if isinstance(company, Mapping) and company["id"] != partner["id"]:
        of_company = _numbers(company, country)
        numbers = [number for number in numbers if number not in of_company]
    language = (partner.get("lang") or "")[:2]
    return Customer(
        id=CustomerId(str(partner["id"])),
        name=partner["name"] or _name(parent),
        numbers=tuple(numbers),
        language=Language(language) if language in set(Language) else None,
        postcode=partner.get("zip") or None,
        house_number=house_number(partner.get("street") or ""),
        customer_number=partner.get("ref") or None,
        email=partner.get("email") or None,
    )


def orders_from(orders: Iterable[Row], today: date) -> Sequence[Order]:
    """Orders; one that was promised for a day before `today`, and of which nothing has left, is delayed."""
    return [
        Order(
            number=order["name"],
            state=_order_state(order, today),
            description=_products(order) or order.get("client_order_ref") or "",
            expected_on=_day(order.get("commitment_date")),
        )
        for order in orders
    ]


def invoices_from(invoices: Iterable[Row], today: date) -> Sequence[Invoice]:
    """Invoices that have to be paid."""
    return [
        Invoice(
            number=invoice["name"],
            state=InvoiceState.OVERDUE if due_on and due_on < today else InvoiceState.OPEN,
            amount=Decimal(invoice["amount_residual"]),
            currency=invoice["currency_id"][1],
            due_on=due_on,
        )
        for invoice in invoices
        for due_on in [_day(invoice["invoice_date_due"])]
    ]


def cases_from(records: Iterable[Row]) -> Sequence[Case]:
    """Cases; Odoo knows leads and tasks by their id."""
    return [
        Case(
            number=str(record["id"]),
            state=CaseState.OPEN,
            subject=record["name"] or "",
            opened_on=_day(record["create_date"]),
        )
        for record in records
    ]


def _numbers(partner: Row, country: str) -> list[PhoneNumber]:
    own_country = partner.get("country_code") or country
    # Odoo read its only number already, in the same country.
    fields = NUMBER_FIELDS if "mobile" in partner or not partner.get("phone_sanitized") else NUMBER_FIELDS[:1]
    read = [parse_number(text, own_country) for field in fields if (text := partner.get(field))]
    return list(dict.fromkeys(number for number in read if number))


def _company(partner: Row) -> int | None:
    """The id of the company that a partner belongs to; their own if they belong to none."""
    company = partner.get("commercial_partner_id")
    id_: int | None = company["id"] if isinstance(company, Mapping) else company[0] if company else None
    return id_


def _name(parent: Any) -> str:
    """The name of another record: before Odoo 17 `[id, name]`."""
    name = parent["display_name"] if isinstance(parent, Mapping) else parent[1] if parent else ""
    return str(name)


def _order_state(order: Row, today: date) -> OrderState:
    promised = _day(order.get("commitment_date"))
    match order.get("delivery_status"):
        case "full":
            return OrderState.DELIVERED
        case "partial":
            return OrderState.ON_THE_WAY
        case _:
            return OrderState.DELAYED if promised and promised < today else OrderState.PLACED


def _products(order: Row) -> str:
    """The names of what was ordered; before Odoo 17 lines are known by their ids only."""
    lines = [line for line in order.get("order_line") or [] if isinstance(line, dict)]
    names = [line["product_id"]["name"] for line in lines if line.get("product_id")]
    return ", ".join(dict.fromkeys(names))


def _day(text: Any) -> date | None:
    """A date, or the date of a moment in UTC; False when it is not filled in."""
    return date.fromisoformat(text[:10]) if text else None
