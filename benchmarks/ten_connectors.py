"""What nine more connectors cost a caller: ten systems over HTTP that are asked together, against one of them alone.

    .venv/bin/python -m benchmarks.ten_connectors [--rounds 3] [--lookups 400] [--rate 20]

Each system takes 20 ms for an answer and is asked by the integration `rest` behind a guard of its own. Look-ups begin
at a steady rate, each of a number that was never asked for, with a budget of 300 ms. What is shown is what they take
beyond the slowest answer that was needed: 20 ms where all are well, and the whole budget where one hangs that is
trusted more than the one who knows the caller. The systems are in a process of their own, on the same cores: part
of what is shown is theirs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import uvloop
from structlog import configure, make_filtering_bound_logger

from benchmarks.crm_process import CrmProcess, Kind, crms
from integrations.rest.connector import RestConnector, RestSettings
from ivr.calls.identification import Identifier
from ivr.clock import SystemClock
from ivr.config.model import Guard as Limits
from ivr.connectors.connector import Surroundings
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import IdentificationState
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.simulation.faulty_crm import RECIPE, Fault

BUDGET = 0.3
ANSWER = 0.02
WARM = 20
NEVER = 1_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """Some systems of which one knows the caller, and perhaps one that hangs; `needed` is the slowest answer needed."""

    systems: int
    knows: int
    hangs: int | None = None
    needed: float = ANSWER


CASES: Mapping[str, Case] = {
    "one": Case(1, knows=0),
    "ten, the first knows the caller": Case(10, knows=0),
    "ten, the last knows the caller": Case(10, knows=9),
    "ten, the first knows, the last hangs": Case(10, knows=0, hangs=9),
    "ten, the last knows, the first hangs": Case(10, knows=9, hangs=0, needed=BUDGET),
}


def systems_of(crm: CrmProcess, folder: Path) -> Iterator[ConnectedSystem]:
    """A connected system for each CRM. No breaker opens: what hangs is asked at every look-up."""
    limits = Limits(failures_to_open=NEVER, concurrency=100)
    (folder / "crm.yaml").write_text(RECIPE)
    surroundings = Surroundings(folder=folder, timeout=limits.timeout, concurrency=limits.concurrency)
    for place, port in enumerate(crm.ports):
        settings = RestSettings(recipe="crm.yaml", values={"base_url": f"http://127.0.0.1:{port}"})
        yield ConnectedSystem(f"crm{place}", RestConnector(settings, surroundings), limits, SystemClock())


async def beyond(case: Case, lookups: int, rate: float) -> tuple[list[float], float]:
    """Milliseconds that each look-up took beyond what was needed, and those of CPU that each took."""
    kinds = [Kind(knows=place == case.knows, delay=ANSWER) for place in range(case.systems)]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        crm = stack.enter_context(crms(*kinds))
        connected = list(systems_of(crm, folder))
        for system in connected:
            await system.open()
            stack.push_async_callback(system.close)
        identifier = Identifier(connected, budget=BUDGET, clock=SystemClock())
        await taken(identifier, range(WARM), rate)
        gc.freeze()  # as the engine does
        if case.hangs is not None:
            crm.be(Fault.HANGS, case.hangs)
        cpu = time.process_time()
        seconds = await taken(identifier, range(WARM, WARM + lookups), rate)
        cpu = time.process_time() - cpu
    return [(each - case.needed) * 1e3 for each in seconds], cpu / lookups * 1e3


async def taken(identifier: Identifier, numbers: range, rate: float) -> Sequence[float]:
    """Seconds of each look-up."""

    async def identify(place: int, number: int) -> float:
        await asyncio.sleep(max(0.0, began + place / rate - time.perf_counter()))
        asked = time.perf_counter()
        lookup = identifier.start(Line(LineState.KNOWN, PhoneNumber(f"+3130{number:07}")))
        found = (await lookup.answer()).identification.state
        seconds = time.perf_counter() - asked
        lookup.close()
        assert found is IdentificationState.KNOWN, found
        return seconds

    began = time.perf_counter()
    return await asyncio.gather(*(identify(place, number) for place, number in enumerate(numbers)))


def _shown(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} - {max(values):.1f})"


def main() -> None:
    """Print the figures of docs/performance.md, section Ten connectors."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lookups", type=int, default=400)
    parser.add_argument("--rate", type=float, default=20.0, help="look-ups a second")
    options = parser.parse_args()
    configure(wrapper_class=make_filtering_bound_logger(40))
    print(f"Python {platform.python_version()}, uvloop {version('uvloop')}, aiohttp {version('aiohttp')}", flush=True)
    rounds: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in CASES}
    for number in range(options.rounds):
        for name, case in CASES.items():
            over, cpu = uvloop.run(beyond(case, options.lookups, options.rate))
            p99 = statistics.quantiles(over, n=100, method="inclusive")[98]
            rounds[name].append((statistics.median(over), p99, max(over), cpu))
            p50, p99, worst, cpu = rounds[name][-1]
            print(
                f"round {number + 1} {name:<38} p50 {p50:.1f}, p99 {p99:.1f}, max {worst:.1f}, CPU {cpu:.1f} ms",
                flush=True,
            )
    print("\n| connectors | p50, ms beyond | p99 | worst | CPU, ms |\n|---|---|---|---|---|")
    for name, of_case in rounds.items():
        print(f"| {name} |", " | ".join(_shown(column) for column in zip(*of_case, strict=True)), "|")


if __name__ == "__main__":
    main()
