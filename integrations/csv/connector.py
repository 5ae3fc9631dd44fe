"""The connector of a directory file: held in memory, read again when the file changes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal

import structlog
from pydantic import Field as Constraint
from pydantic import field_validator, model_validator

from integrations.csv.client import Stamp, read_sheet, stamp_of
from integrations.csv.mapping import Column, Columns, Field, listed
from ivr.connectors.connector import Changes, Surroundings
from ivr.connectors.directory import Directory
from ivr.connectors.settings import Seconds, Settings
from ivr.domain.caller import Customer
from ivr.domain.identity import Identity
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorUnavailable

log = structlog.get_logger()

Named = Column | tuple[Column, ...]


class CsvSettings(Settings):
    """What `connectors.<name>.settings` may say for `integration: csv`; see this folder's README.md."""

    file: Path
    columns: Annotated[dict[Field, Named], Constraint(default_factory=dict)]
    delimiter: Annotated[str, Constraint(pattern=r'^[^"\r\n]$')] | None = None
    encoding: Literal["utf-8", "utf-8-sig", "cp1252"] | None = None
    check_every: Seconds = 2.0

    @field_validator("columns")
    @classmethod
    def _enough(cls, columns: Mapping[Field, Named]) -> Mapping[Field, Named]:
        missing = [field for field in (Field.NAME, Field.NUMBER) if columns and field not in columns]
        if missing:
            raise ValueError(f"say which column is the {missing[0]}")
        return columns

    @model_validator(mode="after")
    def _all_titles_or_all_places(self) -> CsvSettings:
        every = [column for named in self.named_columns.values() for column in named]
        places = [column for column in every if isinstance(column, int)]
        if places and len(places) < len(every):
            raise ValueError("columns: write either titles, or places in a file without titles, not both")
        if any(place < 1 for place in places):
            raise ValueError("columns: places are counted from 1")
        return self

    @property
    def named_columns(self) -> Columns:
        """The columns of each field that were set; none when the first line's titles decide."""
        return {field: named if isinstance(named, tuple) else (named,) for field, named in self.columns.items()}


class CsvConnector:
    """Finds callers and customers in a file (capabilities `find_caller`, `find_customer`, `changes`).

    A new file takes the place of the old one whole or not at all. Files are read in a thread,
    which goes on when the one who waits for it gives up.
    """

    def __init__(self, settings: CsvSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._country = surroundings.country
        self._path = surroundings.folder / settings.file
        self._directory: Directory | None = None
        self._stamp: Stamp | None = None
        self._mistake = ""
        self._reading: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the file, and follow it from now on.

        Raises:
            ConnectorRefused: the file cannot be used; the message names the line.
            ConnectorUnavailable: there is no such file now.
        """
        if self._directory is None:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read_first())
                self._reading.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.shield(self._reading)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Follow the file no longer, and forget what it says."""
        tasks = [task for task in (self._watching, self._reading) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._watching = self._reading = self._directory = None

    async def check(self) -> None:
        """Whether the file as it is now is the one in use. Raises ConnectorError."""
        self._held()
        await asyncio.to_thread(stamp_of, self._path)
        if self._mistake:
            raise ConnectorRefused(f"{self._mistake}; what was read before is still in use")

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Everybody in the file with this number. Raises ConnectorError."""
        return self._held().by_number(number)

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """Everybody in the file with this number, e-mail address or customer number. Raises ConnectorError."""
        return self._held().by_identity(identity)

    async def changes(self, since: str | None, limit: int) -> Changes:
        """What the latest versions of the file changed. Raises ConnectorError."""
        return self._held().changes(since, limit)

    def _held(self) -> Directory:
        if self._directory is None:
            raise ConnectorUnavailable(f"{self._path.name} has not been read")
        return self._directory

    async def _read_first(self) -> None:
        await self._read(await asyncio.to_thread(stamp_of, self._path))

    async def _watch(self) -> None:
        """Read the file again once it has changed and then stayed the same for a while: it may be half written."""
        seen, told = self._stamp, ""
        while True:
            await asyncio.sleep(self._settings.check_every)
            try:
                before, seen = seen, await asyncio.to_thread(stamp_of, self._path)
                if seen != self._stamp and seen == before:
                    await self._read(seen)
                told = self._mistake
            except Exception as error:  # the border of a task that goes on whatever one look came to
                said = str(error) if isinstance(error, ConnectorError) else type(error).__name__
                if said != told:  # once, not at each look
                    told = said
                    log.error("csv.not_read_again", file=self._path.name, error=told)

    async def _read(self, stamp: Stamp) -> None:
        """Put what the file says in the place of what is held. Raises ConnectorError, and leaves what is held."""
        self._stamp = stamp
        try:
            directory, left_out, first = await asyncio.to_thread(self._next_without_pauses)
        except ConnectorUnavailable:
            self._stamp = None  # it may be readable at the next look
            raise
        except ConnectorError as error:
            self._mistake = str(error)
            raise
        self._directory, self._mistake = directory, ""
        log.info("csv.read", file=self._path.name, customers=len(directory))
        if left_out:
            log.warning("csv.lines_left_out", file=self._path.name, lines=left_out, first=first)

    def _next_without_pauses(self) -> tuple[Directory, int, int]:
        """As `_next`. Python's search for cycles, of which it makes none, would hold calls up for 0.1 s each time."""
        gc.disable()
        try:
            return self._next()
        finally:
            gc.enable()

    def _next(self) -> tuple[Directory, int, int]:
        """The file as a directory, and the lines that were left out: how many, and the first."""
        settings = self._settings
        sheet = read_sheet(self._path, delimiter=settings.delimiter, encoding=settings.encoding)
        found = listed(sheet, settings.named_columns, self._country)
        # Other settings make other customers of the same bytes.
        made_by = settings.model_dump_json(include={"columns", "delimiter", "encoding"}) + self._country
        version = blake2b(f"{sheet.digest} {made_by}".encode(), digest_size=16).hexdigest()
        following = (self._directory or Directory()).followed_by(found.customers, version)
        return following, found.left_out, found.first_left_out
