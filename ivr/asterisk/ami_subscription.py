"""A subscription: events waiting for one reader, never more than it has room for."""

from __future__ import annotations

import asyncio
from collections import deque

from ivr.asterisk.ami_wire import AmiMessage

ROOM = 10_000

GAP = AmiMessage([("Event", "KlantlijnGap")])
"""Handed to a reader when events may have been missed: after each login, and after some were dropped."""


class Subscription:
    """Events of some names, in order, for one reader: `async for event in subscription`.

    Drop rule: when there is no room, the oldest event goes, `dropped` counts it, and the
    reader gets GAP before the next event. What a reader then does is ask Asterisk how
    things stand; the newest events (who hung up) are worth more for that than the oldest.
    """

    def __init__(self, names: frozenset[str], room: int = ROOM) -> None:
        self.names = names
        self.dropped = 0
        self._room = room
        self._waiting: deque[AmiMessage] = deque()
        self._gap = False
        self._closed = False
        self._something = asyncio.Event()

    def put(self, event: AmiMessage) -> None:
        """Add an event. Never waits, never fails."""
        if len(self._waiting) >= self._room:
            self._waiting.popleft()
            self.dropped += 1
            self._gap = True
        self._waiting.append(event)
        self._something.set()

    def mark_gap(self) -> None:
        """Tell the reader that events may have been missed."""
        self._gap = True
        self._something.set()

    def close(self) -> None:
        """End the reader's loop once it has read what waits."""
        self._closed = True
        self._something.set()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> AmiMessage:
        while True:
            if self._gap:
                self._gap = False
                return GAP
            if self._waiting:
                return self._waiting.popleft()
            if self._closed:
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
