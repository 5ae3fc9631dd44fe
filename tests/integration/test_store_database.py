"""The database itself: its tables, its limits, and the border where its errors become ours."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, delete, insert, select, text, update

from ivr.errors import SetupError, StoreError, StoreUnavailable
from ivr.store.changes import StoredChanges
from ivr.store.database import Database
from ivr.store.tables import metadata, splits, switches
from tests.private_postgresql import Cluster


async def test_migrations_make_exactly_the_tables_that_the_code_uses(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_again_changes_nothing(database: Database) -> None:
    await database.migrate()
    assert await StoredChanges(database).revision() == 0


async def test_nodes_that_start_together_migrate_once(database_url: str) -> None:
    nodes = [Database(database_url, timeout=20.0) for _ in range(3)]
    await asyncio.gather(*(node.migrate() for node in nodes))
    assert await StoredChanges(nodes[0]).revision() == 0
    for node in nodes:
        await node.close()


async def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupError, match="newer version"):
        await database.migrate()


async def test_a_failed_transaction_leaves_nothing_behind(database: Database) -> None:

    async def set_twice() -> None:
        async with database.writing() as connection:
            await connection.execute(insert(splits).values(queue="support", percent={"own": 100}))
            await connection.execute(insert(splits).values(queue="support", percent={"own": 100}))

    with pytest.raises(StoreError) as failure:
        await set_twice()
    assert not isinstance(failure.value, StoreUnavailable)
    async with database.reading() as connection:
        assert (await connection.execute(select(splits))).all() == []


async def test_a_cancelled_writer_leaves_no_lock_behind(database: Database) -> None:
    """A caller may hang up at any moment of a booking."""
    begun = asyncio.Event()

    async def write() -> None:
        async with database.writing() as connection:
            await connection.execute(update(switches).values(revision=7))
            begun.set()
            await asyncio.Event().wait()

    writer = asyncio.create_task(write())
    await begun.wait()
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    async with database.writing() as connection:
        await connection.execute(update(switches).values(revision=switches.c.revision + 1))
    assert await StoredChanges(database).revision() == 1


async def test_a_transaction_that_takes_too_long_is_given_up(database_url: str) -> None:
    database = Database(database_url, timeout=5.0)
    await database.migrate()
    hasty = Database(database_url, timeout=0.2)

    async def write_for_ever() -> None:
        async with hasty.writing() as connection:
            await connection.execute(delete(splits))
            await asyncio.Event().wait()

    with pytest.raises(StoreUnavailable):
        await write_for_ever()
    async with database.writing() as connection:
        await connection.execute(delete(splits))
    await hasty.close()
    await database.close()


async def test_a_locked_sqlite_is_unavailable_and_then_available_again(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'k.db'}", timeout=0.3)
    await database.migrate()
    other = sqlite3.connect(tmp_path / "k.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="locked"):
        async with database.writing() as connection:
            await connection.execute(delete(splits))
    other.execute("ROLLBACK")
    other.close()
    async with database.writing() as connection:
        await connection.execute(delete(splits))
    await database.close()


async def test_an_unreadable_sqlite_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "k.db").write_bytes(b"this is no database, but it is long enough to look at" * 100)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'k.db'}", timeout=1.0)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await database.migrate()
    await database.close()


async def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'file' / 'sub' / 'k.db'}", timeout=1.0)
    with pytest.raises(SetupError, match="cannot be made"):
        await database.migrate()


@pytest.mark.postgresql
async def test_a_stopped_postgresql_is_unavailable_and_then_available_again(own_cluster: Cluster) -> None:
    database = Database(own_cluster.new_database(), timeout=2.0)
    await database.migrate()
    own_cluster.stop()
    with pytest.raises(StoreUnavailable):
        await StoredChanges(database).revision()
    own_cluster.start()
    assert await StoredChanges(database).revision() == 0
    await database.close()


def test_an_address_of_another_kind_is_refused_without_showing_its_password() -> None:
    with pytest.raises(SetupError, match="must start with") as failure:
        Database("mysql://root:secret@example.org/x", timeout=1.0)
    assert "secret" not in str(failure.value)
