"""An address is read as people write it."""

from __future__ import annotations

import pytest

from ivr.domain.address import house_number


@pytest.mark.parametrize(
    ("street", "number"),
    [
        ("Kerkstraat 12", "12"),
        ("Kerkstraat 12 A", "12-A"),
        ("Kerkstraat 12-3", "12-3"),
        ("Kerkstraat 12bis", "12-bis"),
        ("1e Dorpsstraat 4", "4"),
        ("Plein 1944 12", "12"),
        ("Bondgenotenlaan 5 bus 301", "5"),
        ("Gebouw De Linde\nKade 7", "7"),
        ("Postbus", None),
        ("", None),
    ],
)
def test_a_house_number_stands_at_the_end_of_a_line(street: str, number: str | None) -> None:
    assert house_number(street) == number
