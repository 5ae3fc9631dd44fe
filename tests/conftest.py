"""What tests stand on: a private PostgreSQL, and a fresh database of each kind."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ivr.store.database import Database
from tests.private_postgresql import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running PostgreSQL, shared by all tests that do not stop it."""
    with tempfile.TemporaryDirectory(prefix="klantlijn-postgresql-") as folder:
        running = Cluster.create(Path(folder))
        running.start()
        yield running
        running.stop()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A running PostgreSQL for one test, to stop and start."""
    with tempfile.TemporaryDirectory(prefix="klantlijn-postgresql-") as folder:
        running = Cluster.create(Path(folder))
        running.start()
        yield running
        running.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new, empty database; tests that ask for it run once for each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'klantlijn.db'}"
    running: Cluster = request.getfixturevalue("cluster")
    return running.new_database()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A new database with all tables, once for each kind."""
    opened = Database(database_url, timeout=5.0)
    await opened.migrate()
    yield opened
    await opened.close()
