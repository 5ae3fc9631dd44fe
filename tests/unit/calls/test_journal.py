"""The journal, with a store in memory that can be away, slow to say so, or refuse."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.calls import journal as journal_module
from ivr.calls.entries import Amendment, Entry
from ivr.calls.journal import WrittenBehindJournal
from ivr.calls.spool import Spool
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Outcome
from ivr.domain.errand import Assignment, ErrandReport, ErrandState, Message, MessageKind
from ivr.errors import StoreError, StoreUnavailable
from ivr.simulation.manual_clock import ManualClock

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ID = ContactId("1764000000.1")


@dataclass
class MemoryContacts:
    """A contact store in memory. `answers` says what becomes of the next writes; after them all succeed."""

    written: dict[str, Contact] = field(default_factory=dict)
    events: list[ContactEvent] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    is_away: bool = False
    refused: str = ""
    batches: int = 0

    async def write(
        self,
        opened: Sequence[Contact],
        amended: Sequence[tuple[ContactId, Mapping[str, object]]],
        events: Sequence[ContactEvent],
    ) -> None:
        answer = self.answers.pop(0) if self.answers else "written"
        if self.is_away or answer == "away":
            raise StoreUnavailable("gone")
        if self.refused in [event.id for event in events]:
            raise StoreError("refused")
        self.batches += 1
        for contact in opened:
            self.written.setdefault(contact.id, contact)
        for contact_id, changes in amended:
            self.written[contact_id] = replace(self.written[contact_id], **changes)  # type: ignore[arg-type]
        known = {event.id for event in self.events}
        self.events += [event for event in events if event.id not in known]
        if answer == "written, but never heard":
            raise StoreUnavailable("the connection broke after the commit")

    async def contacts(
        self, *, since: datetime | None = None, contact_id: str | None = None, limit: int = 100
    ) -> Sequence[tuple[Contact, Sequence[ContactEvent]]]:
        raise NotImplementedError


@dataclass
class MemoryErrands:
    """What an errand store was given to write, in order."""

    batches: list[tuple[list[str], list[str]]] = field(default_factory=list)

    async def write(self, assigned: Sequence[Assignment], reports: Sequence[ErrandReport]) -> None:
        self.batches.append(([each.errand.key for each in assigned], [each.key for each in reports]))


def event(number: int) -> ContactEvent:
    return ContactEvent(f"e{number}", ID, START, EventKind.STEP, "welcome", {"number": number})


@pytest.fixture
def store() -> MemoryContacts:
    return MemoryContacts()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def errands() -> MemoryErrands:
    return MemoryErrands()


@pytest.fixture
async def journal(
    store: MemoryContacts, errands: MemoryErrands, clock: ManualClock, folder: Path
) -> AsyncIterator[WrittenBehindJournal]:
    started = WrittenBehindJournal(store, errands, Spool(folder), clock, batch_interval=0.2)
    started.start()
    yield started
    await started.stop()


def segments(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("0*.jsonl"))


async def pass_time(clock: ManualClock, seconds: float) -> None:
    """Let time pass, and wait for the writer's work on the disk, which a thread does, until it sleeps again."""
    await clock.advance(seconds)
    for _ in range(5_000):
        if clock.sleepers:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("the writer does not sleep again")


async def test_entries_are_on_disk_at_once_and_in_the_database_after_the_interval(
    journal: WrittenBehindJournal, store: MemoryContacts, clock: ManualClock, folder: Path
) -> None:
    journal.open(Contact(ID, START))
    journal.amend(ID, {"outcome": Outcome.TOLD})
    journal.event(event(1))
    assert journal.pending == 3
    assert (folder / "000000000001.jsonl").read_bytes().count(b"\n") == 3
    assert store.batches == 0
    await clock.advance(0.2)
    assert store.written == {ID: Contact(ID, START, outcome=Outcome.TOLD)}
    assert store.events == [event(1)]
    assert store.batches == 1
    assert journal.pending == 0
    assert segments(folder) == []


async def test_errands_reach_their_own_store_after_what_happened_before_them(
    journal: WrittenBehindJournal, store: MemoryContacts, errands: MemoryErrands, clock: ManualClock, folder: Path
) -> None:
    store.is_away = True
    journal.event(event(1))
    message = Message("m1", MessageKind.SMS, "+31300000101", "Tot morgen")
    journal.assign(Assignment(message, "texts", ID, START))
    journal.report(ErrandReport("m1", 1, START, ErrandState.DONE))
    assert (folder / "000000000001.jsonl").read_bytes().count(b"\n") == 3
    await pass_time(clock, 3)
    assert errands.batches == []
    store.is_away = False
    await pass_time(clock, 3)
    assert (store.events, errands.batches) == ([event(1)], [(["m1"], ["m1"])])


async def test_entries_wait_in_order_while_the_database_is_away(
    journal: WrittenBehindJournal, store: MemoryContacts, clock: ManualClock
) -> None:
    store.is_away = True
    for number in range(30):
        journal.event(event(number))
        await pass_time(clock, 0.5)
    assert journal.is_database_away
    assert journal.pending == 30
    store.is_away = False
    for _ in range(8):
        await pass_time(clock, 0.5)
    assert store.events == [event(number) for number in range(30)]
    assert not journal.is_database_away
    assert journal.pending == 0


async def test_attempts_come_further_apart_while_the_database_is_away(
    journal: WrittenBehindJournal, store: MemoryContacts, clock: ManualClock
) -> None:
    store.answers = ["away"] * 100
    journal.event(event(1))
    for _ in range(100):
        await pass_time(clock, 0.2)
    assert 9 <= 100 - len(store.answers) <= 14


