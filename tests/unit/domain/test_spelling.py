"""A number is looked for as clerks type it."""

from __future__ import annotations

import pytest

from ivr.domain.line import PhoneNumber, parse_number
from ivr.domain.spelling import Spelling, spelled

MOBILE, AMSTERDAM, BELGIAN = map(PhoneNumber, ("+31612345678", "+31201234567", "+32470123456"))


def test_the_spellings_of_a_mobile_number() -> None:
    assert spelled(MOBILE, Spelling) == [
        "+31612345678",
        "31612345678",
        "0031612345678",
        "0612345678",
        "06-12345678",
        "06 12345678",
        "06/12345678",
        "+31 6 12345678",
        "+31 (0)6 12345678",
        "+31(0)612345678",
        "(06) 12345678",
    ]


def test_the_spellings_of_a_fixed_number() -> None:
    assert spelled(AMSTERDAM, [Spelling.HYPHEN, Spelling.SPACE, Spelling.GROUPED, Spelling.BRACKETS]) == [
        "020-1234567",
        "020 1234567",
        "020 123 4567",
        "+31 (0)20 1234567",
    ]


@pytest.mark.parametrize(("number", "country"), [(MOBILE, "NL"), (AMSTERDAM, "NL"), (BELGIAN, "BE")])
def test_every_spelling_is_read_back_as_the_number(number: PhoneNumber, country: str) -> None:
    assert {parse_number(form, country) for form in spelled(number, Spelling)} == {number}
