"""A synthetic Asterisk manager interface on a real socket: obedient until told to misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence

Headers = dict[str, list[str]]
"""An action as it came in: lower-case header names, every value of each."""

Answer = Callable[[Headers], Sequence[str]]
"""What to send for an action: whole messages, without their final empty line."""

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
READ_LIMIT = 64 * 1024


def event(name: str, **headers: str) -> str:
    """A message with an event, header names as given."""
    return "\r\n".join([f"Event: {name}", *(f"{key}: {value}" for key, value in headers.items())])


def response(action: Headers, status: str = "Success", **headers: str) -> str:
    """A message that answers an action."""
    lines = [f"Response: {status}", f"ActionID: {action['actionid'][0]}"]
    return "\r\n".join(lines + [f"{key}: {value}" for key, value in headers.items()])


def list_of(action: Headers, complete: str, items: Sequence[str]) -> list[str]:
    """The messages of a whole EventList answer; `items` are events."""
    action_id = f"\r\nActionID: {action['actionid'][0]}"
    end = event(complete, EventList="Complete", ListItems=str(len(items))) + action_id
    return [response(action, EventList="start"), *(item + action_id for item in items), end]


class AmiPeer:
    """Listens on 127.0.0.1. What it was sent is in `actions`, over all connections.

    `answers` replaces what it does for an action (lower-case name); an empty answer is
    silence. `banner` is sent first, `booted` says whether FullyBooted follows a login.
    """

    def __init__(self, secret: str, *, user: str = "klantlijn", tls: ssl.SSLContext | None = None) -> None:
        self.actions: list[Headers] = []
        self.connections = 0
        self.banner = BANNER
        self.booted = True
        self.port = 0
        self.answers: dict[str, Answer] = {
            "login": lambda action: self._login(action, user, secret),
            "ping": lambda action: [response(action, Ping="Pong")],
            "filter": lambda action: [response(action)],
            "events": lambda action: [response(action, Events="On")],
        }
        self._tls = tls
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._news = asyncio.Condition()

    async def start(self) -> None:
        """Listen, on the same port as before when it was stopped."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and break every connection."""
        if self._server is not None:
            self._server.close()
        await self.drop()

    async def drop(self) -> None:
        """Break every connection, without a word."""
        for writer in list(self._writers):
            writer.transport.abort()
        async with self._news:
            await self._news.wait_for(lambda: not self._writers)

    def send(self, data: bytes) -> None:
        """Send bytes, whatever they are, on every connection."""
        for writer in self._writers:
            writer.write(data)

    def send_event(self, name: str, **headers: str) -> None:
        """Send an event on every connection."""
        self.send((event(name, **headers) + "\r\n\r\n").encode())

    def sent(self, action: str) -> list[Headers]:
        """The actions of one name that came in."""
        return [headers for headers in self.actions if headers.get("action", [""])[0].lower() == action.lower()]

    async def wait_for(self, action: str, count: int = 1, timeout: float = 5.0) -> Headers:
        """The `count`th action of this name, waited for at most `timeout` seconds (then TimeoutError)."""
        async with asyncio.timeout(timeout), self._news:
            await self._news.wait_for(lambda: len(self.sent(action)) >= count)
        return self.sent(action)[count - 1]

    async def wait_connections(self, count: int, timeout: float = 5.0) -> None:
        """Wait until this many connections have been made in all (then TimeoutError)."""
        async with asyncio.timeout(timeout), self._news:
            await self._news.wait_for(lambda: self.connections >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        await self._tell()
        try:
            writer.write(self.banner)
            rest = b""
            while chunk := await reader.read(READ_LIMIT):
                *messages, rest = (rest + chunk).split(b"\r\n\r\n")
                for message in messages:
                    self._take(message, writer)
                await self._tell()
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()
            await self._tell()

    def _take(self, message: bytes, writer: asyncio.StreamWriter) -> None:
        headers: Headers = {}
        for line in message.decode().split("\r\n"):
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), []).append(value.strip())
        self.actions.append(headers)
        answer = self.answers.get(headers.get("action", [""])[0].lower(), _unknown)
        for text in answer(headers):
            writer.write((text + "\r\n\r\n").encode())

    def _login(self, action: Headers, user: str, secret: str) -> list[str]:
        if (action.get("username"), action.get("secret")) != ([user], [secret]):
            return [response(action, "Error", Message="Authentication failed")]
        accepted = response(action, Message="Authentication accepted")
        return [accepted, event("FullyBooted", Status="Fully Booted")] if self.booted else [accepted]

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


def _unknown(action: Headers) -> list[str]:
    return [response(action, "Error", Message="Invalid/unknown command")]
