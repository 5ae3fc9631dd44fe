"""The private Asterisk: it starts clean, is asked, and gives way to nobody and nothing."""

from __future__ import annotations

import pytest

from tests.asterisk.asterisk_under_test import AsteriskUnderTest

pytestmark = pytest.mark.asterisk


async def test_starts_without_a_warning_in_its_log(asterisk: AsteriskUnderTest) -> None:
    await asterisk.restart()
    assert asterisk.complaints() == []
    assert "Asterisk Ready" in asterisk.log.read_text()
