"""What a whole call costs: the demo's shortest flow against the same prompts and key in Asterisk's own extensions.

    python -m benchmarks.calls [--rounds 5] [--calls 400] [--rate 40] [--known]

A private Asterisk takes calls from SIPp, which listens for a second, presses 1 and waits to be hung up on. Each round
places the same calls in three ways, one after another:

- `native`: Answer, Background, Playback, Hangup; no engine runs and nobody listens to the manager interface.
- `smallest`: AGI with the four commands such a call needs, from the smallest possible server: what AGI itself costs.
- `klantlijn`: dialplans/shortest.yaml in `ivr run` as it is shipped: the shipped extensions, identification from the
  demo CRM (another customer each call, none cached; with `--known` the same ten customers), the journal on disk and in
  SQLite, metrics, logs at `info`, the manager link, the dialer and everything else that polls.

CPU is that of each process with its children, from before the first call until a second after the last one, by the
number of calls. Calls of which a key is not heard fail, and the run with them. Needs `sipp` with PCAP on PATH (Debian:
`apt-get install sip-tester`) and root, as SIPp sends the keys through a raw socket.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.rig import Rig, busy_seconds, customers, free_port, processor_seconds
from deploy.asterisk.private import PrivateAsterisk
from ivr.app import prompt_files
from ivr.clock import SystemClock
from ivr.configured import sources_of
from ivr.flow.catalog import FlowCatalog
from ivr.speech.engines import engine as speech_engine
from ivr.speech.library import PromptLibrary

SCENARIO = Path(__file__).with_name("shortest_call.xml")
TARGET = 1.35
SETTLE = 1.0
"""Seconds after the last call in which what is written behind still counts."""

EXTENSIONS = """
[klantlijn](+)
exten => native,1,Answer()
 same => n,Background({question},,,benchmark-native)
 same => n,Wait(20)
