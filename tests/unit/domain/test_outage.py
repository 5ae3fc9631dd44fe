"""An outage concerns the callers in its region who have its product."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ivr.domain.outage import Outage, OutageId

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INTERNET = frozenset({"internet"})
NOTHING_KNOWN: frozenset[str] = frozenset()


def outage(region: str | None = None, product: str | None = None, closed_at: datetime | None = None) -> Outage:
    return Outage(OutageId("1"), NOON, region=region, product=product, closed_at=closed_at)


@pytest.mark.parametrize(
    ("region", "product", "concerned"),
    [
        (None, None, True),
        ("Groningen", None, True),
        ("Utrecht", None, False),
        (None, "internet", True),
        (None, "tv", False),
        ("Groningen", "internet", True),
        ("Groningen", "tv", False),
        ("Utrecht", "internet", False),
    ],
)
def test_a_customer_in_groningen_with_internet(region: str | None, product: str | None, concerned: bool) -> None:
    assert outage(region, product).concerns(region="Groningen", products=INTERNET) is concerned


def test_a_caller_from_nowhere_is_not_in_a_region() -> None:
    assert not outage("Groningen").concerns(region=None, products=INTERNET)
    assert outage().concerns(region=None, products=NOTHING_KNOWN)


def test_a_caller_whose_products_are_not_known_is_told_of_any_product() -> None:
    assert outage("Groningen", "tv").concerns(region="Groningen", products=NOTHING_KNOWN)


def test_a_closed_outage_concerns_nobody() -> None:
    closed = outage(closed_at=NOON)
    assert not closed.is_open
    assert not closed.concerns(region=None, products=NOTHING_KNOWN)
