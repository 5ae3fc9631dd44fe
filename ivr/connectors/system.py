"""A connected system: a connector behind its guard, asked by capability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from ivr.config.model import Guard as Limits
from ivr.connectors.connector import CAPABILITIES, Changes, ChoosesCapabilities, Connector
from ivr.connectors.guard import Guard
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.capability import Capability
from ivr.domain.errand import ContactNote, Message, Ticket
from ivr.domain.identity import Identity
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused
from ivr.ports import Clock

log = structlog.get_logger()


class ConnectedSystem(Guard):
    """An `ivr.ports.ConnectorSession`. Every method raises what `Guard.look_up` raises.

    What the system cannot do is refused without asking it.
    """

    def __init__(self, name: str, connector: Connector, limits: Limits, clock: Clock) -> None:
        super().__init__(name, connector, limits, clock)
        self._asked: Any = connector
        self.capabilities = capabilities_of(connector)

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every customer with this number; empty when there is none. Who does not have the number is left out."""
        self._must(Capability.FIND_CALLER)
        return await self.look_up((Capability.FIND_CALLER, number), lambda: self._with_number(number))

    async def foresee(self, number: PhoneNumber, seconds: float) -> None:
        """Find out who has a number before they call, and remember it for so long. Takes no caller's place."""
        self._must(Capability.FIND_CALLER)
        found = await self.in_background(lambda: self._with_number(number), within=self._limits.timeout)
        self.remember((Capability.FIND_CALLER, number), found, seconds)

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """Every customer with this identity; empty when there is none."""
        self._must(Capability.FIND_CUSTOMER)
        return await self.look_up(identity, lambda: self._asked.find_customer(identity))

    async def dossier(self, part: Capability, customer: CustomerId) -> Sequence[Any]:
        """A part of a customer's dossier: orders, invoices, cases, faults or appointments, as `ivr.domain.dossier`."""
        self._must(part)
        return await self.look_up((part, customer), lambda: getattr(self._asked, part.value)(customer))

    def dossier_before(self, part: Capability, customer: CustomerId) -> tuple[Sequence[Any], float] | None:
        """What that part held when it was last seen, and how many seconds ago; None when that is too long ago."""
        return self.found_before((part, customer))

    async def changes(self, since: str | None, limit: int, *, within: float) -> Changes:
        """A page of what changed, within so many seconds: longer than a caller would wait."""
        self._must(Capability.CHANGES)
        page: Changes = await self.in_background(lambda: self._asked.changes(since, limit), within=within)
        return page

    async def log_contact(self, note: ContactNote, customer: CustomerId) -> None:
        """Write a contact in a customer's record."""
        self._must(Capability.LOG_CONTACT)
        await self.carry_out(lambda: self._asked.log_contact(note, customer))

    async def create_ticket(self, ticket: Ticket, customer: CustomerId | None) -> str:
        """Open a case; returns its number."""
        self._must(Capability.CREATE_TICKET)
        number: str = await self.carry_out(lambda: self._asked.create_ticket(ticket, customer))
        return number

    async def send_message(self, message: Message) -> None:
        """Send a message."""
        self._must(Capability.SEND_MESSAGE)
        await self.carry_out(lambda: self._asked.send_message(message))

    async def _with_number(self, number: PhoneNumber) -> Sequence[Customer]:
        found = await self._asked.find_caller(number)
        customers = [customer for customer in found if number in customer.numbers]
        if len(customers) < len(found):
            log.warning("connector.other_number", connector=self.name, dropped=len(found) - len(customers))
        return customers

    def _must(self, capability: Capability) -> None:
        if capability not in self.capabilities:
            raise ConnectorRefused(f"{self.name} cannot do {capability}")


def capabilities_of(connector: Connector) -> frozenset[Capability]:
    """What a connector can do with its settings."""
    if isinstance(connector, ChoosesCapabilities):
        return connector.capabilities
    return frozenset(each for each, protocol in CAPABILITIES.items() if isinstance(connector, protocol))
