"""A FastAGI server on a free port whose calls run what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from ivr.asterisk.agi_channel import AgiChannel
from ivr.asterisk.agi_server import FastAgiServer
from ivr.asterisk.agi_session import AgiSession
from ivr.config.model import FastAgi
from ivr.ports import Arrival, Channel, Handler
from ivr.simulation.asterisk_peer import AsteriskPeer, opening

PATIENCE = 5.0


class ServerUnderTest(FastAgiServer):
    """A server that can be called, and closes its callers' ends too."""

    peers: list[AsteriskPeer]

    async def knock(self) -> AsteriskPeer:
        """A connection that says nothing yet."""
        peer = await AsteriskPeer.connect(self.port)
        self.peers.append(peer)
        return peer

    async def dial(self, **environment: str) -> AsteriskPeer:
        """A call."""
        peer = await self.knock()
        await peer.send(opening(**environment))
        return peer


@asynccontextmanager
async def serving(handler: Handler, **config: Any) -> AsyncIterator[ServerUnderTest]:
    """A server; `config` changes values of asterisk.fastagi."""
    values = {"port": 0, "drain_timeout": 0.2, "command_timeout": 2.0, **config}
    server = ServerUnderTest(FastAgi().model_copy(update=values), handler, "NL")
    server.peers = []
    await server.start()
    try:
        yield server
    finally:
        await server.drain()
        for peer in server.peers:
            peer.close()


class Calls:
    """A handler that runs `body` on each call and keeps what came of it: values and exceptions."""

    def __init__(self, body: Callable[[AgiSession], Awaitable[object]]) -> None:
        self.body = body
        self.arrivals: list[Arrival] = []
        self._results: asyncio.Queue[object] = asyncio.Queue()

    async def __call__(self, arrival: Arrival, channel: Channel) -> None:
        assert isinstance(channel, AgiChannel)
        self.arrivals.append(arrival)
        try:
            self._results.put_nowait(await self.body(channel.session))
        except BaseException as error:
            self._results.put_nowait(error)
            raise

    async def result(self) -> object:
        """What the next call that ended came to."""
        async with asyncio.timeout(PATIENCE):
            return await self._results.get()


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  # what is waited for has no event to wait on
            await asyncio.sleep(0.005)
