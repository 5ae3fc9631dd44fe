"""An outage: a fault that many callers share, and what they are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber

OutageId = NewType("OutageId", str)


@dataclass(frozen=True, slots=True)
class Outage:
    """A fault in a region, of a product. `region` or `product` None means: all of them.

    Times are aware UTC datetimes. `text` says it in the organisation's own words per
    language; without it the standard announcement is used.
    """

    id: OutageId
    opened_at: datetime
    region: str | None = None
    product: str | None = None
    text: Mapping[Language, str] = field(default_factory=dict)
    expected_end: datetime | None = None
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the outage still lasts."""
        return self.closed_at is None

    def concerns(self, *, region: str | None, products: frozenset[str]) -> bool:
        """Whether a caller from `region` with `products` is touched.

        A caller whose products are not known is touched by a product's outage in
        their region: better told once too often than left to wait for an agent.
        """
        in_region = self.region is None or self.region == region
        has_product = self.product is None or not products or self.product in products
        return self.is_open and in_region and has_product


@dataclass(frozen=True, slots=True)
class OutageNotice:
    """Somebody wants to be called when an outage is over: on this number, in this language."""

    outage_id: OutageId
    number: PhoneNumber
    language: Language
    contact_id: str
    customer_id: str | None = None
