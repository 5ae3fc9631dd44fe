"""CPU per call of the FastAGI server, against the smallest possible asyncio servers and panoramisk's.

    .venv/bin/python benchmarks/fastagi.py [--calls 1500] [--rounds 9] [--rate 300] [--at-once 20]

Each call is a new TCP connection with the same eight commands (ANSWER, 3 SET VARIABLE,
2 GET VARIABLE, STREAM FILE, HANGUP). Every server is a process of its own on CPU 0; this
process is Asterisk, on CPU 1. The servers take turns in every round, so that whatever
else the machine does falls on all of them alike; medians over the rounds are printed.
CPU is what the kernel counted for the server's process (/proc/<pid>/schedstat).

Two loads: calls that begin at a steady `--rate`, as they do in life, and `--at-once`
calls that follow each other as fast as they can. In the second one a server's CPU also
depends on which side is the slower one: it finds several calls ready at one poll, or it
has to wake the other side up for each command. The first is the fairer comparison.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import cast

import uvloop
from panoramisk.fast_agi import Application, Request

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# All servers import the same: what lies on the heap decides how malloc serves the loop's large reads.
from ivr.asterisk.agi_channel import AgiChannel
from ivr.asterisk.agi_server import FastAgiServer
from ivr.config.model import FastAgi
from ivr.ports import Arrival, Channel

ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: call\nagi_request: agi://127.0.0.1:4574/call\n"
    b"agi_channel: PJSIP/trunk-00000001\nagi_language: nl\nagi_type: PJSIP\nagi_uniqueid: 1790000000.1\n"
    b"agi_version: 22.10.1\nagi_callerid: unknown\nagi_calleridname: unknown\nagi_callingpres: 0\n"
    b"agi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: 31850001000\nagi_rdnis: unknown\n"
    b"agi_context: klantlijn\nagi_extension: 31850001000\nagi_priority: 2\nagi_enhanced: 0.0\n"
    b"agi_accountcode: \nagi_threadid: 140737353\nagi_arg_1: \n\n"
)
SCRIPT = (
    b"ANSWER\n",
    b'SET VARIABLE KLANTLIJN_QUEUE "support-own"\n',
    b'SET VARIABLE KLANTLIJN_LANGUAGE "nl"\n',
    b'SET VARIABLE KLANTLIJN_NEXT "queue"\n',
    b"GET VARIABLE KLANTLIJN_CALLBACK\n",
    b"GET VARIABLE KLANTLIJN_ATTEMPT\n",
    b'STREAM FILE "/var/prompts/welcome" "12"\n',
    b"HANGUP\n",
)
REPLIES = {
    b"A": b"200 result=0\n",
    b"S": b"200 result=1\n",
    b"G": b"200 result=1 (promise-17)\n",
    b"T": b"200 result=0 endpos=6920\n",
    b"H": b"200 result=1\n",
}


# --- the servers -----------------------------------------------------------------------------------------------------


class Smallest(asyncio.Protocol):
    """The least that can be done: on any data, send the next command. No parsing, no limits, no task."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the opening."""
        self.transport = cast(asyncio.Transport, transport)
        self.step = 0
        self.opening = b""

    def data_received(self, data: bytes) -> None:
        """Send the next command."""
        if self.step == 0:
            self.opening += data
            if not self.opening.endswith(b"\n\n"):
                return
        if self.step == len(SCRIPT):
            self.transport.close()
            return
        self.transport.write(SCRIPT[self.step])
        self.step += 1


class OneTask(asyncio.Protocol):
    """The smallest server in which a call is a task, as handlers want it: one future a command. Checks nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the opening."""
        self.transport = cast(asyncio.Transport, transport)
        self.loop = asyncio.get_running_loop()
        self.opening = b""
        self.task: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        """Begin the call, or resume it."""
        if self.task is not None:
            self.reply.set_result(data)
            return
        self.opening += data
        if self.opening.endswith(b"\n\n"):
            self.task = self.loop.create_task(self.call())

    async def ask(self, command: bytes) -> bytes:
        """Send a command and wait for its reply."""
        self.reply: asyncio.Future[bytes] = self.loop.create_future()
        self.transport.write(command)
        return await self.reply

    async def call(self) -> None:
        """The call."""
        for command in SCRIPT:
            await self.ask(command)
        self.transport.close()


