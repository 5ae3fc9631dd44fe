"""Regions: parts of the country that share a network, named by the organisation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from ivr.domain.line import PhoneNumber


@dataclass(frozen=True, slots=True)
class Region:
    """A region: Dutch postcodes as inclusive ranges of their four digits, and E.164 prefixes of fixed lines."""

    name: str
    postcodes: tuple[tuple[int, int], ...] = ()
    prefixes: tuple[str, ...] = ()


def region_of(regions: Sequence[Region], *, postcode: str | None, number: PhoneNumber | None) -> str | None:
    """The name of the region of a postcode or, failing that, of a fixed line's number.

    A postcode is where the customer lives, so it outweighs the number: a region that
    lists postcodes, but not this one, is not chosen for the number either. The longest
    prefix wins.
    """
    digits = re.match(r"\s*(\d{4})(?!\d)", postcode or "")
    if digits:
        area = int(digits[1])
        for region in regions:
            if any(low <= area <= high for low, high in region.postcodes):
                return region.name
        regions = [region for region in regions if not region.postcodes]
    fitting = [
        (len(prefix), region.name)
        for region in regions
        for prefix in region.prefixes
        if number is not None and number.startswith(prefix)
    ]
    return max(fitting, key=itemgetter(0), default=(0, None))[1]
