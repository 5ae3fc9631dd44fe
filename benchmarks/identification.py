"""How long it takes to know who calls: from the demo CRM, from the cache, and from a CRM that hangs.

    .venv/bin/python benchmarks/identification.py [--rate 100] [--seconds 15] [--loop uvloop|asyncio]

Look-ups begin at a steady rate, whatever became of those before; each is one
`Identifier.identify`, through guard and connector. The uncached run asks for every number
once; the cached run asks for the same numbers again. The hanging CRM accepts connections
and says nothing. Normalisation is `parse_number` of distinct numbers (uncached) and of one
number (cached), in one thread.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from importlib.metadata import version
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from deploy.demo.crm import make_crm
from integrations.sql.connector import SqlConnector, SqlSettings
from ivr.calls.identification import Identifier
from ivr.clock import SystemClock
from ivr.config.model import Guard as Limits
from ivr.connectors.connector import Surroundings
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import IdentificationState
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.line import PhoneNumber, parse_number

BUDGET = 0.3


def shown(label: str, seconds: Sequence[float], unit: str = "ms") -> None:
    """Print the middle, the 99th percentile and the worst of some durations."""
    factor = {"ms": 1e3, "us": 1e6}[unit]
    p99 = statistics.quantiles(seconds, n=100, method="inclusive")[98]
    figures = ", ".join(
        f"{name} {value * factor:.2f} {unit}"
        for name, value in (("p50", statistics.median(seconds)), ("p99", p99), ("max", max(seconds)))
    )
    print(f"{label:<46} n={len(seconds):<5} {figures}")


async def paced(
    identifier: Identifier, numbers: Sequence[PhoneNumber], rate: float, expected: set[IdentificationState]
) -> list[float]:
    """Seconds that each look-up took, begun at `rate` a second."""
    taken: list[float] = []

    async def identify(number: PhoneNumber) -> None:
        began = time.perf_counter()
        identification = await identifier.identify(Identity(IdentityKind.PHONE, number))
        taken.append(time.perf_counter() - began)
        assert identification.state in expected, identification.state

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for count, number in enumerate(numbers):
            await asyncio.sleep(max(0.0, began + count / rate - time.monotonic()))
            group.create_task(identify(number))
    return taken


def guarded(url: str, folder: Path) -> ConnectedSystem:
    """The SQL connector on a database, with the limits that config.yaml has unless told otherwise."""
    limits = Limits()
    surroundings = Surroundings(folder=folder, timeout=limits.timeout, concurrency=limits.concurrency)
    return ConnectedSystem("crm", SqlConnector(SqlSettings(url=url), surroundings), limits, SystemClock())


async def measure_demo(folder: Path, rate: float, count: int) -> None:
    """Every number once, then the same numbers again."""
    crm = guarded("sqlite+aiosqlite:///crm.db", folder)
    await crm.open()
    identifier = Identifier([crm], budget=BUDGET, clock=SystemClock())
    numbers = demo_numbers(folder / "crm.db")[:count]
    found = {IdentificationState.KNOWN, IdentificationState.AMBIGUOUS}
    await identifier.identify(Identity(IdentityKind.PHONE, "+31300000199"))
    cpu = time.process_time()
    shown(f"demo CRM, {rate:g}/s, uncached", await paced(identifier, numbers, rate, found))
    uncached_cpu = time.process_time() - cpu
    cpu = time.process_time()
    shown(f"demo CRM, {rate:g}/s, cached", await paced(identifier, numbers, rate, found), "us")
    cached_cpu = time.process_time() - cpu
    print(f"CPU a look-up: uncached {uncached_cpu / count * 1e3:.2f} ms, cached {cached_cpu / count * 1e6:.0f} us")
    await crm.close()


async def measure_hanging(folder: Path) -> None:
    """200 calls at 20/s while the CRM hangs: how far over the budget the slowest comes."""
    held: list[asyncio.StreamWriter] = []

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    crm = guarded(f"postgresql+asyncpg://crm@127.0.0.1:{port}/crm", folder)
    identifier = Identifier([crm], budget=BUDGET, clock=SystemClock())
    numbers = [PhoneNumber(f"+3130{number:07}") for number in range(200)]
    taken = await paced(identifier, numbers, 20, {IdentificationState.UNAVAILABLE})
    waited = [each for each in taken if each > BUDGET / 2]
    shown("hanging CRM, 20/s, over the 300 ms budget", [each - BUDGET for each in waited])
    shown("hanging CRM, left alone by the breaker", [each for each in taken if each <= BUDGET / 2], "us")
    await crm.close()
    for writer in held:
        writer.close()
    server.close()


def demo_numbers(path: Path) -> list[PhoneNumber]:
    """The numbers in the demo's CRM, as E.164, each once."""
    with closing(sqlite3.connect(path)) as crm:
        typed = [str(number) for (number,) in crm.execute("SELECT number FROM phones")]
    return list(dict.fromkeys(number for number in map(parse_number, typed) if number))


def measure_normalisation() -> None:
    """Numbers read a second, each for the first time and one over and over."""
    count = 20_000
    fresh = [f"06-{10_000_000 + number}" for number in range(count)]
    parse_number("0612345678")
    for label, texts in (("uncached", fresh), ("cached", ["06-12345678"] * count)):
        began = time.perf_counter()
        for text in texts:
            parse_number(text)
        seconds = time.perf_counter() - began
        print(f"parse_number, {label:<33} {count / seconds:,.0f}/s, {seconds / count * 1e6:.1f} us each")


async def measure(rate: float, seconds: float) -> None:
    """All of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_crm(folder / "crm.db", date(2026, 11, 23))
        await measure_demo(folder, rate, int(rate * seconds))
        await measure_hanging(folder)
    measure_normalisation()


def main() -> None:
    """Print the figures of docs/performance.md, section Identification."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=100.0, help="look-ups a second")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each run lasts, at most 20 at 100/s")
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    arguments = parser.parse_args()
    used = " ".join(f"{name} {version(name)}" for name in ("sqlalchemy", "aiosqlite", "phonenumbers"))
    print(f"Python {platform.python_version()}, {arguments.loop}, {used}")
    loop_factory = uvloop.new_event_loop if arguments.loop == "uvloop" else None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(measure(arguments.rate, arguments.seconds))


if __name__ == "__main__":
    main()
