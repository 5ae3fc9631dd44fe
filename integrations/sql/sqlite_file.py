"""A query on an SQLite file: one turn of a thread, where the asynchronous driver takes five."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
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
    """Asks `query` of a file, which is opened for reading only. Raises what sqlite3 raises."""

    def __init__(self, url: URL, query: TextClause, surroundings: Surroundings, *, most_rows: int) -> None:
        self._query = query
        self._most_rows = most_rows
        self._statements: dict[int, tuple[str, Sequence[int]]] = {}
        arguments, options = _dialect.create_connect_args(_read_only(url, surroundings.folder))
        self._file: str = arguments[0]
        self._options = {**options, "timeout": surroundings.timeout, "check_same_thread": False}
        self._threads = ThreadPoolExecutor(surroundings.concurrency, "sqlite")
        self._of_thread = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def fetch(self, numbers: Sequence[str]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """The names of the columns, and the rows for numbers in any of these spellings, at most `most_rows`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, numbers)

    async def close(self) -> None:
        """Close every connection, after the questions that are being answered."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        for connection in self._connections:
            connection.close()

    def _read(self, numbers: Sequence[str]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        statement, order = self._statement(len(numbers))
        with closing(self._connection().execute(statement, [numbers[place] for place in order])) as cursor:
            return [column[0] for column in cursor.description or ()], cursor.fetchmany(self._most_rows)

    def _connection(self) -> sqlite3.Connection:
        """This thread's own."""
        connection: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._file, isolation_level=None, **self._options)
            self._connections.append(connection)
            self._of_thread.connection = connection
        return connection

    def _statement(self, count: int) -> tuple[str, Sequence[int]]:
        """The query for so many numbers, and which of them each of its question marks stands for."""
        if count not in self._statements:
            asked = self._query.bindparams(numbers=[str(place) for place in range(count)])
            compiled = asked.compile(dialect=_dialect, compile_kwargs={"render_postcompile": True})
            assert isinstance(compiled, SQLCompiler)
            places = [int(compiled.params[name]) for name in compiled.positiontup or ()]
            self._statements[count] = str(compiled), places
        return self._statements[count]


def _read_only(url: URL, folder: Path) -> URL:
    """An SQLite address that neither makes a missing file nor writes; see https://sqlite.org/uri.html."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return url
    path = (folder / url.database).absolute()
    return url.set(database=f"file:{quote(str(path))}", query={**url.query, "mode": "ro", "uri": "true"})
