"""A connector that answers as a script says: a customer system without a system."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from ivr.domain.caller import Customer
from ivr.domain.line import PhoneNumber


@dataclass
class ScriptedConnector:
    """Knows `customers`, and remembers who it was asked for (an `ivr.connectors.connector.FindsCallers`).

    While `hangs`, requests wait until `let_go`. With `stubborn`, they do not even end when
    they are cancelled, as a driver's thread would not. `raises` is raised instead of an
    answer, `refuses_to_open` by `open`.
    """

    customers: Sequence[Customer] = ()
    hangs: bool = False
    stubborn: bool = False
    raises: Exception | None = None
    refuses_to_open: Exception | None = None
    asked: list[PhoneNumber] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    under_way: int = 0
    most_under_way: int = 0
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> None:
        """Count that it was opened, or raise."""
        self.opened += 1
        if self.refuses_to_open:
            raise self.refuses_to_open

    async def close(self) -> None:
        """Count that it was closed."""
        self.closed += 1

    async def check(self) -> None:
        """Hang or raise as `find_caller` does."""
        await self._answer()

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """The customers whose numbers hold it, unless the script says otherwise."""
        self.asked.append(number)
        await self._answer()
        return [customer for customer in self.customers if number in customer.numbers]

    def let_go(self) -> None:
        """Hang no longer, and let those go on that do."""
        self.hangs = False
        self._released.set()
        self._released = asyncio.Event()

    async def _answer(self) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.hangs:
                await self._hang(self._released)
        finally:
            self.under_way -= 1
        if self.raises:
            raise self.raises

    async def _hang(self, released: asyncio.Event) -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                if not self.stubborn:
                    raise
