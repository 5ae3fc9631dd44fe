"""What callers notice of a CRM that fails: each fault in turn, while calls go on.

    .venv/bin/python -m benchmarks.crm_faults [--rounds 3] [--calls 200] [--rate 20] [--faults "hangs" ...]

The CRM is a process of its own, behind the integration `rest` and the guard as shipped; `ivr run` is another, anew for
each fault. This process is Asterisk's side of the calls, which begin at a steady rate, each from another number that
was never asked for. The flow is the worst there is: it wants the caller's orders before it says anything, so that the
first prompt waits for who calls and then for the orders. After the calls the CRM is well again, and calls go on
until one of them is told of its order.

- wait: from connecting to the FastAGI server to the first STREAM FILE.
- opened: seconds after the first call with the fault until the breaker left the CRM alone.
- requests: what reached the CRM while it failed; two for each caller that is known.
- known: callers that the CRM named all the same, and those of them who were told of their order.
- recovery: seconds from the end of the fault until a caller is told of an order. While it is left alone (10 s at
  a time) nobody asks, so this is up to 10 s.
- memory: how much the engine's resident set was larger, at its peak, than before the fault.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import uvloop

from benchmarks.crm_process import CrmProcess, Kind, crms
from benchmarks.rig import ROOT, Rig
from ivr.simulation.asterisk_peer import REPLIES, AsteriskPeer, opening
from ivr.simulation.faulty_crm import RECIPE, Fault

BUDGET_MS = 300.0
ALLOWED_MS = BUDGET_MS + 20.0
WARM = 20
MOST_RECOVERY = 30.0
ENDED = 'SET VARIABLE KLANTLIJN_NEXT "hangup"'
FLOW = """
flow: orders_first
languages: [nl]
start: orders
blocks:
  orders:
    - branch: [{ when: caller.open_orders, goto: told }]
    - say: shortest_question
    - hang_up:
  told:
    - say: shortest_answer
    - hang_up:
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """One call: milliseconds to the first prompt, which one it was, and whether the engine brought it to its end."""

    wait: float
    prompt: str
    completed: bool


@dataclass(frozen=True, slots=True)
class Round:
    """What one round with a fault came to."""

    completed: int
    p50: float
    p99: float
    worst: float
    over: int
    opened: float
    requests: int
    known: int
    told: int
    recovery: float
    memory: float


async def call(port: int, number: str, place: str) -> Heard:
    """A caller who listens to all there is."""
    began = time.perf_counter()
    peer = await AsteriskPeer.connect(port)
    await peer.send(opening(callerid=number, uniqueid=place))
    wait, prompt, command = 0.0, "", ""
    try:
        while True:
            command = await peer.command()
            if command.startswith("STREAM FILE") and not prompt:
                wait, prompt = (time.perf_counter() - began) * 1e3, command
            await peer.send(next(reply for start, reply in REPLIES.items() if command.startswith(start)))
    except (EOFError, ConnectionError):
        return Heard(wait, prompt, completed=bool(prompt) and command == ENDED)
    finally:
        peer.close()


class Telephones:
    """Asterisk's side: calls from numbers that nobody called from before."""

    def __init__(self, port: int, rate: float) -> None:
        self._port = port
        self._rate = rate
        self._numbers: Iterator[int] = iter(range(1, 10_000))

    async def calls(self, count: int, enough: Callable[[Heard], bool] = lambda heard: False) -> Sequence[Heard]:
        """What so many calls heard, or fewer if one of them is enough."""
        began, going, met = time.monotonic(), [], asyncio.Event()

        async def one(number: int) -> Heard:
            heard = await call(self._port, f"+3130{number:07}", f"{began:.3f}.{number}")
            if enough(heard):
                met.set()
            return heard

        for place in range(count):
            await asyncio.sleep(max(0.0, began + place / self._rate - time.monotonic()))
            if met.is_set():
                break
            going.append(asyncio.create_task(one(next(self._numbers))))
        return await asyncio.gather(*going)


