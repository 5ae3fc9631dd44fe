"""Where callers may be taken: nowhere but where the configuration says."""

from __future__ import annotations

import pytest

from ivr.domain.hand_over import Destination, Destinations, read_destination

KNOWN = Destinations({"reception": Destination("201", "reception")}, ("+3120", "3"))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("+31201234567", "+31201234567"),
        ("020-1234567", "+31201234567"),
        ("0031201234567", "+31201234567"),
        ("201", "201"),
        (" 201 ", "201"),
        ("1", None),
        ("0900&201", None),
        ("201,60", None),
        ("201;x", None),
        ("+31201234567\n201", None),
        ("PJSIP/201", None),
        ("٢٠١", None),
        ("+1 900", None),
        ("", None),
    ],
)
def test_a_number_is_read_as_e164_or_an_extension_and_nothing_else(written: str, read: str | None) -> None:
    assert read_destination(written, "NL") == read


def test_callers_may_be_taken_to_names_and_to_allowed_prefixes_only() -> None:
    assert KNOWN.find("reception") == Destination("201", "reception")
    assert KNOWN.find("0201234567") == Destination("+31201234567")
    assert KNOWN.find("312") == Destination("312")
    assert [KNOWN.find(number) for number in ("201", "+31301234567", "+4420", "nobody")] == [None] * 4
    assert KNOWN.allowed("reception") is None


def test_nothing_is_allowed_that_was_not_written_down() -> None:
    assert [Destinations().find(number) for number in ("201", "+31201234567", "reception")] == [None] * 3


def test_the_name_or_the_number_with_its_middle_hidden_is_shown() -> None:
    shown = [Destination("+31201234567").shown, Destination("+31201234567", "bea").shown, Destination("201").shown]
    assert shown == ["+312******67", "bea", "201"]
