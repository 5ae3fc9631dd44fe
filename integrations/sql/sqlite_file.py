"""Queries on an SQLite file: one turn of a thread, where the asynchronous driver takes five."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, TextClause
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from ivr.connectors.connector import Surroundings

_dialect = sqlite.dialect()


class SqliteFile:
    """Asks queries of a file, which is opened for reading only. Raises what sqlite3 raises."""

    def __init__(self, url: URL, surroundings: Surroundings) -> None:
        self._statements: dict[tuple[str, int], tuple[str, Sequence[str]]] = {}
        arguments, options = _dialect.create_connect_args(_read_only(url, surroundings.folder))
        self._file: str = arguments[0]
        self._options = {**options, "timeout": surroundings.timeout, "check_same_thread": False}
        self._threads = ThreadPoolExecutor(surroundings.concurrency, "sqlite")
        self._of_thread = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def fetch(
        self, query: TextClause, values: Mapping[str, object], most: int
    ) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """The names of the columns, and at most so many rows for the values of a query's parameters."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, query, values, most)

    async def close(self) -> None:
        """Close every connection, after the questions that are being answered."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        for connection in self._connections:
            connection.close()

    def _read(
        self, query: TextClause, values: Mapping[str, object], most: int
    ) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        flat: dict[str, object] = {}
        several = 0
        for name, value in values.items():
            if isinstance(value, list):
                several = len(value)
                # As SQLAlchemy names the elements of a list.
                flat |= {f"{name}_{place}": each for place, each in enumerate(value, 1)}
            else:
                flat[name] = value
        statement, order = self._statement(query, values, several)
        with closing(self._connection().execute(statement, [flat[name] for name in order])) as cursor:
            return [column[0] for column in cursor.description or ()], cursor.fetchmany(most)

    def _connection(self) -> sqlite3.Connection:
        """This thread's own."""
        connection: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._file, isolation_level=None, **self._options)
            self._connections.append(connection)
            self._of_thread.connection = connection
        return connection

    def _statement(self, query: TextClause, values: Mapping[str, object], several: int) -> tuple[str, Sequence[str]]:
        """A query for a list of so many, and the parameter that each of its question marks stands for."""
        key = (query.text, several)
        if key not in self._statements:
            compiled = query.bindparams(**values).compile(dialect=_dialect, compile_kwargs={"render_postcompile": True})
            assert isinstance(compiled, SQLCompiler)
            self._statements[key] = str(compiled), list(compiled.positiontup or ())
        return self._statements[key]


def _read_only(url: URL, folder: Path) -> URL:
    """An SQLite address that neither makes a missing file nor writes; see https://sqlite.org/uri.html."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return url
    path = (folder / url.database).absolute()
    return url.set(database=f"file:{quote(str(path))}", query={**url.query, "mode": "ro", "uri": "true"})
