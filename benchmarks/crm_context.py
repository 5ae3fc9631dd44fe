"""Who calls, their orders and their invoices from a real Odoo and a real Tryton: the system's own share, and ours.

    .venv/bin/python -m benchmarks.crm_context odoo 20000
    .venv/bin/python -m benchmarks.crm_context tryton 2000 [--calls 500]

The second word is how many people the system knows; it is made with them the first time, which
takes minutes. For each caller the connector is asked for the customer, then for orders and
invoices at once. Beside it a bare client sends the very same bytes in the same order over
connections of its own and reads the answers without looking at them: that is the system's
share. The two take turns at going first.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import ClientSession
from yarl import URL

from deploy.crm.__main__ import HOME
from deploy.crm.odoo import odoo
from deploy.crm.people import BUYERS, PEOPLE, crowd, crowd_number
from deploy.crm.tryton import VERSIONS, tryton
from integrations.odoo.connector import OdooConnector, OdooSettings
from integrations.tryton.connector import TrytonConnector, TrytonSettings
from ivr.connectors.connector import Surroundings

Connector = OdooConnector | TrytonConnector
Request = tuple[str, bytes, dict[str, str]]


class BareClient:
    """HTTP/1.1 with as little as it takes: kept-alive connections, answers read and thrown away."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, request: Request) -> None:
        """Send a request and read its answer."""
        path, body, headers = request
        lines = [f"POST {path} HTTP/1.1", f"Host: {self._url.host}:{self._url.port}", f"Content-Length: {len(body)}"]
        lines += ["Content-Type: application/json", "Accept-Encoding: gzip, deflate"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection(self._url.host, self._url.port)
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert b" 200 " in head.partition(b"\r\n")[0], head
        if b"transfer-encoding: chunked" in head:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        else:
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            writer.close()
        else:
            self._idle.append((reader, writer))

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


class Ear:
    """Hears what a connector sends."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self._post = ClientSession.post

    def listen(self) -> None:
        ear = self

        def post(session: ClientSession, url: str, **told: Any) -> Any:
            headers = {name: value for name, value in told["headers"].items() if name != "Content-Type"}
            ear.heard.append((URL(url).raw_path, told["data"], headers))
            return ear._post(session, url, **told)

        ClientSession.post = post  # type: ignore[method-assign, assignment]

    def stop(self) -> None:
        ClientSession.post = self._post  # type: ignore[method-assign]


async def context(connector: Connector, place: int) -> None:
    """The customer, then their orders and invoices at once."""
    (customer,) = await connector.find_caller(crowd_number(place))
    assert customer.customer_number == f"K{200000 + place}", customer
    orders, invoices = await asyncio.gather(connector.orders(customer.id), connector.invoices(customer.id))
    assert len(orders) == len(invoices) == 1


async def replay(client: BareClient, requests: Sequence[Request]) -> None:
    """The same requests, in the same order."""
    await client.post(requests[0])
    await asyncio.gather(*(client.post(request) for request in requests[1:]))


async def timed(work: Awaitable[None]) -> tuple[float, float]:
    """Milliseconds that something took, by the clock and of this process's CPU."""
    began, cpu = time.perf_counter(), time.process_time()
    await work
    return (time.perf_counter() - began) * 1e3, (time.process_time() - cpu) * 1e3


@asynccontextmanager
async def connected(system: str, count: int) -> AsyncIterator[tuple[Connector, URL]]:
    """A connector to a system with so many people."""
    people = (*PEOPLE, *crowd(count))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        surroundings = Surroundings(folder=folder, timeout=30.0)
        connector: Connector
        if system == "odoo":
            running = stack.enter_context(odoo(HOME, folder / "run", print, people=people))
            (folder / "secret").write_text(running.key)
            told = OdooSettings(url=running.url, database=running.database, key_file=Path("secret"))
            connector, url = OdooConnector(told, surroundings), URL(running.url)
        else:
            there = stack.enter_context(tryton(HOME, folder / "run", print, version=VERSIONS[0], people=people))
            (folder / "secret").write_text(there.password)
            settings = {"url": there.url, "database": there.database, "login": there.login, "password_file": "secret"}
            connector, url = TrytonConnector(TrytonSettings.model_validate(settings), surroundings), URL(there.url)
        await connector.open()
        try:
            yield connector, url
        finally:
            await connector.close()


async def measure(system: str, count: int, calls: int) -> None:
    """Print the figures."""
    chosen = random.Random(7)
    places = [chosen.randrange(min(BUYERS, count)) for _ in range(calls)]
    async with connected(system, count) as (connector, url):
        ear, requests = Ear(), dict[int, list[Request]]()
        ear.listen()
        for place in set(places):
            await context(connector, place)
            requests[place], ear.heard = ear.heard, []
        ear.stop()
        bare = BareClient(url)
        ours: list[tuple[float, float]] = []
        theirs: list[tuple[float, float]] = []
        gc.freeze()
        for turn, place in enumerate(places):
            both: list[tuple[Callable[[], Awaitable[None]], list[tuple[float, float]]]] = [
                (lambda place=place: context(connector, place), ours),  # type: ignore[misc]
                (lambda place=place: replay(bare, requests[place]), theirs),  # type: ignore[misc]
            ]
            for work, taken in both if turn % 2 else reversed(both):
                taken.append(await timed(work()))
        await bare.close()
    print(f"{system}, {count} people, {calls} callers: customer, then orders and invoices at once")
    for label, taken in (("through the connector", ours), ("the system alone", theirs)):
        print(f"{label:<24} {shown([wall for wall, _ in taken])}   cpu here {shown([cpu for _, cpu in taken])}")
    added = [mine[0] - bare_one[0] for mine, bare_one in zip(ours, theirs, strict=True)]
    print(f"{'ours on top':<24} p50 {statistics.median(added):.2f} ms of the pairs' differences")


def shown(milliseconds: Sequence[float]) -> str:
    """The middle and the 99th percentile."""
    return f"p50 {statistics.median(milliseconds):6.2f} ms  p99 {statistics.quantiles(milliseconds, n=100)[98]:6.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=["odoo", "tryton"])
    parser.add_argument("people", type=int)
    parser.add_argument("--calls", type=int, default=500)
    told = parser.parse_args()
    uvloop.run(measure(told.system, told.people, told.calls))


if __name__ == "__main__":
    main()
