"""A clock that stands still until it is moved, so that tests of time need no time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

ROUNDS_TO_SETTLE = 20
"""How often the event loop turns after each step, so that what became due can run and ask for more time."""


@dataclass
class ManualClock:
    """Time that moves by `advance` only (an `ivr.ports.Clock`). `start` is an aware datetime."""

    start: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    passed: float = 0.0
    _sleepers: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def now(self) -> datetime:
        """The moment it shows."""
        return self.start + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        """Seconds it was advanced."""
        return self.passed

    async def sleep(self, seconds: float) -> None:
        """Wait until it has been advanced this far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (self.passed + seconds, next(self._order), woken))
        await woken

    @property
    def sleepers(self) -> int:
        """How many are waiting for time to pass."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def settle(self) -> None:
        """Let everything run that can run without time passing."""
        for _ in range(ROUNDS_TO_SETTLE):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking sleepers in their order and letting each do its work."""
        await self.settle()
        end = self.passed + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heappop(self._sleepers)
            if woken.done():
                continue
            self.passed = due
            woken.set_result(None)
            await self.settle()
        self.passed = end
        await self.settle()
