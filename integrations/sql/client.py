"""A database that is asked by queries: SQLAlchemy's engine, its limits, and its exceptions turned into ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from sqlalchemy import URL, AsyncAdaptedQueuePool, TextClause, bindparam, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from integrations.sql.sqlite_file import SqliteFile
from ivr.connectors.connector import Surroundings
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable

NUMBERS = "numbers"
"""The parameter of a query that is a list: `IN :numbers`."""

Found = tuple[Sequence[str], Sequence[Sequence[object]]]
"""The names of a query's columns, and rows."""

Row = Mapping[str, object]


class Source(Protocol):
    """A database. Raises what its driver raises."""

    async def fetch(self, query: TextClause, values: Mapping[str, object], most: int) -> Found:
        """What it has for the values of a query's parameters, at most so many rows."""

    async def close(self) -> None:
        """Close every connection."""


class Server:
    """A database that is reached over a network, through its asynchronous driver."""

    def __init__(self, url: URL, surroundings: Surroundings) -> None:
        timeout = surroundings.timeout
        of_driver: dict[str, dict[str, object]] = {"asyncpg": {"timeout": timeout, "command_timeout": timeout}}
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

    async def fetch(self, query: TextClause, values: Mapping[str, object], most: int) -> Found:
        """What it has for the values of a query's parameters, at most so many rows."""
        async with self._engine.connect() as connection, connection.stream(query, dict(values)) as result:
            return list(result.keys()), await result.fetchmany(most)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


class SqlClient:
    """A database, asked by queries as `query_of` makes them. Every method raises ConnectorError and nothing else."""

    def __init__(self, url: URL, surroundings: Surroundings) -> None:
        in_file = url.get_backend_name() == "sqlite"
        self.in_file = in_file
        self._source: Source = SqliteFile(url, surroundings) if in_file else Server(url, surroundings)

    async def columns(self, query: TextClause, values: Mapping[str, object]) -> Sequence[str]:
        """The names of a query's columns."""
        names, _ = await self._ask(query, values, 1)
        return names

    async def rows(self, query: TextClause, values: Mapping[str, object], *, most: int) -> Sequence[Row]:
        """The rows for the values of a query's parameters; ConnectorRefused when there are more than `most`."""
        names, rows = await self._ask(query, values, most + 1)
        if len(rows) > most:
            raise ConnectorRefused(f"the query gave more than {most} rows")
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def close(self) -> None:
        """Close every connection."""
        try:
            await self._source.close()
        except (SQLAlchemyError, OSError) as error:
            raise ConnectorUnavailable(f"closing the database: {type(error).__name__}") from error

    async def _ask(self, query: TextClause, values: Mapping[str, object], most: int) -> Found:
        try:
            return await self._source.fetch(query, values, most)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise _ours(error) from error
        except Exception as error:  # the border to any driver: what they raise while connecting has no common class
            raise _ours(error) from error
        # The database had dropped a connection that lay idle. Reading again is safe, on a new one.
        try:
            return await self._source.fetch(query, values, most)
        except Exception as error:  # the same border
            raise _ours(error) from error


def query_of(sql: str) -> TextClause:
    """A query that can be asked."""
    query = text(sql)
    return query.bindparams(bindparam(NUMBERS, expanding=True)) if NUMBERS in parameters(sql) else query


def parameters(sql: str) -> frozenset[str]:
    """The names of a query's parameters."""
    return frozenset(text(sql).compile().params)


def query_mistake(sql: str, wanted: Collection[str], advice: str) -> str:
    """What keeps a query from being asked with exactly the parameters `wanted`, or ''."""
    given = parameters(sql)
    missing = [f":{name}" for name in wanted if name not in given]
    if missing:
        return f"the query has no {' and no '.join(missing)}; {advice}"
    others = sorted(given - set(wanted))
    known = " and ".join(f":{name}" for name in wanted)
    return f"the query has other parameters than {known}: {', '.join(others)}" if others else ""


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
