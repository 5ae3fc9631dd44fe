"""One timer for the time limits of every session, instead of a timer for each."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final, Protocol

RESOLUTION: Final = 0.05
"""Seconds between two rounds at the least: a limit may be kept this much too late."""


class Timer(Protocol):
    """Something that will be called."""

    def cancel(self) -> None:
        """It will not."""


class Loop(Protocol):
    """What is needed of an event loop."""

    def time(self) -> float:
        """Its clock."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call something at a moment."""


class Limited(Protocol):
    """Who must be told when its time is over."""

    deadline: float
    """On the clock of the loops, which is `time.monotonic`."""

    def ring(self, now: float) -> None:
        """The deadline has passed; it must be moved, if only to infinity."""


class Alarm:
    """Looks at everyone in `watched` when the earliest deadline comes.

    Who sets a deadline earlier than `rings_at` calls `ring_at`. A deadline that is moved to a later time, as most are
    long before they come, costs nothing.
    """

    __slots__ = ("_loop", "_timer", "rings_at", "watched")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._timer: Timer | None = None
        self.rings_at = inf
        self.watched: set[Limited] = set()

    def ring_at(self, moment: float) -> None:
        """Look at everyone then, instead of when it was due."""
        if self._timer is not None:
            self._timer.cancel()
        self.rings_at = moment
        self._timer = self._loop.call_at(moment, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.rings_at = inf
        now = self._loop.time()
        for one in [one for one in self.watched if one.deadline <= now]:
            one.ring(now)
        earliest = min((one.deadline for one in self.watched), default=inf)
        if earliest < self.rings_at:
            self.ring_at(max(earliest, now + RESOLUTION))
