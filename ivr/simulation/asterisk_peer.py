"""Asterisk's side of an AGI session, over a real socket: for tests, and for trying a server without Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Self

ENVIRONMENT: Mapping[str, str] = {
    "network": "yes",
    "network_script": "call",
    "request": "agi://127.0.0.1:4574/call",
    "channel": "PJSIP/trunk-00000001",
    "language": "nl",
    "type": "PJSIP",
    "uniqueid": "1790000000.1",
    "version": "22.10.1",
    "callerid": "0612345678",
    "calleridname": "unknown",
    "callingpres": "0",
    "callingani2": "0",
    "callington": "0",
    "callingtns": "0",
    "dnid": "0850001000",
    "rdnis": "unknown",
    "context": "klantlijn",
    "extension": "0850001000",
    "priority": "2",
    "enhanced": "0.0",
    "accountcode": "",
    "threadid": "140737353",
    "arg_1": "",
}
"""What Asterisk 22 sends of an ordinary call."""

REPLIES: Mapping[str, bytes] = {
    "ANSWER": b"200 result=0\n",
    "STREAM FILE": b"200 result=0 endpos=6920\n",
    "WAIT FOR DIGIT": b"200 result=0\n",
    "SET VARIABLE": b"200 result=1\n",
    "GET VARIABLE": b"200 result=0\n",
    "HANGUP": b"200 result=1\nHANGUP\n",
}
"""What Asterisk replies to a caller who only listens, by the first words of a command."""


def opening(**environment: str) -> bytes:
    """The lines a session opens with; `environment` replaces or adds values."""
    lines = "".join(f"agi_{name}: {value}\n" for name, value in {**ENVIRONMENT, **environment}.items())
    return lines.encode("utf-8", "surrogateescape") + b"\n"


class AsteriskPeer:
    """One connection to an AGI server. Every wait ends after `patience` seconds with TimeoutError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1", *, patience: float = 5.0) -> Self:
        """Connect, and say nothing yet."""
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(host, port)
        return cls(reader, writer, patience)

    @classmethod
    async def call(cls, port: int, **environment: str) -> Self:
        """Connect and open a session."""
        peer = await cls.connect(port)
        await peer.send(opening(**environment))
        return peer

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def command(self) -> str:
        """The next line from the server, without its end.

        Raises:
            EOFError: the server closed the connection.
        """
        async with asyncio.timeout(self._patience):
            line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the server closed the connection")
        return line[:-1].decode("utf-8", "surrogateescape")

    async def expect(self, command: str, reply: bytes = b"") -> None:
        """The next command must be this one; reply to it."""
        got = await self.command()
        if got != command:
            raise AssertionError(f"expected {command!r}, got {got!r}")
        await self.send(reply)

    async def play(self, replies: Mapping[str, bytes] = REPLIES) -> list[str]:
        """Reply to every command by its first words until the server closes; returns the commands."""
        commands: list[str] = []
        try:
            while True:
                command = await self.command()
                commands.append(command)
                await self.send(next(reply for start, reply in replies.items() if command.startswith(start)))
        except (EOFError, ConnectionError):
            return commands
        finally:
            self.close()

    async def until_closed(self) -> list[str]:
        """The lines that still come until the server closes."""
        return await self.play({"": b""})

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()

    def reset(self) -> None:
        """Break the connection off."""
        self._writer.transport.abort()
