"""A database asked by one query: SQLAlchemy's engine, its limits, and its exceptions turned into ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import URL, AsyncAdaptedQueuePool, TextClause, bindparam, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from integrations.sql.sqlite_file import SqliteFile
from ivr.connectors.connector import Surroundings
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable

MOST_ROWS = 500
"""Rows read for one number. More means that the query does not select by number."""

NOBODY = "+0"
"""A number that nobody has, to ask for a query's columns without anybody's data."""


Found = tuple[Sequence[str], Sequence[Sequence[object]]]
"""The names of a query's columns, and rows."""


class Source(Protocol):
    """A database and the query that it is asked. Raises what its driver raises."""

    async def fetch(self, numbers: Sequence[str]) -> Found:
        """What it has for numbers in any of these spellings, one row more than MOST_ROWS at most."""

    async def close(self) -> None:
        """Close every connection."""


class Server:
    """A database that is reached over a network, through its asynchronous driver."""

    def __init__(self, url: URL, query: TextClause, surroundings: Surroundings) -> None:
        timeout = surroundings.timeout
        of_driver: dict[str, dict[str, object]] = {"asyncpg": {"timeout": timeout, "command_timeout": timeout}}
        self._query = query
        self._engine = create_async_engine(
            url,
            hide_parameters=True,
            connect_args=of_driver.get(url.get_driver_name(), {}),
            poolclass=AsyncAdaptedQueuePool,
            pool_size=surroundings.concurrency,
            max_overflow=0,
            pool_timeout=timeout,
            pool_use_lifo=True,
        )

    async def fetch(self, numbers: Sequence[str]) -> Found:
        """What it has for numbers in any of these spellings, one row more than MOST_ROWS at most."""
        async with (
            self._engine.connect() as connection,
            connection.stream(self._query, {"numbers": list(numbers)}) as result,
        ):
            return list(result.keys()), await result.fetchmany(MOST_ROWS + 1)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


class SqlClient:
    """One query on one database; `query` holds the bind parameter `:numbers`, a list."""

    def __init__(self, url: URL, query: str, surroundings: Surroundings) -> None:
        asked = text(query).bindparams(bindparam("numbers", expanding=True))
        in_file = url.get_backend_name() == "sqlite"
        self._source: Source = (
            SqliteFile(url, asked, surroundings, most_rows=MOST_ROWS + 1)
            if in_file
            else Server(url, asked, surroundings)
        )

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
            await self._source.close()
        except (SQLAlchemyError, OSError) as error:
            raise ConnectorUnavailable(f"closing the database: {type(error).__name__}") from error

    async def _ask(self, numbers: Sequence[str]) -> Found:
        try:
            return await self._source.fetch(numbers)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise _ours(error) from error
        except Exception as error:  # the border to any driver: what they raise while connecting has no common class
            raise _ours(error) from error
        # The database had dropped a connection that lay idle. Reading again is safe, on a new one.
        try:
            return await self._source.fetch(numbers)
        except Exception as error:  # the same border
            raise _ours(error) from error


def query_mistake(query: str) -> str:
    """What keeps a query from being asked, or ''."""
    parameters = set(text(query).compile().params)
    if "numbers" not in parameters:
        return "the query must select by the caller's number: WHERE your_column IN :numbers"
    others = sorted(parameters - {"numbers"})
    return f"the query has other parameters than :numbers: {', '.join(others)}" if others else ""


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
    if isinstance(error, sqlite3.Error):
        return ConnectorRefused(told)
    if isinstance(error, DBAPIError):
        return ConnectorUnavailable(told) if error.connection_invalidated else ConnectorRefused(told)
    if isinstance(error, OSError | EOFError):
        return ConnectorUnavailable(f"the database: {type(error).__name__}")
    return ConnectorRefused(f"the database: {type(error).__name__}")