async def serve_protocol(protocol: type[asyncio.Protocol]) -> int:
    """One of the servers that only show what is the least; returns its port."""
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, backlog=2048)
    return cast(int, server.sockets[0].getsockname()[1])


async def serve_ours() -> int:
    """Klantlijn's server; returns its port."""

    async def call(arrival: Arrival, channel: Channel) -> None:
        session = cast(AgiChannel, channel).session
        await session.answer()
        await session.set_variable("KLANTLIJN_QUEUE", "support-own")
        await session.set_variable("KLANTLIJN_LANGUAGE", "nl")
        await session.set_variable("KLANTLIJN_NEXT", "queue")
        await session.get_variable("KLANTLIJN_CALLBACK")
        await session.get_variable("KLANTLIJN_ATTEMPT")
        await session.stream_file("/var/prompts/welcome", "12", 1.0)
        await session.hangup()

    server = FastAgiServer(FastAgi.model_construct(port=0), call, "NL")
    await server.start()
    KEEP.append(server)
    return server.port


async def serve_panoramisk() -> int:
    """panoramisk's server; returns its port."""

    async def call(request: Request) -> None:
        for command in SCRIPT:
            await request.send_command(command.decode().rstrip("\n"))

    application = Application(loop=asyncio.get_running_loop())
    application.add_route("call", call)
    server = await asyncio.start_server(application.handler, "127.0.0.1", 0, backlog=2048)
    KEEP.append(server)
    return cast(int, server.sockets[0].getsockname()[1])


KEEP: list[object] = []
SERVERS: dict[str, Callable[[], Awaitable[int]]] = {
    "smallest": lambda: serve_protocol(Smallest),
    "one task": lambda: serve_protocol(OneTask),
    "ours": serve_ours,
    "panoramisk": serve_panoramisk,
}


async def serve(name: str) -> None:
    """Be one of the servers: say the port, and serve until killed."""
    port = await SERVERS[name]()
    print(port, flush=True)
    await asyncio.Event().wait()


def run(main: Callable[[], Awaitable[None]], loop: str) -> None:
    """Run on one of the two loops."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        runner.run(cast(asyncio.Future, main()))  # type: ignore[arg-type, type-arg]


# --- Asterisk --------------------------------------------------------------------------------------------------------


class Peer(asyncio.Protocol):
    """Asterisk's side of one call after the other."""

    def __init__(self, load: Load) -> None:
        self.load = load

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the session."""
        self.transport = cast(asyncio.Transport, transport)
        self.commands = 0
        self.transport.write(ENVIRONMENT)

    def data_received(self, data: bytes) -> None:
        """Reply to a command."""
        self.commands += 1
        self.transport.write(REPLIES[data[1:2] if data[:2] == b"ST" else data[:1]])

    def connection_lost(self, exc: Exception | None) -> None:
        """The call is over: was it whole?"""
        self.load.ended(self.commands == len(SCRIPT))


class Load:
    """Makes calls: so many at once, or so many a second."""

    def __init__(self, port: int, calls: int, *, at_once: int = 0, rate: int = 0) -> None:
        self.loop = asyncio.get_running_loop()
        self.port = port
        self.to_begin = calls
        self.to_end = calls
        self.broken = 0
        self.at_once = at_once
        self.rate = rate
        self.done = self.loop.create_future()
        self.tasks: set[asyncio.Task[object]] = set()

    def begin(self) -> None:
        """Make one more call."""
        self.to_begin -= 1
        task = self.loop.create_task(self.loop.create_connection(lambda: Peer(self), "127.0.0.1", self.port))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def ended(self, whole: bool) -> None:
        """A call ended."""
        self.broken += not whole
        self.to_end -= 1
        if self.to_end == 0:
            self.done.set_result(None)
        elif self.to_begin and not self.rate:
            self.begin()

    async def run(self) -> float:
        """Seconds for all calls."""
        start = time.perf_counter()
        now = self.loop.time()
        for number in range(self.to_begin if self.rate else self.at_once):
            if self.rate:
                self.loop.call_at(now + number / self.rate, self.begin)
            else:
                self.begin()
        await self.done
        return time.perf_counter() - start


def cpu_seconds(pid: int) -> float:
    """What the kernel counted for a process so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


