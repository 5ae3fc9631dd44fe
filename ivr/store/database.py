"""The database: one engine, its limits, and the border where its errors become ours."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import asyncpg
from sqlalchemy import Connection, Table, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from ivr.errors import SetupError, StoreError, StoreUnavailable
from ivr.store.migration import bring_up_to_date

Insert = sqlite.Insert | postgresql.Insert

SQLITE = "sqlite+aiosqlite"
POSTGRESQL = "postgresql+asyncpg"

# SQLite stops waiting for another process a little before the transaction's limit ends, which keeps the connection.
BUSY_SHARE = 0.8

# SQLSTATE classes that blame the values: data exception, integrity constraint violation (PostgreSQL, appendix A).
REFUSED_CLASSES = ("22", "23")

# Serialises on PostgreSQL what SQLite's single writer serialises by nature; the numbers only have to differ.
BOOKING_LOCK = 4_574_001
MIGRATION_LOCK = 4_574_002
FLOWS_LOCK = 4_574_003
DIALLING_LOCK = 4_574_004


class Database:
    """SQLite (`sqlite+aiosqlite:///path`) or PostgreSQL (`postgresql+asyncpg://user:password@host/name`).

    No transaction, from asking for a connection to the end of its commit, lasts longer
    than `timeout` seconds. Errors inside `reading` and `writing` come out as:

    - StoreUnavailable: the database is gone, locked, full or too slow; trying again later may help.
      What was being committed at that moment may or may not have been stored.
    - StoreError: the database refuses these values; trying again will not help.
    """

    def __init__(self, url: str, *, timeout: float) -> None:
        """Raises SetupError when the address is none of ours."""
        self._url = _checked(url)
        self._timeout = timeout
        self._engine = self._create_engine()
        # SQLite has one writer. Ours queue here, in order, instead of polling the file for their turn.
        self._writer = asyncio.Lock() if self.is_sqlite else nullcontext()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite; PostgreSQL when not."""
        return self._url.drivername == SQLITE

    @property
    def url(self) -> URL:
        """The address, with its password."""
        return self._url

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self._url.render_as_string(hide_password=True)

    async def migrate(self) -> None:
        """Bring the tables up to date, creating the database file if need be; safe when several nodes start at once.

        Raises:
            SetupError: the tables belong to a newer Klantlijn, or the file cannot be created.
            StoreUnavailable: the database cannot be reached.
        """
        if self.is_sqlite and self._url.database:
            try:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SetupError(f"the folder of {self._url.database} cannot be made: {error.strerror}") from error
            await self._use_write_ahead_log()
        async with self.writing() as connection:
            await self.lock(connection, MIGRATION_LOCK)
            await connection.run_sync(bring_up_to_date)

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads. Raises StoreUnavailable."""
        async with self._transaction(immediate=False) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes; on SQLite the write lock is taken first. Raises StoreUnavailable, StoreError."""
        async with self._transaction(immediate=True) as connection:
            yield connection

    async def lock(self, connection: AsyncConnection, key: int) -> None:
        """Wait for everybody else who locks `key`, until the transaction ends; SQLite's writers wait already."""
        if not self.is_sqlite:
            await connection.execute(select(func.pg_advisory_xact_lock(key)))

    def insert(self, table: Table) -> Insert:
        """An INSERT that knows ON CONFLICT."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    @asynccontextmanager
    async def _transaction(self, *, immediate: bool) -> AsyncIterator[AsyncConnection]:
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._writer if immediate else nullcontext(),
                self._engine.connect() as connection,
            ):
                await connection.execution_options(immediate=immediate)
                async with connection.begin():
                    yield connection
        except TimeoutError as error:
            raise StoreUnavailable(f"no answer within {self._timeout:g} s") from error
        # sqlite3 and asyncpg errors come bare while a connection is made, wrapped by SQLAlchemy later.
        except (SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            kind = StoreError if _is_refusal(error) else StoreUnavailable
            raise kind(_said(error)) from error

    async def _use_write_ahead_log(self) -> None:
        # The mode stays with the file. It cannot be changed inside a transaction, so this goes outside one.
        try:
            async with asyncio.timeout(self._timeout), self._engine.connect() as connection:
                await connection.run_sync(_write_ahead_log)
        except (TimeoutError, SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StoreUnavailable(_said(error)) from error

    def _create_engine(self) -> AsyncEngine:
        if self.is_sqlite:
            engine = create_async_engine(
                self._url,
                hide_parameters=True,
                pool_timeout=self._timeout,
                connect_args={"timeout": self._timeout * BUSY_SHARE},
            )
            event.listen(engine.sync_engine, "connect", _set_up_sqlite)
            event.listen(engine.sync_engine, "begin", _begin_sqlite)
            return engine
        limit = str(round(self._timeout * 1000))
        return create_async_engine(
            self._url,
            hide_parameters=True,
            pool_timeout=self._timeout,
            pool_pre_ping=True,
            connect_args={
                "timeout": self._timeout,
                "command_timeout": self._timeout,
                # A node that freezes inside a transaction must not hold up the others.
                "server_settings": {
                    "application_name": "klantlijn",
                    "idle_in_transaction_session_timeout": limit,
                },
            },
        )


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SetupError("database.url in config.yaml is not an address") from error
    if parsed.drivername not in (SQLITE, POSTGRESQL):
        raise SetupError(f"database.url must start with {SQLITE}:/// or {POSTGRESQL}://, not {parsed.drivername}")
    return parsed


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # Without its own idea of transactions, sqlite3 leaves BEGIN to _begin_sqlite (SQLAlchemy, "pysqlite transactions").
    connection.isolation_level = None
    cursor = connection.cursor()
    # FULL: a promise that was confirmed to a caller survives a loss of power.
    for pragma in ("foreign_keys = ON", "synchronous = FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _write_ahead_log(connection: Connection) -> None:
    driver = connection.connection.dbapi_connection
    if driver is None:
        raise StoreUnavailable("the connection was lost")
    cursor = driver.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def _is_refusal(error: BaseException) -> bool:
    if isinstance(error, IntegrityError) or (isinstance(error, StatementError) and not isinstance(error, DBAPIError)):
        return True
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, asyncpg.DataError) or str(getattr(cause, "sqlstate", "")).startswith(REFUSED_CLASSES):
            return True
        cause = cause.__cause__
    return False


def _said(error: BaseException) -> str:
    # Only the first line: the next ones repeat values, which may be somebody's number.
    source = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return (str(source).splitlines() or [type(source).__name__])[0]
