"""How long a caller waits for the first prompt: from connecting to the FastAGI server to its first STREAM FILE.

    python -m benchmarks.first_prompt [--rate 40] [--seconds 15] [--rounds 3] [--flow shortest]

`ivr run` is a process of its own with the demo's flow and texts; this process is Asterisk's side of its calls, which
begin at a steady rate whatever became of those before. ANSWER is replied to at once; each caller listens for a second
and leaves. The manager interface is away. With three customer databases:

- `demo CRM`: another customer each call, none of them cached.
- `hanging CRM`: a server that accepts connections and says nothing, and a circuit breaker that never opens, so that
  every call waits for the whole budget (`identify.budget`, 300 ms).
- `hanging CRM, breaker`: the same with the breaker as it is shipped: calls that waited, and calls after it opened.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import uvloop

from benchmarks.rig import Rig, customers
from ivr.simulation.asterisk_peer import opening

BUDGET_MS = 300.0
LISTENS = 1.0
WARM = 40
"""Calls before the first that counts."""


class Caller(asyncio.Protocol):
    """Asterisk's side of one call."""

    def __init__(self, opened: bytes) -> None:
        self.opened = opened
        self.loop = asyncio.get_running_loop()
        self.began = time.perf_counter()
        self.waited: asyncio.Future[float] = self.loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say which call this is."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.opened)

    def data_received(self, data: bytes) -> None:
        """A command came."""
        if data.startswith(b"STREAM FILE "):
            self.waited.set_result((time.perf_counter() - self.began) * 1e3)
            self.loop.call_later(LISTENS, self.leave)
        elif data.startswith(b"ANSWER"):
            self.transport.write(b"200 result=0\n")
        elif not self.waited.done():
            self.waited.set_exception(AssertionError(data))

    def leave(self) -> None:
        """The caller hangs up."""
        self.transport.write(b"200 result=-1 endpos=8000\nHANGUP\n")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if not self.waited.done():
            self.waited.set_exception(ConnectionError("the engine closed the call before it said anything"))


async def call(port: int, callers: Sequence[str], rate: float, side: type[Caller] = Caller) -> list[float]:
    """Milliseconds that a call from each of these numbers waited, begun at `rate` a second: to its first prompt."""
    loop = asyncio.get_running_loop()

    async def one(number: int, caller: str) -> float:
        await asyncio.sleep(begin + number / rate - loop.time())
        opened = opening(callerid=caller, uniqueid=f"{begin:.3f}.{number}")
        caller_side = side(opened)
        await loop.create_connection(lambda: caller_side, "127.0.0.1", port)
        return await caller_side.waited

    begin = loop.time() + 0.1
    waited = await asyncio.gather(*(one(number, caller) for number, caller in enumerate(callers)))
    await asyncio.sleep(LISTENS)
    return waited


@contextmanager
def hanging_database() -> Iterator[int]:
    """A server that accepts connections and says nothing; its port."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()


def measured(options: argparse.Namespace, **sections: dict[str, Any]) -> list[float]:
    """Milliseconds to the first prompt of every call, in order, on an engine that was just started."""
    with tempfile.TemporaryDirectory(prefix="kl-") as name:
        rig = Rig(Path(name), options.flow, **sections)
        numbers = customers(rig.folder / "var" / "crm.db")
        count = int(options.rate * options.seconds)
        with rig.engine():
            port = rig.config.asterisk.fastagi.port
            if not sections:
                uvloop.run(call(port, numbers[-WARM:], options.rate))
            return uvloop.run(call(port, (numbers[:-WARM] * (1 + count // len(numbers)))[:count], options.rate))


def hanging(port: int, **guard: object) -> dict[str, dict[str, Any]]:
    """The configuration's section of a CRM that hangs."""
    settings = {"url": f"postgresql+asyncpg://crm@127.0.0.1:{port}/crm"}
    return {"connectors": {"crm": {"integration": "sql", "settings": settings, "guard": guard}}}


def main() -> None:
    """Print the figures of docs/performance.md, section To the first prompt."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=40.0, help="calls a second")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each run lasts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flow", default="shortest", choices=("shortest", "lijnnet"))
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, uvloop {version('uvloop')}\n")
    rounds: dict[str, list[Sequence[float]]] = {}
    for number in range(options.rounds):
        found = {"demo CRM": measured(options)}
        with hanging_database() as port:
            found["hanging CRM"] = measured(options, **hanging(port, failures_to_open=1_000_000))
            broken = measured(options, **hanging(port))
        found["breaker: calls that waited"] = [waited for waited in broken if waited > BUDGET_MS / 2]
        found["breaker: calls after it opened"] = [waited for waited in broken if waited <= BUDGET_MS / 2]
        for kind, waited in found.items():
            rounds.setdefault(kind, []).append(waited)
            print(f"round {number + 1} {kind:<31}", *(f"{name} {ms:.2f}" for name, ms in summary(waited)), flush=True)
    print("\n| | calls a round | p50, ms | p99, ms | worst, ms |\n|---|---|---|---|---|")
    for kind, of_kind in rounds.items():
        columns = zip(*([ms for _, ms in summary(waited)] for waited in of_kind), strict=True)
        _, *shown = [f"{statistics.median(column):.1f} ({min(column):.1f} - {max(column):.1f})" for column in columns]
        print(f"| {kind} | {len(of_kind[0])} | {' | '.join(shown)} |")


def summary(waited: Sequence[float]) -> Sequence[tuple[str, float]]:
    """How many, the middle, the 99th percentile and the worst."""
    p99 = statistics.quantiles(waited, n=100, method="inclusive")[98] if len(waited) > 1 else max(waited)
    return (("n", len(waited)), ("p50", statistics.median(waited)), ("p99", p99), ("max", max(waited)))


if __name__ == "__main__":
    main()
