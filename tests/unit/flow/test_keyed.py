"""Facts about what is keyed: whatever the keys, a value of the type that was asked for, or none."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.line import parse_number
from ivr.flow import keyed
from ivr.flow.keyed import Address, Bound, bound

TODAY = date(2026, 11, 23)
FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
KEYS = st.text("0123456789*", max_size=20)
DAYS = st.dates(FIRST, LAST)


@given(DAYS)
def test_every_date_can_be_keyed(day: date) -> None:
    assert keyed.read_date(f"{day:%d%m%Y}", FIRST, LAST) == day


@given(DAYS, DAYS, KEYS)
def test_a_date_lies_within_its_bounds(earliest: date, latest: date, keys: str) -> None:
    found = keyed.read_date(keys, earliest, latest)
    assert found is None or (earliest <= found <= latest and f"{found:%d%m%Y}" == keys)


@pytest.mark.parametrize("keys", ["29022026", "00012026", "01002026", "31042026", "01010000", "0101202", "010120260"])
def test_what_is_no_date_is_not_taken(keys: str) -> None:
    assert keyed.read_date(keys, date.min, date.max) is None


@given(st.dates(TODAY - timedelta(days=182), TODAY + timedelta(days=182)))
def test_a_day_without_a_year_is_the_nearest(day: date) -> None:
    assert keyed.read_day(f"{day:%d%m}", FIRST, LAST, TODAY) == day


@given(DAYS, DAYS, DAYS, KEYS)
def test_a_day_lies_within_its_bounds_and_none_is_nearer(today: date, earliest: date, latest: date, keys: str) -> None:
    found = keyed.read_day(keys, earliest, latest, today)
    if found is not None:
        assert earliest <= found <= latest
        assert f"{found:%d%m}" == keys
        nearer = [keyed.shift_years(found, years) for years in (-1, 1)]
        assert not any(
            earliest <= day <= latest and abs(day - today) < abs(found - today)
            for day in nearer
            if day.day == found.day
        )


def test_the_29th_of_february_is_in_a_leap_year() -> None:
    assert keyed.read_day("2902", FIRST, LAST, TODAY) == date(2028, 2, 29)
    assert keyed.read_day("2902", FIRST, date(2027, 12, 31), TODAY) == date(2024, 2, 29)


@given(st.decimals(0, 9_999_999, places=2))
def test_every_amount_can_be_keyed(amount: Decimal) -> None:
    euros, _, cents = f"{amount:.2f}".partition(".")
    assert keyed.read_amount(f"{euros}*{cents}", Decimal(0), Decimal(10**7)) == amount


@given(KEYS)
def test_an_amount_has_at_most_two_decimals_and_lies_within_its_bounds(keys: str) -> None:
    found = keyed.read_amount(keys, Decimal(5), Decimal(500))
    assert found is None or (5 <= found <= 500 and found.as_tuple().exponent == -2)


@pytest.mark.parametrize("keys", ["", "*", "12*5", "12*505", "1*2*3", "12345678"])
def test_what_is_no_amount_is_not_taken(keys: str) -> None:
    assert keyed.read_amount(keys, Decimal(0), Decimal(10**9)) is None


@pytest.mark.parametrize(("keys", "amount"), [("12", "12"), ("12*50", "12.50"), ("*50", "0.50"), ("007", "7")])
def test_cents_may_be_left_out_and_stand_alone(keys: str, amount: str) -> None:
    assert keyed.read_amount(keys, Decimal(0), Decimal(1000)) == Decimal(amount)


@given(st.integers(1000, 9999), st.integers(1, 99_999))
def test_every_address_can_be_keyed(postcode: int, house_number: int) -> None:
    assert keyed.read_address(f"{postcode}{house_number}") == Address(str(postcode), house_number)


@pytest.mark.parametrize("keys", ["", "3511", "051112", "351101", "3511*12", "3511123456"])
def test_what_is_no_address_is_not_taken(keys: str) -> None:
    assert keyed.read_address(keys) is None


@given(KEYS, st.integers(1, 10), st.integers(1, 10))
def test_digits_are_as_many_as_may_be(keys: str, shortest: int, longest: int) -> None:
    found = keyed.read_digits(keys, shortest, longest)
    assert (found == keys) == ("*" not in keys and shortest <= len(keys) <= longest and keys != "")


@given(KEYS)
def test_a_telephone_number_is_one_or_none(keys: str) -> None:
    found = keyed.read_phone(keys, "NL")
    assert found is None or found == parse_number(keys, "NL")


def test_only_one_and_two_are_yes_and_no() -> None:
    assert [keyed.read_yes_no(key) for key in ("1", "2", "3", "", "11")] == [True, False, None, None, None]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-12-31", date(2026, 12, 31)),
        ("today", TODAY),
        ("today+30d", TODAY + timedelta(days=30)),
        ("today - 1d", TODAY - timedelta(days=1)),
        ("today-18y", date(2008, 11, 23)),
    ],
)
def test_a_bound_is_a_date_or_so_long_from_today(written: str, day: date) -> None:
    assert bound(written).on(TODAY) == day


@given(DAYS, st.integers(-99_999, 99_999), st.integers(-999, 999))
def test_a_bound_is_always_a_date(today: date, days: int, years: int) -> None:
    assert isinstance(Bound(days=days, years=years).on(today), date)


@given(st.text(max_size=30).filter(lambda text: "today" not in text and not any(c.isdigit() for c in text)))
def test_what_is_no_bound_is_refused_in_words(written: str) -> None:
    with pytest.raises(ValueError, match="is not a date; write such as"):
        bound(written)
