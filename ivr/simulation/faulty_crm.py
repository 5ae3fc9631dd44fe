"""A CRM over HTTP on a real socket that fails as it is told to: for tests and benchmarks of what a caller notices."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Self
from urllib.parse import parse_qs, urlsplit

SLOW, LATE = 0.25, 10.0
"""Seconds after which it answers when it is `Fault.SLOW` or `Fault.LATE`."""

FLOOD = 100_000_000
"""Bytes of an answer of `Fault.FLOODS`."""

PIECE = b" " * 100_000

RECIPE = """
title: A CRM that fails
values: {base_url: its address}
base_url: "{{ base_url }}"
check: {path: /status}
customer: {id: id, name: name, numbers: phone}
find_caller:
  requests: [{path: /people, query: {phone: "{{ number }}"}}]
  records: people
orders:
  requests: [{path: "/people/{{ customer }}/orders"}]
  fields: {number: number, state: state}
"""
"""How the integration `rest` asks it."""


class Fault(StrEnum):
    """What may be wrong with it."""

    NONE = "is well"
    SLOW = "answers in 250 ms"
    HANGS = "hangs"
    LATE = "answers in 10 s"
    HTML = "returns HTML"
    ERRORS = "500s half of the time"
    HALF_CLOSES = "half-closes"
    FLOODS = "sends 100 MB"


class FaultyCrm:
    """Listens on 127.0.0.1. It knows the numbers that `knows` is true of, each as somebody who waits for an order.

    `fault` may be changed at any moment, for the requests that come from then on; `delay` are the
    seconds a good answer takes. `requests` are those it got, `sent` the bytes that it got rid of
    of its floods.
    """

    def __init__(self, knows: Callable[[str], bool] = lambda number: True, *, delay: float = 0.0) -> None:
        self.fault = Fault.NONE
        self.requests = 0
        self.sent = 0
        self.port = 0
        self._knows = knows
        self._delay = delay
        # Always the same, so that runs can be compared.
        self._chance = random.Random(1)  # noqa: S311 - nothing depends on its being unforeseeable
        self._talks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def base_url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        try:
            # Only `__aexit__` cancels it, and streams of Python 3.11 report that as a mistake.
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    self.requests += 1
                    await self._answer(head.split(b" ", 2)[1].decode("ascii"), reader, writer)
        finally:
            writer.close()

    async def _answer(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self.fault:
            case Fault.HANGS:
                await reader.read()
            case Fault.HTML:
                await _send(writer, b"<!DOCTYPE html><title>Log in</title>", kind="text/html")
            case Fault.ERRORS if self._chance.random() < 0.5:
                await _send(writer, b'{"message": "oops"}', status="500 Internal Server Error")
            case Fault.HALF_CLOSES:
                answer = self._found(target)
                writer.write(_head(len(answer)) + answer[: len(answer) // 2])
                writer.write_eof()
                await reader.read()
            case Fault.FLOODS:
                writer.write(_head(FLOOD))
                for _ in range(FLOOD // len(PIECE)):
                    writer.write(PIECE)
                    await writer.drain()
                    self.sent += len(PIECE)
            case fault:
                await asyncio.sleep({Fault.SLOW: SLOW, Fault.LATE: LATE}.get(fault, self._delay))
                await _send(writer, self._found(target))

    def _found(self, target: str) -> bytes:
        address = urlsplit(target)
        if address.path == "/status":
            return b"{}"
        if address.path != "/people":
            customer = address.path.split("/")[2]
            return json.dumps([{"number": f"B{customer[1:]}", "state": "on_the_way"}]).encode()
        (number,) = parse_qs(address.query)["phone"]
        person = {"id": f"K{number[1:]}", "name": "Anna de Vries", "phone": number}
        return json.dumps({"people": [person] if self._knows(number) else []}).encode()


def _head(length: int, status: str = "200 OK", kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()


async def _send(
    writer: asyncio.StreamWriter, body: bytes, *, status: str = "200 OK", kind: str = "application/json"
) -> None:
    writer.write(_head(len(body), status, kind) + body)
    await writer.drain()
