"""Dates, times and amounts as people read them."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from ivr.domain.language import Language
from ivr.flow.written import written


@pytest.mark.parametrize(
    ("value", "nl", "en"),
    [
        (date(2026, 3, 4), "4 maart 2026", "4 March 2026"),
        (time(9, 5), "09:05", "09:05"),
        (datetime(2026, 12, 31, 23, 59), "31 december 2026 23:59", "31 December 2026 23:59"),  # noqa: DTZ001 - local
        (Decimal("12.5"), "€ 12,50", "€12.50"),
        (Decimal("1234567.005"), "€ 1.234.567,01", "€1,234,567.01"),
        (Decimal("-3"), "€ -3,00", "€-3.00"),
    ],
)
def test_it_is_written_as_in_the_language(value: date | time | Decimal, nl: str, en: str) -> None:
    assert (written(value, Language.NL), written(value, Language.EN)) == (nl, en)
