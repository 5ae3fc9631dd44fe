"""Regions: parts of the country that share a network, named by the organisation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ivr.domain.line import PhoneNumber


@dataclass(frozen=True, slots=True)
class Region:
    """A region: Dutch postcodes as inclusive ranges of their four digits, and E.164 prefixes of fixed lines."""

    name: str
    postcodes: tuple[tuple[int, int], ...] = ()
    prefixes: tuple[str, ...] = ()


def region_of(regions: Sequence[Region], *, postcode: str | None, number: PhoneNumber | None) -> str | None:
    """The name of the region of a postcode or, failing that, of a fixed line's number."""
    digits = re.match(r"\s*(\d{4})", postcode or "")
    if digits:
        area = int(digits[1])
        for region in regions:
            if any(low <= area <= high for low, high in region.postcodes):
                return region.name
    if number:
        for region in regions:
            if number.startswith(region.prefixes):
                return region.name
    return None
