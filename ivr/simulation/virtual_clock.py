"""A clock whose time passes only by sleeping: a call of minutes takes no time at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class VirtualClock:
    """Time that jumps ahead when it is slept (an `ivr.ports.Clock`). `start` is an aware datetime."""

    start: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    passed: float = 0.0

    def now(self) -> datetime:
        """The moment it shows, UTC."""
        return (self.start + timedelta(seconds=self.passed)).astimezone(UTC)

    def monotonic(self) -> float:
        """Seconds that have passed."""
        return self.passed

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and others have their turn."""
        self.passed += max(0.0, seconds)
        await asyncio.sleep(0)
