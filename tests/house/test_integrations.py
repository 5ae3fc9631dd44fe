"""Every integration is whole, and the admin finds its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr.connectors.catalog import Catalog
from ivr.connectors.inspection import shortcomings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", Catalog().names())
def test_every_integration_passes_ivr_integrations_check(name: str) -> None:
    assert [f"{each.file.name}: {each.message}" for each in shortcomings(Catalog(), name)] == []


@pytest.mark.parametrize("name", Catalog().names())
def test_every_integration_s_page_is_listed(name: str) -> None:
    assert f"(../integrations/{name}/README.md)" in (ROOT / "docs/connectors.md").read_text()
