"""How fast the pure engine is: steps a second, expressions, and loading large flows.

.venv/bin/python -m benchmarks.flow
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import UTC, date
from pathlib import Path
from zoneinfo import ZoneInfo

from ivr.config.model import Privacy
from ivr.domain.caller import Caller
from ivr.domain.contact import ContactId, EventKind, Json
from ivr.domain.hand_over import HandOver
from ivr.domain.language import Language
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.domain.recording import Take
from ivr.domain.site import Site
from ivr.domain.speech import Audio, Utterance
from ivr.flow.engine import Engine, Limits
from ivr.flow.expressions import Expression, Text
from ivr.flow.filters import SPEECH, Speech
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.flow.session import Services, Session
from ivr.flow.sources import Sources
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.scripted_services import ScriptedBoard, ScriptedDesk, ScriptedSites
from ivr.simulation.virtual_clock import VirtualClock

ROOT = Path(__file__).parents[1]
CALLER = Caller(Line(LineState.KNOWN, PhoneNumber("+31612345678")))
SILENCE = Audio("silence", 1.0)


class Nothing:
    """A channel, a prompt library and a log in one, which do nothing as fast as can be."""

    def __init__(self, keys: str) -> None:
        self.keys = list(keys)
        self.steps = 0

    async def audio(self, utterance: Utterance) -> Audio:
        return SILENCE

    async def play(self, audio: Audio, *, keys: str = "") -> str:
        return self.keys.pop() if keys and self.keys else ""

    async def wait_for_key(self, seconds: float) -> str:
        return self.keys.pop() if self.keys else ""

    async def pause(self, seconds: float, *, keys: str = "") -> str:
        return ""

    async def answer(self) -> None: ...

    async def hand_over(self, to: HandOver) -> None: ...

    async def hang_up(self) -> None: ...

    async def record(self, ref: str, *, most: float, silence: float, keys: str = "") -> Take:
        return Take(0.0)

    async def record_call(self, ref: str) -> None: ...

    async def stop_recording_call(self) -> None: ...

    def note(self, kind: EventKind, step: str = "", **detail: Json) -> None:
        self.steps += kind is EventKind.STEP


async def run(flows: FlowSet, flow: str, keys: str, calls: int) -> tuple[int, float]:
    """Steps taken and seconds it took."""
    steps, engine = 0, Engine(Limits(max_steps=100_000, max_seconds=1e9))
    sites = ScriptedSites([Site("own", {"support": "support-own"})])
    started = time.perf_counter()
    for _ in range(calls):
        world = Nothing(keys)
        services = Services(
            world, ScriptedBoard(), ScriptedDesk(), sites, VirtualClock(), ZoneInfo("Europe/Amsterdam"), "support"
        )
        session = Session(services, flows, world, DescribedEnquiry(lambda: CALLER), world, ContactId("c"))
        await engine.run(session, flow)
        steps += world.steps
    return steps, time.perf_counter() - started


def large(folder: Path, steps: int) -> Sources:
    """A flow of so many steps: blocks of ten, one of them a branch."""
    (folder / "d").mkdir(exist_ok=True)
    lines = ["flow: large", "start: b0", "blocks:"]
    for block in range(steps // 10):
        lines.append(f"  b{block}:")
        lines += ["    - say: welcome"] * 7
        lines.append(f"    - branch: [{{ when: caller.region == 'r{block}' or caller.open_orders, goto: last }}]")
        lines.append("    - reason: r")
        lines.append(f"    - goto: {f'b{block + 1}' if block + 1 < steps // 10 else 'last'}")
    lines += ["  last:", "    - queue: support"]
    (folder / "d" / "large.yaml").write_text("\n".join(lines))
    return Sources(folder / "d", ROOT / "prompts", {"support"}, private=dict.fromkeys(Privacy().after_verify))


def chained(folder: Path, count: int) -> Sources:
    """So many flows of ten steps, each of which goes on in the next."""
    (folder / f"chain{count}").mkdir()
    for number in range(count):
        last = f"goto: {{ flow: f{number + 1} }}" if number + 1 < count else "hang_up:"
        lines = [f"flow: f{number}", "start: a", "blocks:", "  a:", *["    - say: welcome"] * 9, f"    - {last}"]
        (folder / f"chain{count}" / f"f{number}.yaml").write_text("\n".join(lines))
    return Sources(folder / f"chain{count}", ROOT / "prompts", private=dict.fromkeys(Privacy().after_verify))


def main() -> None:
    """Measure and print."""
    ours = load(Sources(ROOT / "dialplans", ROOT / "prompts"))
    for flow, keys, calls in (("shortest", "1", 5000), ("lijnnet", "1", 2000)):
        steps, seconds = asyncio.run(run(ours, flow, keys, calls))
        each = seconds / calls * 1e6
        print(f"{flow}: {each:.0f} µs a call of {steps / calls:.0f} steps, {steps / seconds:,.0f} steps/s")
    with tempfile.TemporaryDirectory() as folder:
        for size in (1000, 10_000):
            sources = large(Path(folder), size)
            started = time.perf_counter()
            flows = load(sources)
            print(f"load and check {size} steps: {time.perf_counter() - started:.2f} s")
            steps, seconds = asyncio.run(run(flows, "large", "", 2))
            print(f"large flow: {steps / seconds:,.0f} steps/s")
            sources = chained(Path(folder), size // 10)
            started = time.perf_counter()
            load(sources)
            print(f"load and check {size // 10} flows of ten steps: {time.perf_counter() - started:.2f} s")
    expression, values = Expression("a == 'x' or b"), {"a": "y", "b": ()}
    started = time.perf_counter()
    for _ in range(100_000):
        expression.value(values)
    print(f"expression: {(time.perf_counter() - started) * 10:.1f} µs")
    text = Text("Dag {{ a }}. {% if b %}U heeft {{ n | cardinal }} bestellingen.{% endif %}")
    spoken = {"a": "Anna", "b": True, "n": 3, SPEECH: Speech(Language.NL, date(2026, 11, 23), "NL", UTC)}
    started = time.perf_counter()
    for _ in range(20_000):
        text.spoken(spoken)
    print(f"text: {(time.perf_counter() - started) * 50:.1f} µs")


if __name__ == "__main__":
    main()
