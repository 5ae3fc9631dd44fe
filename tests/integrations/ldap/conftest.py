"""A real slapd with a few people, and connectors to it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.crm.slapd import READER, READER_PASSWORD, SUFFIX, RunningSlapd, slapd
from integrations.ldap.connector import LdapConnector, LdapSettings
from ivr.connectors.connector import Surroundings
from tests.integrations.ldap.people import ENTRIES, Connect

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def directory() -> Iterator[RunningSlapd]:
    """A running slapd, shared by all tests that change nothing."""
    with (
        tempfile.TemporaryDirectory(prefix="klantlijn-slapd-") as folder,
        slapd(ROOT / "var/crm/slapd", Path(folder) / "run", print, entries=ENTRIES) as running,
    ):
        yield running


@pytest.fixture
def own_directory(tmp_path: Path) -> Iterator[RunningSlapd]:
    """A running slapd for one test, to change and to stop."""
    with slapd(ROOT / "var/crm/slapd", tmp_path / "run", print, entries=ENTRIES) as running:
        yield running


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes a connector to a directory; closed afterwards."""
    made: list[LdapConnector] = []
    (tmp_path / "ldap.password").write_text(READER_PASSWORD + "\n")

    def connector(directory: RunningSlapd | None = None, timeout: float = 5.0, **settings: Any) -> LdapConnector:
        values = {
            "url": directory.url if directory else None,
            "base": SUFFIX,
            "bind_dn": READER,
            "password_file": "ldap.password",
        }
        surroundings = Surroundings(folder=tmp_path, timeout=timeout)
        made.append(LdapConnector(LdapSettings(**values | settings), surroundings))
        return made[-1]

    yield connector
    for each in made:
        await each.close()
