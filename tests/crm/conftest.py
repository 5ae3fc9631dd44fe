"""Real customer systems, made once in var/crm and started once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
MINUTES = 600
"""Seconds that a test may take that is the first to need a system, which has to be made."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(MINUTES))


@pytest.fixture(scope="session")
def crm_home() -> Path:
    """Where customer systems are kept between runs."""
    return HERE.parents[1] / "var" / "crm"
