"""A query on an SQLite file: one turn of a thread, where the asynchronous driver takes five."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, QueuePool, TextClause, create_engine

from ivr.connectors.connector import Surroundings


class SqliteFile:
    """Asks `query` of a file, which is opened for reading only. Raises what SQLAlchemy and sqlite3 raise."""

    def __init__(self, url: URL, query: TextClause, surroundings: Surroundings, *, most_rows: int) -> None:
        self._query = query
        self._most_rows = most_rows
        self._threads = ThreadPoolExecutor(surroundings.concurrency, "sqlite")
        self._engine = create_engine(
            _read_only(url, surroundings.folder).set(drivername="sqlite+pysqlite"),
            hide_parameters=True,
            connect_args={"timeout": surroundings.timeout, "check_same_thread": False},
            poolclass=QueuePool,
            # As many as there are threads, so that none ever waits for one.
            pool_size=surroundings.concurrency,
            max_overflow=0,
            # Reading one statement needs no transaction.
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
        )

    async def fetch(self, numbers: Sequence[str]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """The names of the columns, and the rows for numbers in any of these spellings, at most `most_rows`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, numbers)

    async def close(self) -> None:
        """Close every connection."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._engine.dispose()

    def _read(self, numbers: Sequence[str]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        with (
            self._engine.connect() as connection,
            connection.execute(self._query, {"numbers": list(numbers)}) as result,
        ):
            return list(result.keys()), result.fetchmany(self._most_rows)


def _read_only(url: URL, folder: Path) -> URL:
    """An SQLite address that neither makes a missing file nor writes; see https://sqlite.org/uri.html."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return url
    path = (folder / url.database).absolute()
    return url.set(database=f"file:{quote(str(path))}", query={**url.query, "mode": "ro", "uri": "true"})