async def test_stopping_writes_what_is_left(journal: WrittenBehindJournal, store: MemoryContacts) -> None:
    journal.event(event(1))
    await journal.stop()
    assert store.events == [event(1)]


async def test_what_cannot_be_written_at_the_stop_is_written_at_the_next_start(
    journal: WrittenBehindJournal, store: MemoryContacts, clock: ManualClock, folder: Path
) -> None:
    store.is_away = True
    journal.open(Contact(ID, START))
    journal.event(event(1))
    await journal.stop()
    store.is_away = False
    successor = WrittenBehindJournal(store, MemoryErrands(), Spool(folder), clock, batch_interval=0.2)
    successor.start()
    successor.event(event(2))
    await successor.stop()
    assert store.events == [event(1), event(2)]
    assert list(store.written) == [ID]
    assert segments(folder) == []


async def test_an_entry_the_database_refuses_is_put_aside_and_the_others_are_written(
    journal: WrittenBehindJournal, store: MemoryContacts, clock: ManualClock, folder: Path
) -> None:
    store.refused = "e3"
    for number in range(6):
        journal.event(event(number))
    await pass_time(clock, 1)
    assert [one.id for one in store.events] == ["e0", "e1", "e2", "e4", "e5"]
    assert b'"e3"' in (folder / "refused.jsonl").read_bytes()
    assert journal.pending == 0


async def test_fields_that_contacts_do_not_have_are_left_out(
    journal: WrittenBehindJournal, store: MemoryContacts
) -> None:
    journal.open(Contact(ID, START))
    journal.amend(ID, {"outcom": Outcome.TOLD, "id": "other", "queue": "support"})
    await journal.stop()
    assert store.written == {ID: Contact(ID, START, queue="support")}


async def test_observers_see_every_entry_at_once_and_their_mistakes_are_their_own(
    journal: WrittenBehindJournal, store: MemoryContacts
) -> None:
    seen: list[Entry] = []

    def broken(entry: Entry) -> None:
        raise RuntimeError("observer")

    journal.subscribe(broken)
    end = journal.subscribe(seen.append)
    journal.open(Contact(ID, START))
    journal.amend(ID, {"queue": "support"})
    end()
    journal.event(event(1))
    assert seen == [Contact(ID, START), Amendment(ID, {"queue": "support"})]
    await journal.stop()
    assert store.events == [event(1)]


async def test_memory_stays_small_while_the_database_is_away(
    journal: WrittenBehindJournal, store: MemoryContacts, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 1_000)
    store.is_away = True
    for number in range(300):
        journal.event(event(number))
    in_memory = sum(len(batch.entries or ()) for batch in [*journal._waiting, journal._filling])
    assert in_memory < 30
    assert journal.pending == 300
    store.is_away = False
    await journal.stop()
    assert store.events == [event(number) for number in range(300)]


async def test_a_disk_that_fails_for_a_while_loses_nothing(
    journal: WrittenBehindJournal,
    store: MemoryContacts,
    clock: ManualClock,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(spool: Spool, line: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store.is_away = True
    journal.event(event(1))
    with monkeypatch.context() as disk:
        disk.setattr(Spool, "append", full)
        journal.event(event(2))
    journal.event(event(3))
    await journal.stop()
    assert journal.lost == 0
    left = Spool(folder)
    assert [entry for segment in left.open() for entry in left.read(segment)] == [event(1), event(2), event(3)]


async def test_what_neither_disk_nor_database_takes_is_counted_as_lost(
    journal: WrittenBehindJournal, store: MemoryContacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(spool: Spool, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Spool, "append", full)
    monkeypatch.setattr(Spool, "rewrite", full)
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 1_000)
    monkeypatch.setattr(journal_module, "MEMORY", 50)
    store.is_away = True
    for number in range(200):
        journal.event(event(number))
    assert journal.lost > 0
    assert journal.pending + journal.lost == 200
    assert journal.pending < 70
    await journal.stop()
    assert (journal.pending, journal.lost) == (0, 200)


HAPPENINGS = st.lists(
    st.sampled_from(["event", "amend", "pass", "away", "written, but never heard", "crash", "stop"]), max_size=60
)


@given(happenings=HAPPENINGS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_happens_everything_arrives_once_and_in_order(
    happenings: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Crashes drop the journal without a word; the database goes away before or just after it has stored a batch."""
    folder = tmp_path_factory.mktemp("any") / "spool"
    store, clock = MemoryContacts(), ManualClock()

    def begin() -> tuple[WrittenBehindJournal, Spool]:
        spool = Spool(folder)
        started = WrittenBehindJournal(store, MemoryErrands(), spool, clock, batch_interval=0.2)
        started.start()
        return started, spool

    journal, spool = begin()
    journal.open(Contact(ID, START))
    events, reason = 0, None
    for happening in happenings:
        match happening:
            case "event":
                journal.event(event(events))
                events += 1
            case "amend":
                reason = f"reason {events}"
                journal.amend(ID, {"reason": reason})
            case "pass":
                await pass_time(clock, 0.3)
            case "crash":
                # What a killed process leaves: its files, closed by the system; nothing of it runs on.
                assert journal._writer is not None
                journal._writer.cancel()
                await clock.settle()
                spool.close()
                journal, spool = begin()
            case "stop":
                await journal.stop()
                journal, spool = begin()
            case answer:
                store.answers.append(answer)
    store.answers.clear()
    await journal.stop()
    assert store.events == [event(number) for number in range(events)]
    assert store.written == {ID: Contact(ID, START, reason=reason)}
    assert segments(folder) == []
