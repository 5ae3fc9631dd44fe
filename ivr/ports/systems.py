"""What is asked of the systems outside: customer systems and Asterisk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ivr.domain.caller import Customer, CustomerId
from ivr.domain.capability import Capability
from ivr.domain.dialling import DialOutcome, DialRequest
from ivr.domain.identity import Identity
from ivr.domain.line import PhoneNumber


class ConnectorSession(Protocol):
    """A connected system. Every method raises ConnectorError and nothing else; also for what it is not capable of."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every customer with this number; empty when there is none."""

    async def foresee(self, number: PhoneNumber, seconds: float) -> None:
        """Find out who has a number before they call, and remember it for so long."""

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """Every customer with this identity; empty when there is none."""

    async def dossier(self, part: Capability, customer: CustomerId) -> Sequence[Any]:
        """A part of a customer's dossier, as `ivr.domain.dossier`."""

    def dossier_before(self, part: Capability, customer: CustomerId) -> tuple[Sequence[Any], float] | None:
        """What that part held when it was last seen, and how many seconds ago; None when that is too long ago."""


class CustomerIndex(Protocol):
    """Customers as the connected systems last told of them, found without asking these systems. Never raises.

    An answer is never empty. None: nobody known has it, the index is too old, or it cannot be read now, so only the
    system itself can tell. It holds what a greeting needs: no dossier, and of the facts that prove who calls only the
    customer number and the postcode.
    """

    async def find(self, connector: str, identity: Identity) -> Sequence[Customer] | None:
        """The customers of a connector with this identity, in about a millisecond."""


class Switchboard(Protocol):
    """Asterisk, seen from the dialer."""

    async def dial(self, request: DialRequest) -> DialOutcome:
        """Dial and wait for the outcome. Never dials twice: UNKNOWN when the link broke before the outcome was seen.

        Raises:
            AmiUnavailable: nothing was dialled.
        """

    async def is_up(self, channel_id: str) -> bool:
        """Whether a channel with this Uniqueid exists. Raises AmiUnavailable."""

    async def mark(self, key: str) -> str | None:
        """What the extensions stored as `klantlijn/<key>` in Asterisk's database, or None. Raises AmiUnavailable."""

    async def forget_mark(self, key: str) -> None:
        """Remove what is stored as `klantlijn/<key>`, if anything is. Raises AmiUnavailable."""

    async def stop_ringing(self, channel_id: str) -> None:
        """End the call of the channel with this Uniqueid, unless it was answered. Raises AmiUnavailable."""

    async def free_agents(self, asterisk_queues: Sequence[str]) -> int:
        """Agents who could take a call of one of these queues now. Raises AmiUnavailable."""
