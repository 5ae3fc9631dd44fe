"""Tryton's records become customers and what they may call about."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from integrations.tryton.mapping import customer_from, invoices_from, orders_from
from ivr.domain.dossier import OrderState
from ivr.domain.line import PhoneNumber

TODAY = date(2026, 11, 22)
PARTY: dict[str, Any] = {
    "id": 7,
    "name": "Anna",
    "code": "K7",
    "lang.": None,
    "contact_mechanisms.": [],
    "addresses.": [],
}
SALE: dict[str, Any] = {
    "id": 3,
    "number": "3",
    "state": "processing",
    "shipment_state": "waiting",
    "shipping_date": None,
}


def test_a_party_of_which_nothing_more_is_known_is_a_customer() -> None:
    customer = customer_from(PARTY, "NL")
    assert (customer.id, customer.name, customer.numbers, customer.postcode, customer.email) == (
        "7",
        "Anna",
        (),
        None,
        None,
    )


def test_only_telephones_are_numbers_and_each_is_there_once() -> None:
    mechanisms = [
        {"type": "phone", "value": "030-0000101", "value_compact": "030-0000101"},
        {"type": "mobile", "value": "+31 30 000 0101", "value_compact": "+31300000101"},
        {"type": "fax", "value": "+31 30 000 0102", "value_compact": "+31300000102"},
        {"type": "phone", "value": "nog navragen", "value_compact": None},
    ]
    assert customer_from({**PARTY, "contact_mechanisms.": mechanisms}, "NL").numbers == (PhoneNumber("+31300000101"),)


@pytest.mark.parametrize(
    ("sale", "state"),
    [
        ({}, OrderState.PLACED),
        ({"shipment_state": "none"}, OrderState.PLACED),
        ({"shipping_date": date(2026, 11, 22)}, OrderState.PLACED),
        ({"shipping_date": date(2026, 11, 21)}, OrderState.DELAYED),
        ({"shipments.": [{"state": "waiting", "planned_date": date(2026, 11, 20)}]}, OrderState.DELAYED),
        ({"shipment_state": "exception"}, OrderState.DELAYED),
        ({"shipment_state": "partially shipped", "shipping_date": date(2026, 11, 21)}, OrderState.ON_THE_WAY),
        ({"shipments.": [{"state": "shipped", "planned_date": None}]}, OrderState.ON_THE_WAY),
        ({"shipment_state": "sent"}, OrderState.DELIVERED),
        ({"state": "done", "shipment_state": "none"}, OrderState.DELIVERED),
    ],
)
def test_the_state_of_an_order(sale: dict[str, Any], state: OrderState) -> None:
    (order,) = orders_from([{**SALE, **sale}], TODAY)
    assert order.state is state


def test_a_credit_note_is_nothing_to_pay() -> None:
    rows = [
        {"id": 1, "number": "1", "amount_to_pay": Decimal(amount), "currency.": {"code": "EUR"}}
        for amount in ("-5", "0")
    ]
    assert invoices_from(rows) == []
