"""A region follows from a postcode, else from the number of a fixed line."""

from __future__ import annotations

import pytest

from ivr.domain.line import PhoneNumber
from ivr.domain.region import Region, region_of

REGIONS = (
    Region("Noord", prefixes=("+315",)),
    Region("Groningen", postcodes=((9700, 9747),), prefixes=("+3150",)),
    Region("Utrecht", postcodes=((3500, 3585),), prefixes=("+3130",)),
)
GRONINGEN, UTRECHT, ZWOLLE, MOBILE = map(PhoneNumber, ("+31500000102", "+31300000101", "+31528000000", "+31612345678"))


@pytest.mark.parametrize(
    ("postcode", "number", "region"),
    [
        ("9712 CD", None, "Groningen"),
        ("9712CD", MOBILE, "Groningen"),
        (" 9700", None, "Groningen"),
        ("9747", None, "Groningen"),
        ("9748", None, None),
        ("3511 AB", GRONINGEN, "Utrecht"),
        (None, GRONINGEN, "Groningen"),
        ("", UTRECHT, "Utrecht"),
        ("onbekend", UTRECHT, "Utrecht"),
        (None, MOBILE, None),
        (None, None, None),
    ],
)
def test_region_of_postcode_and_number(postcode: str | None, number: PhoneNumber | None, region: str | None) -> None:
    assert region_of(REGIONS, postcode=postcode, number=number) == region


def test_the_longest_prefix_wins() -> None:
    assert region_of(REGIONS, postcode=None, number=GRONINGEN) == "Groningen"
    assert region_of(REGIONS, postcode=None, number=ZWOLLE) == "Noord"


def test_a_postcode_of_five_digits_is_no_dutch_one() -> None:
    assert region_of(REGIONS, postcode="97121", number=None) is None


def test_who_lives_elsewhere_is_not_put_in_the_region_of_their_number() -> None:
    """A customer in Amsterdam who kept a Utrecht number has no outage in Utrecht."""
    assert region_of(REGIONS, postcode="1011 AB", number=UTRECHT) is None


def test_a_region_without_postcodes_is_found_by_number_all_the_same() -> None:
    assert region_of(REGIONS, postcode="7941 AB", number=ZWOLLE) == "Noord"
