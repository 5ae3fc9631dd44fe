"""Odoo's records become customers and what they may call about."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from integrations.odoo.mapping import customer_from, customers_from, invoices_from, orders_from
from ivr.domain.dossier import InvoiceState, OrderState
from ivr.domain.line import PhoneNumber

TODAY = date(2026, 11, 22)
UTRECHT, OTHER = PhoneNumber("+31300000101"), PhoneNumber("+31300000102")
PARTNER: dict[str, Any] = {"id": 7, "name": "Anna", "phone": "030-0000101", "phone_sanitized": UTRECHT}


def test_a_partner_of_whom_nothing_more_is_known_is_a_customer() -> None:
    customer = customer_from(PARTNER, "NL")
    assert (customer.id, customer.name, customer.numbers) == ("7", "Anna", (UTRECHT,))
    assert (customer.language, customer.postcode, customer.email) == (None, None, None)


def test_an_old_odoo_s_mobile_number_counts_too() -> None:
    assert customer_from({**PARTNER, "mobile": "030-0000102"}, "NL").numbers == (UTRECHT, OTHER)


def test_a_number_is_read_in_the_partner_s_country() -> None:
    partner = {"id": 7, "name": "Mieke", "phone": "016 00 01 06", "phone_sanitized": False, "country_code": "BE"}
    assert customer_from(partner, "NL").numbers == ("+3216000106",)


@pytest.mark.parametrize("company", [{"id": 3, "phone_sanitized": UTRECHT}, [3, "Bakkerij"]])
def test_from_a_number_that_a_company_has_too_the_company_calls(company: Any) -> None:
    bakery = {**PARTNER, "id": 3, "name": "Bakkerij", "commercial_partner_id": [3, "Bakkerij"]}
    baker = {**PARTNER, "commercial_partner_id": company}
    assert [customer.name for customer in customers_from([bakery, baker], UTRECHT, "NL")] == ["Bakkerij"]


def test_a_person_at_a_company_has_their_own_numbers() -> None:
    baker = {**PARTNER, "commercial_partner_id": {"id": 3, "phone_sanitized": OTHER}}
    assert customers_from([baker], UTRECHT, "NL")[0].numbers == (UTRECHT,)


@pytest.mark.parametrize("parent", [{"id": 3, "display_name": "Bakkerij"}, [3, "Bakkerij"]])
def test_an_address_without_a_name_has_its_company_s(parent: Any) -> None:
    assert customer_from({**PARTNER, "name": False, "parent_id": parent}, "NL").name == "Bakkerij"


def test_who_has_another_number_was_not_found() -> None:
    assert customers_from([PARTNER], OTHER, "NL") == []


@pytest.mark.parametrize(
    ("order", "state"),
    [
        ({}, OrderState.PLACED),
        ({"delivery_status": "started", "commitment_date": "2026-11-22 08:00:00"}, OrderState.PLACED),
        ({"delivery_status": "pending", "commitment_date": "2026-11-21 22:00:00"}, OrderState.DELAYED),
        ({"delivery_status": "partial", "commitment_date": "2026-11-21 22:00:00"}, OrderState.ON_THE_WAY),
        ({"delivery_status": "full"}, OrderState.DELIVERED),
    ],
)
def test_the_state_of_an_order(order: dict[str, Any], state: OrderState) -> None:
    (told,) = orders_from([{"name": "S00001", **order}], TODAY)
    assert told.state is state


def test_an_order_is_described_by_its_products_else_by_the_customer_s_reference() -> None:
    lines = [{"id": 1, "product_id": {"id": 1, "name": "Modem"}}, {"id": 2, "product_id": False}]
    with_lines, with_ids = orders_from(
        [
            {"name": "S1", "order_line": lines, "client_order_ref": "PO 4"},
            {"name": "S2", "order_line": [1, 2], "client_order_ref": "PO 5"},
        ],
        TODAY,
    )
    assert (with_lines.description, with_ids.description) == ("Modem", "PO 5")


@pytest.mark.parametrize(
    ("due", "state"),
    [("2026-11-22", InvoiceState.OPEN), ("2026-11-21", InvoiceState.OVERDUE), (False, InvoiceState.OPEN)],
)
def test_an_invoice_is_overdue_when_its_day_has_passed(due: Any, state: InvoiceState) -> None:
    row = {"name": "INV/1", "amount_residual": Decimal("99.9"), "currency_id": [1, "EUR"], "invoice_date_due": due}
    (invoice,) = invoices_from([row], TODAY)
    assert (invoice.state, invoice.amount) == (state, Decimal("99.90"))