async def failing(rig: Rig, crm: CrmProcess, fault: Fault, engine: int, options: argparse.Namespace) -> Round:
    """Calls before, during and after a fault."""
    telephones = Telephones(rig.config.asterisk.fastagi.port, options.rate)
    (order,) = {heard.prompt for heard in await telephones.calls(WARM)}
    memory = _memory(engine, "VmRSS")
    before, began = crm.be(fault), time.time()
    heard = await telephones.calls(options.calls)
    requests, ended = crm.be(Fault.NONE) - before, time.perf_counter()
    memory = _memory(engine, "VmHWM") - memory
    after = await telephones.calls(int(MOST_RECOVERY * options.rate), lambda each: each.prompt == order)
    recovery = time.perf_counter() - ended
    assert any(each.prompt == order for each in after), f"nobody was known {MOST_RECOVERY:.0f} s after '{fault}'"
    waits = [each.wait for each in heard]
    return Round(
        completed=sum(each.completed for each in heard),
        p50=statistics.median(waits),
        p99=statistics.quantiles(waits, n=100, method="inclusive")[98],
        worst=max(waits),
        over=sum(wait > ALLOWED_MS for wait in waits),
        opened=next((at - began for at in _opened(rig.log) if at > began), float("nan")),
        requests=requests,
        known=0,
        told=sum(each.prompt == order for each in heard),
        recovery=recovery,
        memory=memory,
    )


def measured(fault: Fault, options: argparse.Namespace) -> Round:
    """A round with an engine and a CRM that were just started."""
    with tempfile.TemporaryDirectory(prefix="kl-") as name, crms(Kind()) as crm:
        folder = Path(name)
        shutil.copytree(ROOT / "dialplans", folder / "dialplans", ignore=shutil.ignore_patterns("scenarios", "schema"))
        (folder / "dialplans" / "orders_first.yaml").write_text(FLOW)
        (folder / "crm.yaml").write_text(RECIPE)
        settings = {"recipe": "crm.yaml", "values": {"base_url": f"http://127.0.0.1:{crm.ports[0]}"}}
        rig = Rig(
            folder,
            "orders_first",
            connectors={"crm": {"integration": "rest", "settings": settings}},
            flows={"path": "dialplans"},
            log={"format": "json"},
        )
        with rig.engine() as engine:
            came_to = uvloop.run(failing(rig, crm, fault, engine, options))
        return _checked(rig, came_to, options.calls)


def _checked(rig: Rig, came_to: Round, calls: int) -> Round:
    """With how many callers were known by the engine's own account, by which no call may have failed."""
    with closing(sqlite3.connect(rig.config.database.url.removeprefix("sqlite+aiosqlite:///"))) as database:
        contacts = database.execute(
            "SELECT customer_id IS NOT NULL, outcome, ended_at FROM contacts ORDER BY started_at LIMIT ?",
            (WARM + calls,),
        ).fetchall()[WARM:]
    assert all(ended_at and outcome != "failed" for _, outcome, ended_at in contacts), contacts
    values = {field.name: getattr(came_to, field.name) for field in fields(came_to)}
    return Round(**{**values, "known": sum(known for known, *_ in contacts)})


def _opened(log: Path) -> Iterator[float]:
    """The moments at which the breaker opened, by the engine's log."""
    for line in log.read_text().splitlines():
        if line.startswith("{") and (said := json.loads(line))["event"] == "connector.left_alone":
            yield datetime.fromisoformat(said["timestamp"]).timestamp()


def _memory(process: int, of: str) -> float:
    """Megabytes (proc(5))."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(of)) / 1024


def _shown(values: Sequence[float], places: int) -> str:
    middle, least, most = (f"{value:.{places}f}" for value in (statistics.median(values), min(values), max(values)))
    return middle if least == most else f"{middle} ({least} - {most})"


def main() -> None:
    """Print the figures of docs/performance.md, section A CRM that fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20.0, help="calls a second")
    parser.add_argument("--faults", nargs="+", type=Fault, default=list(Fault), metavar="FAULT")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, uvloop {version('uvloop')}, aiohttp {version('aiohttp')}", flush=True)
    rounds: dict[Fault, list[Round]] = {fault: [] for fault in options.faults}
    for number in range(options.rounds):
        for fault, of_fault in rounds.items():
            of_fault.append(measured(fault, options))
            print(f"round {number + 1} {fault:<22} {of_fault[-1]}", flush=True)
    columns = fields(Round)
    print("\n| the CRM |", " | ".join(column.name for column in columns), "|")
    print("|---" * (1 + len(columns)) + "|")
    for fault, of_fault in rounds.items():
        cells = [
            _shown([getattr(each, column.name) for each in of_fault], 0 if column.type == "int" else 1)
            for column in columns
        ]
        print(f"| {fault} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
