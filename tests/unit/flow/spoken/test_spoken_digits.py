"""Telephone numbers, order numbers and postcodes, in words."""

from __future__ import annotations

import pytest

from ivr.domain.language import Language
from ivr.flow.spoken import digits, phone, postcode
from ivr.flow.spoken.grouping import groups

NL, EN = Language.NL, Language.EN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("123456", ["123", "456"]),
        ("1234", ["1234"]),
        ("12345", ["123", "45"]),
        ("1234567", ["123", "4567"]),
        ("12-3456-78", ["12", "3456", "78"]),
        ("LN2045138", ["LN", "204", "5138"]),
        ("", []),
        (" - ", []),
    ],
)
def test_numbers_fall_into_groups_of_two_to_four(text: str, expected: list[str]) -> None:
    assert groups(text) == expected


def test_an_order_number_is_read_digit_by_digit_with_pauses() -> None:
    assert digits("LN-204513", NL) == "L N, twee nul vier, vijf één drie"
    assert digits("LN-204513", EN) == "L N, two zero four, five one three"


def test_a_postcode_is_digits_then_letters() -> None:
    assert postcode("9712ab", NL) == "negen zeven één twee, A B"
    assert postcode("9712 AB", EN) == "nine seven one two, A B"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("+31612345678", "nul zes, één twee, drie vier, vijf zes, zeven acht"),
        ("+31501234567", "nul vijf nul, één twee drie, vier vijf, zes zeven"),
        ("+31599123456", "nul vijf negen negen, één twee, drie vier, vijf zes"),
        ("+32470123456", "plus drie twee, vier zeven nul, één twee, drie vier, vijf zes"),
        ("204", "twee nul vier"),
        ("", ""),
    ],
)
def test_dutch_telephone_numbers_are_read_in_their_home_form(number: str, words: str) -> None:
    assert phone(number, NL) == words


def test_every_digit_of_a_foreign_number_is_read() -> None:
    assert phone("+442079460123", EN) == "plus four four, two zero, seven nine, four six, zero one, two three"


def test_home_is_a_matter_of_country() -> None:
    assert phone("+32470123456", EN, "BE") == "zero four seven zero, one two, three four, five six"
