"""From Tryton's records to customers and what they may call about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from integrations.tryton.client import Row
from ivr.domain.address import house_number
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.dossier import Case, CaseState, Invoice, InvoiceState, Order, OrderState
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber, parse_number

PHONES = ("phone", "mobile")

PARTY_FIELDS = (
    "name", "code", "active", "lang.code", "contact_mechanisms.type", "contact_mechanisms.value",
    "contact_mechanisms.value_compact", "addresses.street", "addresses.postal_code", "addresses.country.code",
)  # fmt: skip

ORDER_FIELDS = (
    "number", "state", "shipment_state", "shipping_date", "description", "lines.product.rec_name", "shipments.state",
    "shipments.planned_date",
)  # fmt: skip

INVOICE_FIELDS = ("number", "amount_to_pay", "amount_to_pay_today", "currency.code", "description")
DUE_FIELDS = ("lines_to_pay.maturity_date", "lines_to_pay.reconciliation")
"""On what day an invoice has to be paid stands in the book-keeping, which not every user may read."""

CASE_FIELDS = ("number", "state", "date", "description")


def customer_from(party: Row, country: str) -> Customer:
    """A customer. Numbers in national form are read in the country of the party's address, else in `country`."""
    addresses = party.get("addresses.") or []
    mechanisms = party.get("contact_mechanisms.") or []
    countries = [code for address in addresses if (code := (address.get("country.") or {}).get("code"))]
    numbers = [number for each in mechanisms if (number := _number(each, [*countries, country]))]
    language = str((party.get("lang.") or {}).get("code") or "")[:2]
    address = addresses[0] if addresses else {}
    return Customer(
        id=CustomerId(str(party["id"])),
        name=party.get("name") or "",
        numbers=tuple(dict.fromkeys(numbers)),
        language=Language(language) if language in set(Language) else None,
        postcode=address.get("postal_code") or None,
        house_number=house_number(address.get("street") or ""),
        customer_number=party.get("code") or None,
        email=next((each["value"] for each in mechanisms if each["type"] == "email"), None),
    )


def orders_from(sales: Iterable[Row], today: date) -> Sequence[Order]:
    """Orders; one that should have been sent before `today` and was not is delayed."""
    return [
        Order(
            number=sale.get("number") or str(sale["id"]),
            state=_order_state(sale, today),
            description=sale.get("description") or _products(sale),
            expected_on=_expected_on(sale),
        )
        for sale in sales
    ]


def invoices_from(invoices: Iterable[Row]) -> Sequence[Invoice]:
    """Invoices that have to be paid; Tryton itself says of which the day has passed."""
    return [
        Invoice(
            number=invoice.get("number") or str(invoice["id"]),
            state=InvoiceState.OVERDUE if (invoice.get("amount_to_pay_today") or 0) > 0 else InvoiceState.OPEN,
            amount=invoice["amount_to_pay"],
            currency=invoice["currency."]["code"],
            due_on=_due_on(invoice),
            description=invoice.get("description") or "",
        )
        for invoice in invoices
        if (invoice.get("amount_to_pay") or Decimal(0)) > 0  # a credit note is nothing to pay
    ]


def cases_from(complaints: Iterable[Row]) -> Sequence[Case]:
    """Cases; the first line of a complaint says what it is about."""
    return [
        Case(
            number=complaint.get("number") or str(complaint["id"]),
            state=CaseState.OPEN,
            subject=(complaint.get("description") or "").partition("\n")[0].strip(),
            opened_on=complaint.get("date"),
        )
        for complaint in complaints
    ]


def _number(mechanism: Row, countries: Sequence[str]) -> PhoneNumber | None:
    if mechanism["type"] not in PHONES:
        return None
    # `value_compact` is E.164 where the server has phonenumbers, and as typed where it has not.
    for text in (mechanism.get("value_compact") or "", mechanism.get("value") or ""):
        for country in countries:
            number = parse_number(text, country)
            if number:
                return number
    return None


def _order_state(sale: Row, today: date) -> OrderState:
    shipped = sale["shipment_state"]
    if sale["state"] == "done" or shipped == "sent":
        return OrderState.DELIVERED
    if shipped == "partially shipped" or any(each["state"] == "shipped" for each in sale.get("shipments.") or []):
        return OrderState.ON_THE_WAY
    expected_on = _expected_on(sale)
    late = expected_on is not None and expected_on < today
    return OrderState.DELAYED if late or shipped == "exception" else OrderState.PLACED


def _expected_on(sale: Row) -> date | None:
    """What was promised, else what is planned for the last shipment."""
    planned = [each["planned_date"] for each in sale.get("shipments.") or [] if each.get("planned_date")]
    promised: date | None = sale.get("shipping_date")
    return promised or max(planned, default=None)


def _due_on(invoice: Row) -> date | None:
    """The first day on which something has to be paid."""
    lines = [line for line in invoice.get("lines_to_pay.") or [] if not line["reconciliation"]]
    return min((line["maturity_date"] for line in lines if line["maturity_date"]), default=None)


def _products(sale: Row) -> str:
    names = [(line.get("product.") or {}).get("rec_name") for line in sale.get("lines.") or []]
    return ", ".join(dict.fromkeys(name for name in names if name))
