"""Rows become customers."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from integrations.sql.client import query_mistake
from integrations.sql.mapping import column_mistakes, customers_from
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.dossier import Order, OrderState
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber

MOBILE, AMSTERDAM, BELGIAN = map(PhoneNumber, ("+31612345678", "+31201234567", "+32470123456"))
ANNA = {"customer_id": 7, "name": "Anna", "number": "020-1234567"}


def test_several_rows_of_a_customer_are_one_customer() -> None:
    rows = [
        {**ANNA, "products": "tv", "order_number": "B1", "order_state": "on_the_way"},
        {**ANNA, "products": "internet", "order_number": "B1", "order_state": "on_the_way"},
        {**ANNA, "products": "tv", "order_number": "B2", "order_state": "placed", "order_description": "modem"},
        {**ANNA, "number": "06-12345678", "products": None, "order_number": None, "order_state": None},
    ]
    assert customers_from(rows, "NL") == [
        Customer(
            CustomerId("7"),
            "Anna",
            (AMSTERDAM, MOBILE),
            products=frozenset({"tv", "internet"}),
            orders=(Order("B1", OrderState.ON_THE_WAY), Order("B2", OrderState.PLACED, "modem")),
        )
    ]


def test_customers_who_share_a_number_stay_apart() -> None:
    rows = [ANNA, {**ANNA, "customer_id": 8, "name": "Bram"}]
    assert [customer.name for customer in customers_from(rows, "NL")] == ["Anna", "Bram"]


@pytest.mark.parametrize(
    ("stored", "language"),
    [("nl", Language.NL), ("EN", Language.EN), ("nl_BE", Language.NL), ("fr", None), (None, None), ("", None)],
)
def test_languages_as_systems_store_them(stored: str | None, language: Language | None) -> None:
    (customer,) = customers_from([{**ANNA, "language": stored}], "NL")
    assert customer.language == language


@pytest.mark.parametrize(
    ("stored", "day"),
    [
        (date(2026, 11, 23), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 14, 0), date(2026, 11, 23)),  # noqa: DTZ001 - as databases give it
        ("2026-11-23", date(2026, 11, 23)),
        ("2026-11-23 14:00:00", date(2026, 11, 23)),
        ("soon", None),
        (None, None),
    ],
)
def test_dates_as_databases_give_them(stored: object, day: date | None) -> None:
    row = {**ANNA, "order_number": "B1", "order_state": "placed", "order_expected_on": stored}
    assert customers_from([row], "NL")[0].orders[0].expected_on == day


def test_what_a_caller_can_prove_is_read_as_it_is_stored() -> None:
    rows = [
        {**ANNA, "house_number": None, "birth_date": None},
        {**ANNA, "house_number": 12, "birth_date": "1985-04-12"},
    ]
    (customer,) = customers_from(rows, "NL")
    assert (customer.house_number, customer.birth_date) == ("12", date(1985, 4, 12))
    (customer,) = customers_from([{**ANNA, "house_number": " 7-A ", "birth_date": "unknown"}], "NL")
    assert (customer.house_number, customer.birth_date) == ("7-A", None)


def test_an_order_in_a_state_that_is_not_ours_is_left_out() -> None:
    rows = [{**ANNA, "order_number": "B1", "order_state": "verzonden"}]
    assert customers_from(rows, "NL")[0].orders == ()


def test_rows_without_a_customer_or_a_readable_number_claim_nothing() -> None:
    assert customers_from([{**ANNA, "customer_id": None}], "NL") == []
    assert customers_from([{**ANNA, "number": "see notes"}, {**ANNA, "number": None}], "NL")[0].numbers == ()


def test_national_numbers_are_read_in_the_organisations_country() -> None:
    row = {**ANNA, "number": "0470 12 34 56"}
    assert customers_from([row], "BE")[0].numbers == (BELGIAN,)
    assert customers_from([row], "NL")[0].numbers == ()


def test_every_mistake_in_the_columns_is_told() -> None:
    assert column_mistakes(["customer_id", "name", "number", "postcode"]) == []
    mistakes = column_mistakes(["customer_id", "naam", "number", "order_number", "colour"])
    assert [mistake.partition(";")[0] for mistake in mistakes] == [
        "the query gives no column 'name'",
        "the query gives a column 'colour' that means nothing here",
        "the query gives a column 'naam' that means nothing here",
        "the query gives order_number without order_state",
    ]
    assert "did you mean 'name'?" in mistakes[2]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 1 WHERE '1' IN :numbers", ""),
        ("SELECT n::text FROM t WHERE n IN :numbers", ""),
        ("SELECT 1", "WHERE your_column IN :numbers"),
        ("SELECT 1 WHERE a IN :numbers AND b = :region", "other parameters than :numbers: region"),
    ],
)
def test_a_query_that_cannot_be_asked_is_told(query: str, told: str) -> None:
    mistake = query_mistake(query, ["numbers"], "write WHERE your_column IN :numbers")
    assert told in mistake
    assert bool(told) == bool(mistake)