exten => smallest,1,AGI(agi://127.0.0.1:{port}/call)
 same => n,Hangup()

[benchmark-native]
exten => 1,1,Playback({answer})
 same => n,Hangup()
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor a call, and which part of the machine's two cores others used meanwhile."""

    asterisk: float
    server: float
    others: float

    @property
    def total(self) -> float:
        return self.asterisk + self.server


class Smallest(asyncio.Protocol):
    """The smallest AGI server: the next command upon every reply, whatever it says."""

    def __init__(self, question: str, answer: str) -> None:
        self.commands = iter(
            (
                b"ANSWER\n",
                f'STREAM FILE "{question}" "0123456789*#"\n'.encode(),
                f'STREAM FILE "{answer}" ""\n'.encode(),
                b"HANGUP\n",
            )
        )
        self.opening: bytes | None = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asterisk connected."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """The opening, or a reply."""
        if self.opening is not None:
            self.opening += data
            if not self.opening.endswith(b"\n\n"):
                return
            self.opening = None
        command = next(self.commands, None)
        self.transport.close() if command is None else self.transport.write(command)


async def serve_smallest(port: int, question: str, answer: str) -> None:
    """Be the smallest server until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Smallest(question, answer), "127.0.0.1", port, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


@contextmanager
def smallest(port: int, prompts: Sequence[str]) -> Iterator[int]:
    """The smallest server as a process of its own; its id."""
    command = (sys.executable, "-m", "benchmarks.calls", "--serve", str(port), *prompts)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process.pid
        finally:
            process.kill()


async def make_prompts(rig: Rig) -> list[str]:
    """Both prompts as the engine plays them, by their paths without extension."""
    library = PromptLibrary(rig.config.speech, speech_engine(rig.config.speech), SystemClock())
    await library.open()
    try:
        files = await prompt_files(library, FlowCatalog(sources_of(rig.config)).current())
    finally:
        await library.close()
    return [str(files[f"nl/shortest_{name}"].with_suffix("")) for name in ("question", "answer")]


class Telephones:
    """SIPp as every caller."""

    def __init__(self, rig: Rig, rate: int) -> None:
        self.rig = rig
        self.rate = rate
        self.port = free_port(socket.SOCK_DGRAM)

    def call(self, dialled: str, callers: Sequence[str]) -> None:
        """Place a call for each caller, and wait until all have ended. Raises RuntimeError when one fails."""
        numbers = self.rig.folder / "callers.csv"
        numbers.write_text("SEQUENTIAL\n" + "".join(f"{number}\n" for number in callers))
        private = self.rig.config.asterisk.private
        done = subprocess.run(
            (
                *("sipp", "-sf", str(SCENARIO), "-inf", str(numbers), "-s", dialled),
                *("-i", "127.0.0.1", "-p", str(self.port), "-mi", "127.0.0.1", "-mp", "30000"),
                *("-r", str(self.rate), "-m", str(len(callers)), "-l", "1000"),
                *("-nostdin", "-timeout", "120", "-timeout_error", "-trace_err", "-error_file", "sipp.err"),
                f"{private.sip_host}:{private.sip_port}",
            ),
            cwd=self.rig.folder,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            errors = self.rig.folder / "sipp.err"
            told = errors.read_text() if errors.exists() else done.stderr
            raise RuntimeError(
                f"SIPp failed ({done.returncode}) calling {dialled}:\n{told[-3000:]}{done.stdout[-2000:]}"
            )


def measured(place_calls: Callable[[], None], calls: int, asterisk: int, server: int | None) -> Cost:
    """What placing calls costs both sides, a call."""
    busy = busy_seconds()
    before = processor_seconds(asterisk), processor_seconds(server) if server else 0.0
    began = time.monotonic()
    place_calls()
    time.sleep(SETTLE)
    used = processor_seconds(asterisk) - before[0], (processor_seconds(server) if server else 0.0) - before[1]
    elapsed = time.monotonic() - began
    others = (busy_seconds() - busy - sum(used)) / elapsed
    return Cost(used[0] / calls * 1e3, used[1] / calls * 1e3, others)


def check_journal(rig: Rig, calls: int) -> None:
    """Every call must be in the journal: its key heard, both prompts said, ended."""
    with closing(sqlite3.connect(rig.config.database.url.removeprefix("sqlite+aiosqlite:///"))) as database:
        counted = dict(database.execute("SELECT kind, count(*) FROM contact_events GROUP BY kind"))
        known = database.execute("SELECT count(*) FROM contacts WHERE customer_id IS NOT NULL").fetchone()[0]
        ended = database.execute("SELECT count(*) FROM contacts WHERE ended_at IS NOT NULL").fetchone()[0]
    assert counted["digits"] == ended == calls, (counted, ended, calls)
    assert counted["prompt"] == 2 * calls, (counted, calls)
    assert known > 0.9 * calls, f"{known} of {calls} callers were known"


def run_rounds(
    rig: Rig, private: PrivateAsterisk, port: int, prompts: Sequence[str], options: argparse.Namespace
) -> None:
    """All rounds, and their figures."""
    asterisk = int((rig.folder / "run" / "asterisk.pid").read_text())
    telephones = Telephones(rig, options.rate)
    numbers = customers(rig.folder / "var" / "crm.db")
    warm = numbers[-10:]
    costs: dict[str, list[Cost]] = {"native": [], "smallest": [], "klantlijn": []}
    placed = 0
    telephones.call("native", warm)
    for number in range(options.rounds):
        first = number * options.calls % (len(numbers) - options.calls - len(warm))
        callers = (warm * options.calls)[: options.calls] if options.known else numbers[first : first + options.calls]
        costs["native"].append(
            measured(lambda: telephones.call("native", callers), options.calls, asterisk, None)  # noqa: B023
        )
        with smallest(port, prompts) as server:
            telephones.call("smallest", warm)
            costs["smallest"].append(
                measured(lambda: telephones.call("smallest", callers), options.calls, asterisk, server)  # noqa: B023
            )
        with rig.engine() as server:
            telephones.call("100", warm)
            costs["klantlijn"].append(
                measured(lambda: telephones.call("100", callers), options.calls, asterisk, server)  # noqa: B023
            )
        placed += options.calls + len(warm)
        check_journal(rig, placed)
        for way, of_way in costs.items():
            cost = of_way[-1]
            print(
                f"round {number + 1} {way:<10} Asterisk {cost.asterisk:6.2f}  server {cost.server:5.2f}  "
                f"total {cost.total:6.2f} ms a call  ratio {cost.total / costs['native'][-1].total:.2f}  "
                f"others {cost.others:.2f} cores",
                flush=True,
            )
    assert private.is_running()
    report(costs)


def report(costs: dict[str, list[Cost]]) -> None:
    """Medians and spread."""

    def shown(values: Sequence[float]) -> str:
        return f"{statistics.median(values):.2f} ({min(values):.2f} - {max(values):.2f})"

    print("\n| | Asterisk, ms a call | server, ms a call | together / native |\n|---|---|---|---|")
    for way, of_way in costs.items():
        ratios = [cost.total / native.total for cost, native in zip(of_way, costs["native"], strict=True)]
        print(
            f"| {way} | {shown([cost.asterisk for cost in of_way])} | {shown([cost.server for cost in of_way])} "
            f"| {shown(ratios)} |"
        )
    middle = {way: statistics.median(cost.total for cost in of_way) for way, of_way in costs.items()}
    print(f"\nmedian / median: {middle['klantlijn'] / middle['native']:.3f}, target {TARGET}")


def main() -> None:
    """Print the figures of docs/performance.md, section A whole call."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=400, help="calls of each kind in a round")
    parser.add_argument("--rate", type=int, default=40, help="calls a second")
    parser.add_argument("--known", action="store_true", help="only callers who called just before")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(serve_smallest(int(options.serve[0]), *options.serve[1:]))
        return
    if shutil.which("sipp") is None:
        sys.exit("sipp is missing; run: apt-get install sip-tester")
    with tempfile.TemporaryDirectory(prefix="kl-") as name:
        rig = Rig(Path(name), "shortest")
        prompts = asyncio.run(make_prompts(rig))
        port = free_port(socket.SOCK_STREAM)
        extensions = EXTENSIONS.format(question=prompts[0], answer=prompts[1], port=port)
        with rig.asterisk(extensions) as private:
            asterisk = private.cli("core show version").split()[1]
            print(f"Python {platform.python_version()}, uvloop {version('uvloop')}, Asterisk {asterisk}")
            run_rounds(rig, private, port, prompts, options)


if __name__ == "__main__":
    main()
