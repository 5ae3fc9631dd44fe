"""An engine of a few lines: it takes the real one's AGI sessions and does to them what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType


class Session:
    """One AGI session. `header` holds what Asterisk told, by name without `agi_`."""

    def __init__(self, header: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.header = header
        self._reader = reader
        self._writer = writer

    async def run(self, command: str) -> str:
        """Send a command; its reply."""
        self.send(command)
        return (await self._reader.readline()).decode().strip()

    def send(self, command: str) -> None:
        """Send a command and do not wait."""
        self._writer.write(command.encode() + b"\n")

    def die(self) -> None:
        """Break the connection, as a killed process does."""
        self._writer.transport.abort()


Script = Callable[[Session], Awaitable[None]]


class ScriptedEngine:
    """Serves AGI on `port`, one run of `script` a session. `sessions` are those it had."""

    def __init__(self, port: int, script: Script) -> None:
        self.sessions: list[Session] = []
        self._port = port
        self._script = script
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> ScriptedEngine:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        header: dict[str, str] = {}
        while line := (await reader.readline()).decode("utf-8", "surrogateescape").rstrip("\n"):
            name, _, value = line.partition(": ")
            header[name.removeprefix("agi_")] = value
        session = Session(header, reader, writer)
        self.sessions.append(session)
        await self._script(session)
        writer.close()


async def closes(_: Session) -> None:
    """End the session without a decision."""


async def refuses(session: Session) -> None:
    """What an engine says that is full, or going down."""
    session.send("FAILURE")


def decides(**variables: str) -> Script:
    """Answer and decide: the variables are set as KLANTLIJN_<name>."""

    async def script(session: Session) -> None:
        await session.run("ANSWER")
        for name, value in variables.items():
            await session.run(f'SET VARIABLE KLANTLIJN_{name.upper()} "{value}"')

    return script
