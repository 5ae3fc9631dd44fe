"""A database asked by one query: SQLAlchemy's engine, its limits, and its exceptions turned into ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, AsyncAdaptedQueuePool, TextClause, bindparam, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ivr.connectors.connector import Surroundings
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable

MOST_ROWS = 500
"""Rows read for one number. More means that the query does not select by number."""

NOBODY = "+0"
"""A number that nobody has, to ask for a query's columns without anybody's data."""


class SqlClient:
    """One query on one database; `query` holds the bind parameter `:numbers`, a list."""

    def __init__(self, url: URL, query: str, surroundings: Surroundings) -> None:
        self._query = _with_numbers(query)
        self._engine = _engine(url, surroundings)

    async def columns(self) -> Sequence[str]:
        """The names of the query's columns. Raises ConnectorError."""
        names, _ = await self._ask([NOBODY])
        return names

    async def rows(self, numbers: Sequence[str]) -> Sequence[Mapping[str, object]]:
        """The rows for numbers in any of these spellings, at most MOST_ROWS. Raises ConnectorError."""
        names, rows = await self._ask(numbers)
        if len(rows) > MOST_ROWS:
            raise ConnectorRefused(f"the query gave more than {MOST_ROWS} rows for one number")
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def close(self) -> None:
        """Close every connection. Raises ConnectorError."""
        try:
            await self._engine.dispose()
        except (SQLAlchemyError, OSError) as error:
            raise ConnectorUnavailable(f"closing the database: {type(error).__name__}") from error

    async def _ask(self, numbers: Sequence[str]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        try:
            return await self._fetch(numbers)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise _ours(error) from error
        except Exception as error:  # the border to any driver: what they raise while connecting has no common class
            raise _ours(error) from error
        # The database had dropped a connection that lay idle. Reading again is safe, on a new one.
        try:
            return await self._fetch(numbers)
        except Exception as error:  # the same border
            raise _ours(error) from error

    async def _fetch(self, numbers: Sequence[str]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        async with (
            self._engine.connect() as connection,
            connection.stream(self._query, {"numbers": list(numbers)}) as result,
        ):
            return list(result.keys()), await result.fetchmany(MOST_ROWS + 1)


def query_mistake(query: str) -> str:
    """What keeps a query from being asked, or ''."""
    parameters = set(text(query).compile().params)
    if "numbers" not in parameters:
        return "the query must select by the caller's number: WHERE your_column IN :numbers"
    others = sorted(parameters - {"numbers"})
    return f"the query has other parameters than :numbers: {', '.join(others)}" if others else ""


def _with_numbers(query: str) -> TextClause:
    return text(query).bindparams(bindparam("numbers", expanding=True))


def _engine(url: URL, surroundings: Surroundings) -> AsyncEngine:
    timeout = surroundings.timeout
    of_driver: dict[str, dict[str, object]] = {
        "aiosqlite": {"timeout": timeout},
        "asyncpg": {"timeout": timeout, "command_timeout": timeout},
    }
    in_file = url.get_backend_name() == "sqlite"
    return create_async_engine(
        _read_only(url, surroundings.folder) if in_file else url,
        hide_parameters=True,
        connect_args=of_driver.get(url.get_driver_name(), {}),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=surroundings.concurrency,
        max_overflow=0,
        pool_timeout=timeout,
        pool_use_lifo=True,
        # Reading one statement of SQLite needs no transaction: two turns of its thread less.
        **({"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True} if in_file else {}),
    )


def _read_only(url: URL, folder: Path) -> URL:
    """An SQLite address that neither makes a missing file nor writes; see https://sqlite.org/uri.html."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return url
    path = (folder / url.database).absolute()
    return url.set(database=f"file:{quote(str(path))}", query={**url.query, "mode": "ro", "uri": "true"})


def _ours(error: Exception) -> ConnectorError:
    """Which of our errors a driver's is. Messages name the error, never the values that were asked for."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, PoolTimeoutError | TimeoutError) or isinstance(cause, TimeoutError):
        return ConnectorTimeout("the database")
    told = f"the database says: {cause}".splitlines()[0][:200]
    if isinstance(cause, sqlite3.OperationalError):
        # SQLite has one class for both: only SQLITE_ERROR (1) means that the statement is wrong.
        wrong = getattr(cause, "sqlite_errorcode", 1) & 0xFF == sqlite3.SQLITE_ERROR
        return ConnectorRefused(told) if wrong else ConnectorUnavailable(told)
    if isinstance(error, OperationalError | InterfaceError):
        return ConnectorUnavailable(told)
    if isinstance(error, DBAPIError):
        return ConnectorUnavailable(told) if error.connection_invalidated else ConnectorRefused(told)
    if isinstance(error, OSError | EOFError):
        return ConnectorUnavailable(f"the database: {type(error).__name__}")
    return ConnectorRefused(f"the database: {type(error).__name__}")
