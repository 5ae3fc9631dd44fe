"""A connector that answers as a script says: a customer system without a system."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ivr.domain.caller import Customer, CustomerId
from ivr.domain.capability import Capability
from ivr.domain.identity import Identity
from ivr.domain.line import PhoneNumber


@dataclass
class ScriptedConnector:
    """Knows `customers` and their `dossiers`, and remembers which numbers it was asked for.

    It is a connector that finds callers and customers and has every part of a dossier, and
    without a guard an `ivr.ports.ConnectorSession`.

    While `hangs`, requests wait until `let_go`. With `stubborn`, they do not even end when
    they are cancelled, as a driver's thread would not. `raises` is raised instead of an
    answer, `refuses_to_open` by `open`.
    """

    customers: Sequence[Customer] = ()
    dossiers: Mapping[tuple[Capability, CustomerId], Sequence[Any]] = field(default_factory=dict)
    name: str = "scripted"
    hangs: bool = False
    stubborn: bool = False
    raises: Exception | None = None
    refuses_to_open: Exception | None = None
    asked: list[PhoneNumber] = field(default_factory=list)
    foreseen: list[PhoneNumber] = field(default_factory=list)
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

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        parts = {part for part, _ in self.dossiers}
        return frozenset({Capability.FIND_CALLER, Capability.FIND_CUSTOMER, *parts})

    async def foresee(self, number: PhoneNumber, seconds: float) -> None:
        """Remember that somebody was foreseen."""
        self.foreseen.append(number)
        await self._answer()

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """The customers with this customer number or e-mail address."""
        await self._answer()
        return [each for each in self.customers if identity.value in (each.customer_number, each.email)]

    async def dossier(self, part: Capability, customer: CustomerId) -> Sequence[Any]:
        """What the script says that part holds."""
        await self._answer()
        return self.dossiers.get((part, customer), ())

    def dossier_before(self, part: Capability, customer: CustomerId) -> tuple[Sequence[Any], float] | None:
        """Nothing: what was told is not kept."""
        return None

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
