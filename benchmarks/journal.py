"""What the journal costs a call, and how fast it brings entries to a database.

    python -m benchmarks.journal [DATABASE_URL]

Without an address, a SQLite file in a temporary folder is used. Prints microseconds per
entry taken (what a call pays), with the database reachable and with it away, and entries
brought to the database per second.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from ivr.calls.journal import WrittenBehindJournal
from ivr.calls.spool import Spool
from ivr.clock import SystemClock
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database
from ivr.store.errands import StoredErrands

ENTRIES = 20_000
ROUNDS = 5
EVENTS_PER_CALL = 20


def events(round_number: int) -> list[ContactEvent]:
    """A round's events: prompts of many calls."""
    now = datetime.now(UTC)
    return [
        ContactEvent(
            f"{round_number}-{number}",
            ContactId(f"{round_number}.{number // EVENTS_PER_CALL}"),
            now,
            EventKind.PROMPT,
            "welcome",
            {"prompt": "welcome", "language": "nl", "seconds": 2.4, "key": ""},
        )
        for number in range(ENTRIES)
    ]


def quantiles(taken: list[int]) -> str:
    """The median, 99th and 99.9th percentile of nanoseconds, in microseconds."""
    cuts = statistics.quantiles(taken, n=1000)
    return f"p50 {cuts[499] / 1000:.1f} µs   p99 {cuts[989] / 1000:.1f} µs   p99.9 {cuts[998] / 1000:.1f} µs"


async def measure(url: str, folder: Path) -> None:
    """Take and bring `ROUNDS` rounds, and print the best of each figure and the spread of the first."""
    database = Database(url, timeout=5.0)
    await database.migrate()
    # Long enough that nothing is written while entries are being taken.
    journal = WrittenBehindJournal(
        StoredContacts(database), StoredErrands(database), Spool(folder), SystemClock(), batch_interval=3600
    )
    journal.start()
    taking, bringing, each = [], [], []
    for round_number in range(ROUNDS):
        batch = events(round_number)
        opened = {event.contact_id for event in batch}
        started = time.perf_counter()
        for event in batch:
            journal.event(event)
        taking.append((time.perf_counter() - started) / ENTRIES * 1e6)
        for contact_id in opened:
            journal.open(Contact(contact_id, batch[0].at))
        started, count = time.perf_counter(), journal.pending
        while journal.pending:
            await journal.flush()
        bringing.append(count / (time.perf_counter() - started))
    for event in events(ROUNDS):
        begun = time.perf_counter_ns()
        journal.event(event)
        each.append(time.perf_counter_ns() - begun)
    print(f"database        {database.shown.split('/')[0]}")
    print(
        f"taken           {min(taking):.1f} µs an entry (best of {ROUNDS} rounds of {ENTRIES}; worst {max(taking):.1f})"
    )
    print(f"one entry       {quantiles(each)}   longest {max(each) / 1000:.0f} µs")
    print(f"brought         {max(bringing):.0f} entries/s to the database (worst round {min(bringing):.0f})")
    await journal.stop()
    await database.close()


def main() -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite+aiosqlite:///{folder}/journal.db"
        asyncio.run(measure(url, Path(folder) / "spool"))


if __name__ == "__main__":
    main()