Variant = tuple[str, str]


async def measure(calls: int, rounds: int, rate: int, at_once: int) -> None:
    """Interleaved rounds, then the table."""
    variants: list[Variant] = [(name, loop) for loop in ("asyncio", "uvloop") for name in SERVERS]
    processes: dict[Variant, subprocess.Popen[str]] = {}
    ports: dict[Variant, int] = {}
    for variant in variants:
        process = subprocess.Popen(  # noqa: ASYNC220  # before anything is measured
            ["taskset", "-c", "0", sys.executable, __file__, "--serve", *variant], stdout=subprocess.PIPE, text=True
        )
        processes[variant] = process
        assert process.stdout is not None
        ports[variant] = int(process.stdout.readline())
    paced: dict[Variant, list[float]] = {variant: [] for variant in variants}
    flat_out: dict[Variant, list[float]] = {variant: [] for variant in variants}
    per_second: dict[Variant, list[float]] = {variant: [] for variant in variants}

    async def put_to(variant: Variant, load: Load, calls: int) -> tuple[float, float]:
        """Microseconds of the server's CPU per call, and calls per second."""
        before = cpu_seconds(processes[variant].pid)
        seconds = await load.run()
        assert load.broken == 0, f"{variant}: {load.broken} calls were not whole"
        return (cpu_seconds(processes[variant].pid) - before) / calls * 1e6, calls / seconds

    try:
        for variant in variants:  # warm up
            await put_to(variant, Load(ports[variant], calls, at_once=at_once), calls)
        for _ in range(rounds):
            for variant in variants:
                cpu, _ = await put_to(variant, Load(ports[variant], rate, rate=rate), rate)
                paced[variant].append(cpu)
                cpu, speed = await put_to(variant, Load(ports[variant], calls, at_once=at_once), calls)
                flat_out[variant].append(cpu)
                per_second[variant].append(speed)
    finally:
        for process in processes.values():
            process.kill()
            process.wait()

    def cell(figures: dict[Variant, list[float]], name: str, loop: str) -> str:
        # Each round has its own ratio: what disturbs a round disturbs both.
        ratio = statistics.median(a / b for a, b in zip(figures[name, loop], figures["smallest", loop], strict=True))
        return f"{statistics.median(figures[name, loop]):.0f} ({min(figures[name, loop]):.0f}) | {ratio:.2f}"

    print(f"Python {platform.python_version()}, uvloop {version('uvloop')}, panoramisk {version('panoramisk')}")
    print(f"{rounds} rounds; server CPU in µs a call: median (lowest) | median of the ratio to the smallest server")
    print(f"| server | loop | CPU, {rate} calls/s | × | CPU, {at_once} at once | × | calls/s |")
    print("|---|---|---|---|---|---|---|")
    for name, loop in variants:
        speed = statistics.median(per_second[name, loop])
        print(f"| {name} | {loop} | {cell(paced, name, loop)} | {cell(flat_out, name, loop)} | {speed:,.0f} |")


def main() -> None:
    """Measure, or be one of the servers."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=1500)
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--rate", type=int, default=300, help="calls a second, for one second a round")
    arguments.add_argument("--at-once", type=int, default=20)
    arguments.add_argument("--serve", nargs=2, metavar=("SERVER", "LOOP"), help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.serve:
        name, loop = chosen.serve
        run(lambda: serve(name), loop)
    else:
        os.sched_setaffinity(0, {1})
        run(lambda: measure(chosen.calls, chosen.rounds, chosen.rate, chosen.at_once), "uvloop")


if __name__ == "__main__":
    main()
