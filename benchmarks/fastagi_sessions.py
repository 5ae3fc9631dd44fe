"""Memory and command turn-around of the FastAGI server with thousands of sessions open.

    .venv/bin/python benchmarks/fastagi_sessions.py [--sessions 5000] [--loop uvloop]

The server is a process of its own on CPU 0, this process is Asterisk on CPU 1. Every
session is a call in which nobody says anything: one WAIT FOR DIGIT after the other. First
all sessions are opened and wait; the memory they hold is the growth of the server's
resident set. Then replies are given to one random session after the other at a steady
rate, and the turn-around is the time from a reply to the server's next command.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ivr.asterisk.agi_server import FastAgiServer
from ivr.config.model import FastAgi
from ivr.ports import Arrival, Channel
from ivr.simulation.asterisk_peer import opening


async def serve() -> None:
    """Be the server: say the port, and serve until killed."""

    async def call(arrival: Arrival, channel: Channel) -> None:
        while True:
            await channel.wait_for_key(3600)

    server = FastAgiServer(FastAgi.model_construct(port=0, max_sessions=100_000), call, "NL")
    await server.start()
    print(server.port, flush=True)
    await asyncio.Event().wait()


class Peer(asyncio.Protocol):
    """Asterisk's side of one session."""

    def __init__(self, number: int, waiting: asyncio.Queue[float]) -> None:
        self.number = number
        self.waiting = waiting
        self.asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the session."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(opening(uniqueid=f"1790000000.{self.number}", callerid=f"06{10_000_000 + self.number}"))

    def data_received(self, data: bytes) -> None:
        """The next command came."""
        self.waiting.put_nowait(time.perf_counter() - self.asked_at)

    def reply(self) -> None:
        """End the command that runs: no key was pressed."""
        self.asked_at = time.perf_counter()
        self.transport.write(b"200 result=0\n")


def resident(pid: int) -> int:
    """Bytes of a process in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


async def measure(sessions: int, loop: str, rate: int, seconds: int) -> None:
    """Open, then reply."""
    process = subprocess.Popen(  # noqa: ASYNC220  # before anything is measured
        ["taskset", "-c", "0", sys.executable, __file__, "--serve", "--loop", loop], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        running = asyncio.get_running_loop()
        waiting: asyncio.Queue[float] = asyncio.Queue()
        peers = [Peer(number, waiting) for number in range(sessions + 100)]

        async def open_sessions(some: list[Peer]) -> None:
            for peer in some:
                await running.create_connection(lambda peer=peer: peer, "127.0.0.1", port)  # type: ignore[misc]
            for _ in some:
                await waiting.get()

        await open_sessions(peers[sessions:])  # warm up
        before = resident(process.pid)
        start = time.perf_counter()
        await open_sessions(peers[:sessions])
        opened = time.perf_counter() - start
        held = (resident(process.pid) - before) / sessions
        times = []
        start = running.time()
        for number in range(rate * seconds):
            await asyncio.sleep(max(0, start + number / rate - running.time()))
            random.choice(peers).reply()
            times.append(await waiting.get() * 1e6)
    finally:
        process.kill()
        process.wait()
    cuts = statistics.quantiles(times, n=100)
    print(
        f"| {sessions} | {loop}, Python {platform.python_version()} | {held / 1024:.1f} KiB | {opened:.1f} s "
        f"| {cuts[49]:.0f} / {cuts[98]:.0f} µs (n={len(times)}) |"
    )


def run(main: Callable[[], Awaitable[None]], loop: str) -> None:
    """Run on one of the two loops."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        runner.run(cast(asyncio.Future, main()))  # type: ignore[arg-type, type-arg]


def main() -> None:
    """Measure, or be the server."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sessions", type=int, default=5000)
    arguments.add_argument("--loop", choices=["asyncio", "uvloop"], default="uvloop")
    arguments.add_argument("--rate", type=int, default=500, help="replies a second")
    arguments.add_argument("--seconds", type=int, default=10)
    arguments.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if chosen.serve:
        run(serve, chosen.loop)
    else:
        os.sched_setaffinity(0, {1})
        print(
            "| sessions | loop | memory a session | opening them all | turn-around p50 / p99 |\n|---|---|---|---|---|"
        )
        run(lambda: measure(chosen.sessions, chosen.loop, chosen.rate, chosen.seconds), "uvloop")


if __name__ == "__main__":
    main()
