"""An address as people write it, and what of it is asked for by itself."""

from __future__ import annotations

import re

HOUSE_NUMBER = re.compile(
    r"(?P<number>\d+)(?:\s*-\s*(?P<part>\w{1,4})|\s*(?P<letters>[A-Za-z]{1,4}))?(?:\s+bus\s+\w+)?\s*$"
)


def house_number(street: str) -> str | None:
    """The house number at the end of an address's first line that has one: `12`, `12-A`."""
    for line in street.splitlines():
        found = HOUSE_NUMBER.search(line)
        if found:
            behind = found["part"] or found["letters"]
            return f"{found['number']}-{behind}" if behind else found["number"]
    return None


def same_postcode_digits(one: str | None, other: str | None) -> bool:
    """Whether two postcodes have the same digits, which is what can be keyed of them; not when there are none."""
    return _digits(one) == _digits(other) != ""


def _digits(postcode: str | None) -> str:
    return "".join(each for each in postcode or "" if each.isdigit())
