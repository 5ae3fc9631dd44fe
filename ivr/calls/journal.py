"""The journal: takes what happens in calls without ever making one wait, and brings it to the database.

Every entry goes to the spool first, one write to the operating system, and is taken out
again when the database has it. So a process that dies at any moment loses nothing, and a
database that is away only makes the spool longer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from structlog.stdlib import get_logger

from ivr.calls.entries import FIELDS, Amendment, Entry, encode
from ivr.calls.spool import Spool
from ivr.domain.contact import Contact, ContactEvent, ContactId
from ivr.domain.errand import Assignment, ErrandReport
from ivr.errors import StoreError, StoreUnavailable
from ivr.ports import Clock, ContactStore, ErrandStore

log = get_logger()

SEGMENT_BYTES = 262_144
"""A batch that grows larger than this is closed, and read back from disk when its turn comes."""

CHUNK = 200
"""Entries written in one transaction: few enough not to hold up the calls that share the event loop."""

MEMORY = 50_000
"""Entries that may wait in memory alone, when the disk fails as well as the database."""

RETRY_MAX = 2.0
"""Seconds between attempts, at most, while the database is away."""

Observer = Callable[[Entry], None]


@dataclass(slots=True)
class _Batch:
    """Entries that share a segment. `entries` is None once they are to be read back from it."""

    segment: Path
    entries: list[Entry] | None = field(default_factory=list)
    count: int = 0
    size: int = 0
    is_on_disk: bool = True


class WrittenBehindJournal:
    """A journal (an `ivr.ports.Journal`) that writes to `store` every `batch_interval` seconds.

    It takes errands, too, and brings them to the store of `errands` (an `ivr.ports.ErrandBook`).
    Between `start` and `stop` nothing that was taken is lost, whether the database, this
    process or both die. `start` and everything else belong to one event loop.
    """

    def __init__(
        self, store: ContactStore, errands: ErrandStore, spool: Spool, clock: Clock, *, batch_interval: float
    ) -> None:
        self._store = store
        self._errands = errands
        self._spool = spool
        self._clock = clock
        self._interval = batch_interval
        self._filling = _Batch(spool.segment)
        self._waiting: deque[_Batch] = deque()
        self._observers: list[Observer] = []
        self._writer: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()
        self._is_away = False
        self._is_disk_failing = False
        self._pending = 0
        self._lost = 0

    @property
    def pending(self) -> int:
        """Entries that the database does not have yet, as far as they were counted."""
        return self._pending

    @property
    def lost(self) -> int:
        """Entries that are gone, because disk and database failed together for too long."""
        return self._lost

    @property
    def is_database_away(self) -> bool:
        """Whether the last attempt to write failed."""
        return self._is_away

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Call `observer` with every entry as it is taken; the returned function ends that."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def start(self) -> None:
        """Take over what an earlier process left in the spool, and begin to write.

        Raises:
            SetupError: the spool cannot be used.
        """
        self._waiting.extend(_Batch(segment, entries=None) for segment in self._spool.open())
        self._filling = _Batch(self._spool.segment)
        if self._waiting:
            log.info("journal takes over what was left in the spool", segments=len(self._waiting))
        self._writer = asyncio.create_task(self._write_behind())

    async def stop(self) -> None:
        """Write what can be written; the rest stays in the spool for the next start."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
            self._writer = None
        while self._waiting or self._filling.count:
            if not await self.flush():
                self._close_batch()
                await self._settle_on_disk()
                self._give_up_what_is_nowhere()
                log.warning("journal stops with entries in the spool", entries=self._pending)
                break
        self._spool.close()

    def open(self, contact: Contact) -> None:
        """A contact began."""
        self._take(contact)

    def amend(self, contact_id: ContactId, changes: Mapping[str, object]) -> None:
        """Fields of a contact, by the names of `Contact`, got another value; other names are left out."""
        if unknown := changes.keys() - set(FIELDS[1:]):
            log.error("contacts have no such fields", fields=sorted(unknown))
            changes = {name: value for name, value in changes.items() if name not in unknown}
        self._take(Amendment(contact_id, changes))

    def event(self, event: ContactEvent) -> None:
        """Something happened in a contact."""
        self._take(event)

    def assign(self, assignment: Assignment) -> None:
        """A connected system is asked to do something."""
        self._take(assignment)

    def report(self, report: ErrandReport) -> None:
        """An attempt at an errand came to something."""
        self._take(report)

    async def flush(self) -> bool:
        """Write everything that waits, oldest first; False when the database did not take it all."""
        async with self._flushing:
            if not self._waiting:
                self._close_batch()
            try:
                while self._waiting:
                    await self._write(self._waiting[0])
                    self._forget(self._waiting.popleft())
            except StoreUnavailable as error:
                self._note_away(error)
                return False
        if self._is_away:
            log.info("journal writes to the database again")
        self._is_away = False
        return True

    def _take(self, entry: Entry) -> None:
        batch = self._filling
        try:
            line = encode(entry)
        except (ValueError, RecursionError) as error:
            # A detail that holds itself: the one thing that is not JSON whatever is done.
            log.error("journal entry cannot be written down", error=str(error))
            self._lost += 1
            return
        try:
            self._spool.append(line)
            self._is_disk_failing = False
        except OSError as error:
            batch.is_on_disk = False
            self._note_disk(error)
        if batch.entries is not None:
            batch.entries.append(entry)
        batch.size += len(line)
        batch.count += 1
        self._pending += 1
        if batch.size >= SEGMENT_BYTES:
            self._close_batch()
        for observer in tuple(self._observers):
            try:
                observer(entry)
            except Exception:
                # The border to whoever looks on: their mistake is theirs, the call and the journal go on.
                log.exception("journal observer failed")

    def _close_batch(self) -> None:
        batch = self._filling
        if batch.count == 0:
            return
        self._spool.roll()
        self._filling = _Batch(self._spool.segment)
        if self._waiting and batch.is_on_disk:
            batch.entries = None
        self._waiting.append(batch)
        self._bound_memory()

    def _bound_memory(self) -> None:
        in_memory = sum(len(batch.entries) for batch in self._waiting if batch.entries is not None)
        # Never the first: it may be on its way to the database now.
        oldest = next((batch for batch in islice(self._waiting, 1, None) if batch.entries), None)
        if in_memory > MEMORY and oldest is not None:
            self._lose(oldest)

    def _lose(self, batch: _Batch) -> None:
        log.error("journal loses entries: neither disk nor database takes them", entries=batch.count)
        self._lost += batch.count
        self._pending -= batch.count
        batch.entries, batch.count = [], 0

    def _give_up_what_is_nowhere(self) -> None:
        for batch in self._waiting:
            if not batch.is_on_disk:
                self._lose(batch)

    async def _write_behind(self) -> None:
        pause = self._interval
        while True:
            await self._clock.sleep(pause)
            if await self.flush():
                pause = self._interval
            else:
                pause = min(2 * pause, RETRY_MAX)
                await self._settle_on_disk()

    async def _write(self, batch: _Batch) -> None:
        if batch.entries is None:
            try:
                batch.entries = list(await asyncio.to_thread(self._spool.read, batch.segment))
            except OSError as error:
                raise StoreUnavailable(f"spool segment {batch.segment.name}: {error.strerror}") from error
            # What an earlier process left was not counted yet.
            self._pending += len(batch.entries) - batch.count
            batch.count = len(batch.entries)
        for start in range(0, len(batch.entries), CHUNK):
            chunk = batch.entries[start : start + CHUNK]
            try:
                await self._store_chunk(chunk)
            except StoreUnavailable:
                raise
            except StoreError:
                await self._store_one_by_one(chunk)

    async def _store_chunk(self, chunk: Sequence[Entry]) -> None:
        opened = [entry for entry in chunk if isinstance(entry, Contact)]
        amended = [(entry.contact_id, entry.changes) for entry in chunk if isinstance(entry, Amendment)]
        events = [entry for entry in chunk if isinstance(entry, ContactEvent)]
        assigned = [entry for entry in chunk if isinstance(entry, Assignment)]
        reports = [entry for entry in chunk if isinstance(entry, ErrandReport)]
        if opened or amended or events:
            await self._store.write(opened, amended, events)
        if assigned or reports:
            await self._errands.write(assigned, reports)

    async def _store_one_by_one(self, chunk: Sequence[Entry]) -> None:
        # One of them is refused for good: it must not keep the others from the database.
        for entry in chunk:
            try:
                await self._store_chunk([entry])
            except StoreUnavailable:
                raise
            except StoreError as error:
                log.error("journal entry refused by the database and put aside", error=str(error))
                try:
                    self._spool.put_aside(encode(entry))
                except OSError as failure:
                    self._note_disk(failure)
                    self._lost += 1

    def _forget(self, batch: _Batch) -> None:
        self._pending -= batch.count
        try:
            self._spool.remove(batch.segment)
        except OSError as error:
            # It will be written again at the next start, which changes nothing.
            self._note_disk(error)

    async def _settle_on_disk(self) -> None:
        """Make what waits survive the machine, and write down again what the disk did not take at first."""
        try:
            for batch in self._waiting:
                if not batch.is_on_disk and batch.entries is not None:
                    self._spool.rewrite(batch.segment, b"".join(encode(entry) for entry in batch.entries))
                    batch.is_on_disk = True
            segments = self._spool.unsynced()
            await asyncio.to_thread(self._spool.sync, segments)
            self._spool.note_synced(segments)
        except OSError as error:
            self._note_disk(error)

    def _note_away(self, error: StoreUnavailable) -> None:
        if not self._is_away:
            log.warning("journal keeps entries in the spool", error=str(error), entries=self._pending)
        self._is_away = True

    def _note_disk(self, error: OSError) -> None:
        if not self._is_disk_failing:
            log.error("journal cannot use its spool; entries wait in memory", error=str(error))
        self._is_disk_failing = True
