"""How fast customers are found in the index, and how fast and fresh it is kept, in one event loop.

    .venv/bin/python -m benchmarks.customer_index [DATABASE_URL] [--customers 1000000] [--loop uvloop|asyncio]

Without an address, a SQLite file in a temporary folder is used. A made-up system tells its
customers in pages, each customer with one or two numbers, an e-mail address and a customer
number. The index is built and then asked for random numbers at a steady rate: while nothing
is synced, while a full run reads everybody again, and while it is built anew from another
source. The lag is from a change in the system until a look-up tells it. The loop's delay is
how much later than asked a task wakes up that sleeps 5 ms: it is what a call would notice.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import platform
import random
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from sqlalchemy import text
from structlog import configure, make_filtering_bound_logger

from ivr.clock import SystemClock
from ivr.config.model import Index as Limits
from ivr.connectors.connector import Changes
from ivr.connectors.sync import LONGEST_BREATH, IndexSync
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.store.customer_index import StoredCustomerIndex
from ivr.store.database import Database
from ivr.store.index_lookup import Freshness, IndexLookup

RATE = 100
SECONDS = 20.0
CHANGES = 40
SLICE = 16
"""Customers made before the event loop gets its turn, as an integration does."""


def number_of(customer: int) -> PhoneNumber:
    """The first number of a customer."""
    return PhoneNumber(f"+3130{customer:07}")


def made(place: int, name: str) -> Customer:
    """The customer at a place."""
    numbers = [number_of(place)] + ([PhoneNumber(f"+3120{place:07}")] if place % 5 == 0 else [])
    return Customer(
        CustomerId(f"K{place:07}"),
        name,
        tuple(numbers),
        Language.NL,
        f"{1000 + place % 9000} AB",
        frozenset(("internet", "tv") if place % 2 else ("internet",)),
        customer_number=f"K{place:07}",
        email=f"willem.vandenberg{place}@lijnnet.example",
    )


class MadeUpSystem:
    """A system of so many customers. The cursor is a place in its log, whose first part is everybody in order."""

    name = "crm"

    def __init__(self, customers: int) -> None:
        self._customers = customers
        self._changed: list[int] = []
        self._names: dict[int, str] = {}
        self._name = "Willem-Alexander van den Berg"

    def change(self, place: int, name: str) -> None:
        """A customer gets another name."""
        self._names[place] = name
        self._changed.append(place)

    def rename_everybody(self) -> None:
        """All customers get other names."""
        self._name = "Margaretha de Vries"

    async def changes(self, since: str | None, limit: int, *, within: float) -> Changes:
        """A page."""
        start = int(since or 0)
        end = min(start + limit, self._customers + len(self._changed))
        customers = []
        for place in range(start, end):
            if place % SLICE == 0:
                await asyncio.sleep(0)
            customer = place if place < self._customers else self._changed[place - self._customers]
            customers.append(made(customer, self._names.get(customer, f"{self._name} {customer}")))
        return Changes(customers, str(end), more=end < self._customers + len(self._changed))


def shown(label: str, seconds: Sequence[float]) -> None:
    """Print the middle, the 99th percentile and the worst of some durations."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    print(
        f"{label:<44} n={len(seconds):<5} p50 {cuts[49] * 1e3:.2f} ms, p99 {cuts[98] * 1e3:.2f} ms,"
        f" max {max(seconds) * 1e3:.1f} ms",
        flush=True,
    )


async def looked_up(lookup: IndexLookup, customers: int, seconds: float) -> list[float]:
    """Seconds that each look-up took, begun at `RATE` a second whatever became of those before."""
    taken: list[float] = []

    async def find(number: PhoneNumber) -> None:
        began = time.perf_counter()
        found = await lookup.find("crm", Identity(IdentityKind.PHONE, number))
        taken.append(time.perf_counter() - began)
        assert found, number

    chance, began = random.Random(1), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for count in range(int(RATE * seconds)):
            await asyncio.sleep(max(0.0, began + count / RATE - time.monotonic()))
            group.create_task(find(number_of(chance.randrange(customers))))
    return taken


async def measured(label: str, bench: Bench) -> None:
    """Look up for a while, and print how long it took and what the event loop's delay was meanwhile."""
    async with noticing_delays() as delays:
        shown(f"look-ups, {label}", await looked_up(bench.lookup, bench.customers, SECONDS))
    shown("  the loop's delay meanwhile", delays)


