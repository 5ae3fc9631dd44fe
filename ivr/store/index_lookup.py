"""Looking a customer up in the index: one statement on a connection of its own, so that it waits for nobody."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy import URL
from structlog.stdlib import get_logger

from ivr.domain.caller import Customer
from ivr.domain.identity import Identity, IdentityKind
from ivr.ports import Clock
from ivr.store.database import Database
from ivr.store.indexed_customer import customer_from, key_of

log = get_logger()

MOST_FOUND = 20
"""Customers told of one identity; more only say once again that it is nobody's alone."""

LEFT_ALONE = 1.0
"""Seconds in which nobody is looked up after the database failed, so that no call waits for it in vain."""

CONNECTIONS = 4
"""Look-ups at once in PostgreSQL; each takes a tenth of a millisecond."""

Row = Sequence[Any]


STATEMENT = """
SELECT customer.id, customer.record FROM index_states AS state
JOIN indexed_identities AS identity ON identity.connector = state.connector
JOIN indexed_customers AS customer
  ON customer.connector = identity.connector AND customer.id = identity.customer_id
WHERE state.connector = $1 AND identity.kind = $2 AND identity.key = $3
  AND state.synced_at >= $4 AND state.full_at >= $5
LIMIT $6
"""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old an index may be, in seconds: `max_age` since its last sync, `full_every` more since its last full run."""

    max_age: float
    full_every: float


class IndexLookup:
    """Finds customers in the index (an `ivr.ports.CustomerIndex`) within `timeout` seconds.

    `freshness` has the connectors that are indexed. A moment is compared in the statement
    itself, so every node sees an index grow old at the same time, whoever fills it.
    """

    def __init__(self, database: Database, freshness: Mapping[str, Freshness], clock: Clock, *, timeout: float) -> None:
        self._freshness = freshness
        self._clock = clock
        self._timeout = timeout
        self._reader: _Reader = _SqliteReader(database.url) if database.is_sqlite else _PostgresqlReader(database.url)
        self._left_alone_until = 0.0

    async def find(self, connector: str, identity: Identity) -> Sequence[Customer] | None:
        """The customers of a connector with this identity, in about a millisecond; None when only it can tell."""
        freshness = self._freshness.get(connector)
        if freshness is None or self._clock.monotonic() < self._left_alone_until:
            return None
        synced_after = self._clock.now() - timedelta(seconds=freshness.max_age)
        full_after = synced_after - timedelta(seconds=freshness.full_every)
        try:
            async with asyncio.timeout(self._timeout):
                rows = await self._reader.fetch(
                    connector, identity.kind.value, key_of(identity), synced_after, full_after
                )
        except (TimeoutError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            # The message may hold what was looked for.
            log.warning("index.away", connector=connector, error=type(error).__name__)
            self._left_alone_until = self._clock.monotonic() + LEFT_ALONE
            return None
        customers = [customer_from(customer_id, record) for customer_id, record in rows]
        if identity.kind is IdentityKind.PHONE:
            customers = [customer for customer in customers if identity.value in customer.numbers]
        return customers or None

    async def close(self) -> None:
        """Close its connections."""
        await self._reader.close()


class _Reader(Protocol):
    """A database that only look-ups read. Raises what its driver raises."""

    async def fetch(self, *values: object) -> Sequence[Row]:
        """Ids and records for connector, kind, key and the two moments."""

    async def close(self) -> None:
        """Close every connection."""


class _SqliteReader:
    """Reads the file in the event loop itself, which takes 0.2 ms among a million customers.

    A thread would take as long, and wait for the interpreter while a page is being written,
    up to 5 ms each way. Readers of a write-ahead log wait for no writer, see https://sqlite.org/wal.html.
    """

    def __init__(self, url: URL) -> None:
        self._address = f"{Path(url.database or '').absolute().as_uri()}?mode=ro"
        self._statement = STATEMENT.replace("$", "?")
        self._connection: sqlite3.Connection | None = None

    async def fetch(self, *values: object) -> Sequence[Row]:
        """Ids and records for connector, kind, key and the two moments."""
        if self._connection is None:
            self._connection = sqlite3.connect(self._address, uri=True, timeout=0)
        stored = [_stored(value) if isinstance(value, datetime) else value for value in values]
        return self._connection.execute(self._statement, [*stored, MOST_FOUND]).fetchall()

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


class _PostgresqlReader:
    """Reads by prepared statements on a few connections of its own, past SQLAlchemy, which takes as long as they do."""

    def __init__(self, url: URL) -> None:
        _, self._options = url.get_dialect()().create_connect_args(url)
        self._opening = asyncio.Lock()
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def fetch(self, *values: object) -> Sequence[Row]:
        """Ids and records for connector, kind, key and the two moments."""
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    **self._options, min_size=1, max_size=CONNECTIONS, reset=_nothing_to_reset
                )
        rows: Sequence[Row] = await self._pool.fetch(STATEMENT, *values, MOST_FOUND)
        return rows

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            self._pool.terminate()


async def _nothing_to_reset(_: object) -> None:
    """A connection that only reads, each statement by itself, has no state; resetting it would be a round trip more."""


def _stored(moment: datetime) -> str:
    """A moment as SQLAlchemy has SQLite store it, so that they compare as texts."""
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
