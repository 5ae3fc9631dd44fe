"""The journal on real databases that are locked, stopped or slow, and in a process that is killed."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.calls.journal import WrittenBehindJournal
from ivr.calls.spool import Spool
from ivr.clock import SystemClock
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Outcome
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database
from ivr.store.errands import StoredErrands
from tests.private_postgresql import Cluster

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ID = ContactId("1764000000.1")


def event(number: int) -> ContactEvent:
    return ContactEvent(f"e{number}", ID, START, EventKind.STEP, "welcome", {"number": number})


def begin(database: Database, folder: Path) -> WrittenBehindJournal:
    journal = WrittenBehindJournal(
        StoredContacts(database), StoredErrands(database), Spool(folder), SystemClock(), batch_interval=0.02
    )
    journal.start()
    return journal


async def until(journal: WrittenBehindJournal, *, away: bool) -> None:
    """Wait until the journal has noticed that the database is away, or has written everything."""
    done = asyncio.Event()

    async def look() -> None:
        while journal.is_database_away is not away or (journal.pending and not away):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
        done.set()

    await asyncio.wait_for(look(), 15)


async def events_in(database: Database) -> list[ContactEvent]:
    [(_, events)] = await StoredContacts(database).contacts()
    return list(events)


@pytest.fixture
async def journal(database: Database, tmp_path: Path) -> AsyncIterator[WrittenBehindJournal]:
    started = begin(database, tmp_path / "spool")
    yield started
    await started.stop()


async def test_a_call_arrives_in_the_database(journal: WrittenBehindJournal, database: Database) -> None:
    journal.open(Contact(ID, START))
    for number in range(3):
        journal.event(event(number))
    journal.amend(ID, {"outcome": Outcome.TOLD, "ended_at": START})
    await until(journal, away=False)
    expected = Contact(ID, START, outcome=Outcome.TOLD, ended_at=START)
    assert await StoredContacts(database).contacts() == [(expected, [event(number) for number in range(3)])]


async def test_nothing_is_lost_or_doubled_while_another_process_locks_sqlite(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'k.db'}", timeout=0.3)
    await database.migrate()
    journal = begin(database, tmp_path / "spool")
    other = sqlite3.connect(tmp_path / "k.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    journal.open(Contact(ID, START))
    for number in range(500):
        journal.event(event(number))
    await until(journal, away=True)
    for number in range(500, 600):
        journal.event(event(number))
    other.execute("ROLLBACK")
    other.close()
    await until(journal, away=False)
    assert await events_in(database) == [event(number) for number in range(600)]
    await journal.stop()
    await database.close()


@pytest.mark.postgresql
async def test_nothing_is_lost_or_doubled_while_postgresql_is_gone(own_cluster: Cluster, tmp_path: Path) -> None:
    database = Database(own_cluster.new_database(), timeout=2.0)
    await database.migrate()
    journal = begin(database, tmp_path / "spool")
    journal.open(Contact(ID, START))
    journal.event(event(0))
    await until(journal, away=False)
    own_cluster.stop()
    for number in range(1, 400):
        journal.event(event(number))
    await until(journal, away=True)
    own_cluster.start()
    await until(journal, away=False)
    assert await events_in(database) == [event(number) for number in range(400)]
    await journal.stop()
    await database.close()


async def test_a_frozen_database_holds_up_the_journal_but_nobody_who_writes_in_it(tmp_path: Path) -> None:
    """A server that accepts connections and then says nothing."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = Database(f"postgresql+asyncpg://x@127.0.0.1:{port}/x", timeout=0.2)
    journal = begin(database, tmp_path / "spool")
    journal.event(event(0))
    await until(journal, away=True)
    journal.event(event(1))
    assert journal.pending == 2
    await journal.stop()
    server.close()
    left = Spool(tmp_path / "spool")
    assert [entry for segment in left.open() for entry in left.read(segment)] == [event(0), event(1)]
    await database.close()


async def test_an_entry_the_database_refuses_does_not_keep_the_others_away(
    journal: WrittenBehindJournal, database: Database, tmp_path: Path
) -> None:
    naive = ContactEvent("naive", ID, datetime(2026, 11, 23), EventKind.STEP)  # noqa: DTZ001 - that is what is wrong
    journal.open(Contact(ID, START))
    for one in (event(0), naive, event(1)):
        journal.event(one)
    await until(journal, away=False)
    assert await events_in(database) == [event(0), event(1)]
    assert b"naive" in (tmp_path / "spool" / "refused.jsonl").read_bytes()


TAKING = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from itertools import count
from tests.integration.test_journal_database import ID, START, begin, event
from ivr.domain.contact import Contact
from ivr.store.database import Database

async def take():
    database = Database(sys.argv[1], timeout=5.0)
    journal = begin(database, Path(sys.argv[2]))
    journal.open(Contact(ID, START))
    for number in count():
        journal.event(event(number))
        print(number, flush=True)
        if number % 50 == 0:
            await asyncio.sleep(0.01)
asyncio.run(take())
"""


async def test_a_killed_process_loses_nothing_that_it_had_taken(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    taking = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs on this loop meanwhile
        [sys.executable, "-c", TAKING, database_url, str(tmp_path / "spool")], stdout=subprocess.PIPE, text=True
    )
    assert taking.stdout is not None
    for line in taking.stdout:
        if int(line) >= 3_000:
            break
    taking.kill()
    last = max(int(number) for number in ["3000", *taking.stdout.read().split()])
    taking.wait()
    taking.stdout.close()

    successor = begin(database, tmp_path / "spool")
    await until(successor, away=False)
    await successor.stop()
    numbers = [int(str(one.detail["number"])) for one in await events_in(database)]
    assert numbers[: last + 1] == list(range(last + 1))
    assert len(numbers) - (last + 1) <= 1
