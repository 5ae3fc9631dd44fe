"""How long calls wait while other flows are taken over: 200 calls, and a task that wakes up every millisecond.

.venv/bin/python -m benchmarks.flow_reload [--steps 1000] [--times 10] [--plain] [--loop uvloop]
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import random
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.flow import CALLER, ROOT, Nothing, large
from ivr.clock import SystemClock
from ivr.domain.contact import ContactId
from ivr.domain.site import Site
from ivr.domain.speech import Audio
from ivr.flow.catalog import FlowCatalog
from ivr.flow.engine import Engine
from ivr.flow.session import Services, Session
from ivr.flow.sources import Sources
from ivr.flow.stepping_aside import stepping_aside
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.scripted_services import ScriptedBoard, ScriptedDesk, ScriptedSites

CALLS = 200
SOUNDS = 0.5
"""Seconds that a prompt sounds, on average: shorter than in earnest, so that calls do more."""


class Sounding(Nothing):
    """A channel on which prompts take their time."""

    async def play(self, audio: Audio, *, keys: str = "") -> str:
        await asyncio.sleep(random.uniform(0.1, 2 * SOUNDS - 0.1))
        return await super().play(audio, keys=keys)


async def call(catalog: FlowCatalog, services: Services) -> None:
    """Calls, one after another."""
    engine = Engine()
    while True:
        channel = Sounding("1")
        enquiry = DescribedEnquiry(lambda: CALLER)
        session = Session(services, catalog.current(), channel, enquiry, channel, ContactId("c"))
        await engine.run(session, "lijnnet")


async def measure(gaps: list[float]) -> None:
    """Wake up every millisecond, and note how much later it was."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        gaps.append(time.perf_counter() - before - 0.001)


def shown(gaps: list[float]) -> str:
    """The figures of a stretch."""
    gaps = sorted(gaps)
    p99 = gaps[len(gaps) * 99 // 100]
    return f"p50 {gaps[len(gaps) // 2] * 1e3:.2f}, p99 {p99 * 1e3:.1f}, worst {gaps[-1] * 1e3:.1f} ms (n={len(gaps)})"


async def run(folder: Path, steps: int, times: int, *, steps_aside: bool) -> None:
    """Measure and print."""
    sources = large(folder, steps)
    for path in (ROOT / "dialplans").glob("*.yaml"):
        (sources.flows / path.name).write_text(path.read_text())
    os.symlink(ROOT / "dialplans" / "triage", sources.flows / "triage")
    catalog = FlowCatalog(Sources(sources.flows, sources.prompts))
    sites = ScriptedSites([Site("own", {"support": "support-own"})])
    services = Services(
        Nothing(""), ScriptedBoard(), ScriptedDesk(), sites, SystemClock(), ZoneInfo("Europe/Amsterdam"), "support"
    )

    def refresh() -> bool:
        with stepping_aside() if steps_aside else nullcontext():
            return catalog.refresh()

    gaps: list[float] = []
    tasks = [asyncio.create_task(call(catalog, services)) for _ in range(CALLS)]
    tasks.append(asyncio.create_task(measure(gaps)))
    await asyncio.sleep(1)
    gaps.clear()
    await asyncio.sleep(3)
    print(f"nothing changes: {shown(gaps)}")
    worst, during, took = [], [], []
    for number in range(times):
        with (sources.flows / "large.yaml").open("a") as file:
            file.write(f"\n# {number}")
        await asyncio.sleep(0.3)
        gaps.clear()
        started = time.perf_counter()
        assert await asyncio.to_thread(refresh)
        took.append(time.perf_counter() - started)
        await asyncio.sleep(0.05)
        during += gaps
        worst.append(max(gaps) * 1e3)
    print(f"{steps} steps are taken over, {sum(took) / times:.2f} s each: {shown(during)}")
    print("worst of each: " + ", ".join(f"{gap:.1f}" for gap in worst))
    for task in tasks:
        task.cancel()


def main() -> None:
    """Read what is wanted, and measure it."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--steps", type=int, default=1000)
    arguments.add_argument("--times", type=int, default=10)
    arguments.add_argument("--loop", choices=("asyncio", "uvloop"), default="uvloop")
    arguments.add_argument("--plain", action="store_true", help="Do not step aside for calls.")
    wanted = arguments.parse_args()
    factory = importlib.import_module(wanted.loop).new_event_loop
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run(Path(folder), wanted.steps, wanted.times, steps_aside=not wanted.plain))


if __name__ == "__main__":
    main()
