"""How long until it is known who calls: from connecting to the FastAGI server to the first command that follows it.

    .venv/bin/python -m benchmarks.caller_known [--customers 1000000] [--rate 100] [--seconds 15] [--rounds 3]
                                                [--database URL]

`ivr run` is a process of its own with the demo's shortest flow; this process is Asterisk's side of its calls, which
begin at a steady rate whatever became of those before. The engine answers a call as soon as it knows who calls, so
the command ANSWER tells when that is: connection, opening of the session, contact in the journal and way back are in
it. `by its own clock` is what the engine noted itself, from the beginning of the look-up to its answer, in tenths.

- `index`: the number is one of so many customers' in the index, which is in the engine's own database; SQLite unless
  `--database` is given. The index is built once, by the sync, before anything is measured; the engine does not sync.
- `demo CRM`: there is no index; the demo's CRM of 2,000 customers is asked by SQL, another customer each call.

The flows use the caller's orders, so these are asked of the demo's CRM as soon as the caller is known, in both.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvloop
import yaml
from sqlalchemy import select
from structlog import configure, make_filtering_bound_logger

from benchmarks.customer_index import MadeUpSystem, number_of
from benchmarks.first_prompt import Caller, call, summary
from benchmarks.rig import ROOT, Rig, customers
from ivr.clock import SystemClock
from ivr.config.model import Guard
from ivr.configured import syncs_of
from ivr.connectors.connector import Changes
from ivr.connectors.sync import LONGEST_BREATH
from ivr.connectors.system import ConnectedSystem
from ivr.domain.contact import EventKind
from ivr.store.customer_index import StoredCustomerIndex
from ivr.store.database import Database
from ivr.store.tables import contact_events

WARM = 40
"""Calls before the first that counts."""

PAGE_PATIENCE = 60.0


class Ringing(Caller):
    """Asterisk's side of a call that is over as soon as the first prompt is heard."""

    def data_received(self, data: bytes) -> None:
        """A command came."""
        if data.startswith(b"ANSWER"):
            self.waited.set_result((time.perf_counter() - self.began) * 1e3)
            self.transport.write(b"200 result=0\n")
        elif data.startswith(b"STREAM FILE "):
            self.leave()


class MadeUpCrm:
    """A connector that tells its changes, for the sync to build the index from."""

    def __init__(self, customers: int) -> None:
        self._system = MadeUpSystem(customers)

    async def open(self) -> None:
        """There is nothing to open."""

    async def close(self) -> None:
        """Nor to close."""

    async def check(self) -> None:
        """It is always well."""

    async def changes(self, since: str | None, limit: int) -> Changes:
        """A page."""
        return await self._system.changes(since, limit, within=PAGE_PATIENCE)


async def build_index(rig: Rig, count: int) -> None:
    """Fill the engine's index as its own sync would, from a system with so many customers."""
    database = Database(rig.config.database.url, timeout=5.0)
    await database.migrate()
    clock = SystemClock()
    system = ConnectedSystem("crm", MadeUpCrm(count), Guard(), clock)
    (sync,) = syncs_of(rig.config, [system], StoredCustomerIndex(database), clock, owner="benchmark")
    began, pause = time.monotonic(), 0.0
    while pause <= LONGEST_BREATH:
        await asyncio.sleep(pause)
        pause = await sync.step()
    assert sync.state is not None
    assert sync.state.customers == count
    print(f"index of {count:,} built in {time.monotonic() - began:.0f} s", flush=True)
    await database.close()


def measured(rig: Rig, callers: Sequence[str], rate: float) -> tuple[list[float], list[float]]:
    """Milliseconds until each caller was known: as Asterisk sees it, and by the engine's own clock."""
    before = len(asyncio.run(identified(rig)))
    with rig.engine():
        port = rig.config.asterisk.fastagi.port
        uvloop.run(call(port, callers[-WARM:], rate, Ringing))
        waited = uvloop.run(call(port, callers[:-WARM], rate, Ringing))
    noted = asyncio.run(identified(rig))[before + WARM :]
    assert len(noted) == len(waited), (len(noted), len(waited))
    known = sum(each["state"] == "known" for each in noted)
    assert known > 0.95 * len(noted), f"{known} of {len(noted)} callers were known"
    return waited, [each["took_ms"] for each in noted]


async def identified(rig: Rig) -> list[dict[str, Any]]:
    """What the journal says of each call's identification, the oldest first."""
    database = Database(rig.config.database.url, timeout=5.0)
    await database.migrate()
    query = select(contact_events.c.detail).where(contact_events.c.kind == EventKind.IDENTIFIED.value)
    async with database.reading() as connection:
        found = (await connection.execute(query.order_by(contact_events.c.position))).scalars().all()
    await database.close()
    return list(found)


def rig_with(folder: Path, *, index: bool, database: str | None) -> Rig:
    """The demo, with an index that the engine leaves as it is, or without one."""
    crm = yaml.safe_load((ROOT / "config.yaml").read_text())["connectors"]["crm"]
    crm["settings"]["url"] = "sqlite+aiosqlite:///var/crm.db"
    if index:
        crm["index"] = {"interval": "1d", "full_every": "2d", "max_age": "2d"}
    else:
        del crm["settings"]["changes_query"]
    folder.mkdir()
    return Rig(folder, "shortest", connectors={"crm": crm}, **({"database": {"url": database}} if database else {}))


def main() -> None:
    """Print the figures of docs/performance.md, section Until the caller is known."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000, help="in the index")
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each run lasts, at most 19 at 100/s")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", help="where the engine keeps its index; it must be empty")
    options = parser.parse_args()
    configure(wrapper_class=make_filtering_bound_logger(30))
    count = int(options.rate * options.seconds) + WARM
    chance = random.Random(1)
    rounds: dict[str, list[list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="kl-") as name:
        indexed = rig_with(Path(name) / "index", index=True, database=options.database)
        live = rig_with(Path(name) / "live", index=False, database=None)
        print(f"Python {platform.python_version()}, uvloop {version('uvloop')}", flush=True)
        uvloop.run(build_index(indexed, options.customers))
        for number in range(options.rounds):
            numbers = [str(number_of(chance.randrange(options.customers))) for _ in range(count)]
            for source, rig, callers in (
                ("index", indexed, numbers),
                ("demo CRM", live, customers(live.folder / "var" / "crm.db")[:count]),
            ):
                for clock, took in zip(("", ", by its own clock"), measured(rig, callers, options.rate), strict=True):
                    rounds.setdefault(source + clock, []).append([ms for _, ms in summary(took)[1:]])
                    shown = ", ".join(f"{what} {ms:.2f}" for what, ms in summary(took))
                    print(f"round {number + 1} {source + clock:<28} {shown}", flush=True)
    print("\n| | p50, ms | p99 | worst |\n|---|---|---|---|")
    for source, of_source in rounds.items():
        columns = zip(*of_source, strict=True)
        cells = [f"{statistics.median(column):.2f} ({min(column):.2f} - {max(column):.2f})" for column in columns]
        print(f"| {source} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