@asynccontextmanager
async def noticing_delays() -> AsyncIterator[list[float]]:
    """How much later than asked a task wakes up, while the block runs."""
    delays: list[float] = []

    async def sleep() -> None:
        while True:
            asked = time.perf_counter() + 0.005
            await asyncio.sleep(0.005)
            delays.append(time.perf_counter() - asked)

    task = asyncio.create_task(sleep())
    try:
        yield delays
    finally:
        task.cancel()


async def size_of(database: Database) -> float:
    """Bytes of the tables and their indexes; of the file, with SQLite."""
    if database.is_sqlite:
        return (await asyncio.to_thread(Path(database.url.database or "").stat)).st_size
    tables = "('indexed_customers'::regclass, 'indexed_identities'::regclass)"
    async with database.reading() as connection:
        query = f"SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE oid IN {tables}"
        return float((await connection.execute(text(query))).scalar_one())


class Bench:
    """An index of made-up customers, and who fills it."""

    def __init__(self, database: Database, customers: int, interval: float, page: int) -> None:
        self.database, self.customers = database, customers
        self.store = StoredCustomerIndex(database)
        self.system = MadeUpSystem(customers)
        self.limits = Limits(interval=interval, full_every=86_400.0, page=page)
        clock = SystemClock()
        self.clock = clock
        self.lookup = IndexLookup(database, {"crm": Freshness(43_200.0, 86_400.0)}, clock, timeout=5.0)

    def sync(self, **limits: float) -> IndexSync:
        return IndexSync(
            self.system, self.store, self.limits.model_copy(update=limits), self.clock, source="1", owner="bench"
        )

    async def build(self) -> None:
        """The first full run."""
        sync, began, cpu = self.sync(), time.perf_counter(), cpu_seconds()
        async with noticing_delays() as delays:
            pause = 0.0
            while pause <= LONGEST_BREATH:
                await asyncio.sleep(pause)
                pause = await sync.step()
        seconds, used = time.perf_counter() - began, cpu_seconds() - cpu
        each = f"{self.customers / seconds:,.0f}/s, {used / self.customers * 1e6:.0f} µs of CPU each"
        print(f"built {self.customers:,} in {seconds:.0f} s: {each}")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{await size_of(self.database) / 1e6:.0f} MB in the database, {memory:.0f} MB of memory")
        shown("the loop's delay during the build", delays)

    async def measure_lookups(self) -> None:
        """While nothing is synced, and while everybody is read again."""
        await looked_up(self.lookup, self.customers, 1.0)
        await measured("nothing synced", self)
        task = asyncio.create_task(self.sync(full_every=0.0).run())
        await measured("a full run", self)
        self.system.rename_everybody()
        await measured("everybody changed", self)
        task.cancel()

    async def measure_lag(self) -> None:
        """From a change until a look-up tells it."""
        task = asyncio.create_task(self.sync().run())
        lags = []
        for place in range(CHANGES):
            name = f"Changed {time.monotonic_ns()}"
            self.system.change(place, name)
            began, told = time.perf_counter(), ""
            while told != name:
                await asyncio.sleep(0.002)
                found = await self.lookup.find("crm", Identity(IdentityKind.PHONE, number_of(place)))
                told = found[0].name if found else ""
            lags.append(time.perf_counter() - began)
            await asyncio.sleep(place % 10 / 10)
        shown(f"lag of a change, asked each {self.limits.interval:g} s", lags)
        task.cancel()


def cpu_seconds() -> float:
    """CPU of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(url: str, customers: int, page: int) -> None:
    """All of it."""
    database = Database(url, timeout=5.0)
    await database.migrate()
    bench = Bench(database, customers, interval=1.0, page=page)
    await bench.build()
    await bench.measure_lookups()
    await bench.measure_lag()
    await bench.lookup.close()
    await database.close()


def main() -> None:
    """Print the figures of docs/performance.md, section The index of customers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", nargs="?", help="the database; a SQLite file in a temporary folder without it")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--page", type=int, default=Limits().page)
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    arguments = parser.parse_args()
    configure(wrapper_class=make_filtering_bound_logger(30))
    gc.freeze()  # as the engine does once it runs
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.url or f"sqlite+aiosqlite:///{folder}/index.db"
        print(f"Python {platform.python_version()}, {arguments.loop}, {url.partition(':')[0]}")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop if arguments.loop == "uvloop" else None) as runner:
            runner.run(measure(url, arguments.customers, arguments.page))


if __name__ == "__main__":
    main()
