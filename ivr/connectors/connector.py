"""What an integration implements to connect a system, capability by capability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Protocol, runtime_checkable

from ivr.domain.caller import Customer, CustomerId
from ivr.domain.capability import Capability as Capability
from ivr.domain.dossier import Appointment, Case, Fault, Invoice, Order
from ivr.domain.errand import ContactNote, Message, Ticket
from ivr.domain.identity import Identity
from ivr.domain.line import PhoneNumber


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an integration may know of where it runs.

    `country` is the organisation's (ISO 3166), for numbers in national form, and `zone` is
    for moments that a system tells without theirs. Relative paths in settings start at
    `folder`. `timeout` (seconds) and `concurrency` (requests at once) are the guard's: after
    the first nobody waits for an answer any more, so drivers may give up too; the second is
    how many connections are of use.
    """

    country: str = "NL"
    zone: tzinfo = UTC
    folder: Path = Path()
    timeout: float = 2.0
    concurrency: int = 20


@runtime_checkable
class Connector(Protocol):
    """A link to one system, built as `Connector(settings, surroundings)` without touching the network.

    Every method raises ConnectorError and nothing else, and may be cancelled at any moment.
    """

    async def open(self) -> None:
        """Get ready; may be called again after it failed.

        Raises:
            ConnectorRefused: the settings do not fit the system; the message says what to change.
            ConnectorUnavailable: the system cannot be reached now.
        """

    async def close(self) -> None:
        """Give back everything that is held."""

    async def check(self) -> None:
        """Ask the system for a sign of life, as `ivr doctor` does. Raises ConnectorError."""


@runtime_checkable
class ChoosesCapabilities(Protocol):
    """A connector whose settings decide which of its manifest's capabilities it has."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Those it has."""


@runtime_checkable
class FindsCallers(Connector, Protocol):
    """The capability `find_caller`."""

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every customer with this number; empty when there is none.

        Each customer's `numbers` are those the system holds, in E.164: the guard drops
        a customer who does not have the number that was asked for.
        """


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of what changed in a system: customers as they are now, and those who are gone as far as it tells.

    `cursor` is where to go on, also after a restart. `more` says that another page waits now.
    """

    customers: Sequence[Customer]
    cursor: str
    more: bool
    gone: Sequence[CustomerId] = ()


@runtime_checkable
class KnowsChanges(Connector, Protocol):
    """The capability `changes`, which fills the index of customers."""

    async def changes(self, since: str | None, limit: int) -> Changes:
        """At most about `limit` customers that changed after the cursor `since`, the oldest change first.

        None: all customers from the start. A customer may come twice, but none is left out.
        """


@runtime_checkable
class FindsCustomers(Connector, Protocol):
    """The capability `find_customer`: by something else than the number that calls."""

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """Every customer with this identity; empty also for a kind of identity that the system does not keep."""


@runtime_checkable
class HasOrders(Connector, Protocol):
    """The capability `orders`."""

    async def orders(self, customer: CustomerId) -> Sequence[Order]:
        """A customer's orders that are not long finished, the newest first."""


@runtime_checkable
class HasInvoices(Connector, Protocol):
    """The capability `invoices`."""

    async def invoices(self, customer: CustomerId) -> Sequence[Invoice]:
        """A customer's invoices that still have to be paid, the oldest first."""


@runtime_checkable
class HasCases(Connector, Protocol):
    """The capability `cases`."""

    async def cases(self, customer: CustomerId) -> Sequence[Case]:
        """A customer's cases that are not solved, the newest first."""


@runtime_checkable
class HasFaults(Connector, Protocol):
    """The capability `faults`."""

    async def faults(self, customer: CustomerId) -> Sequence[Fault]:
        """The faults at a customer's that are not solved, the newest first."""


@runtime_checkable
class HasAppointments(Connector, Protocol):
    """The capability `appointments`."""

    async def appointments(self, customer: CustomerId) -> Sequence[Appointment]:
        """The visits to a customer that are still to come, the soonest first."""


@runtime_checkable
class LogsContacts(Connector, Protocol):
    """The capability `log_contact`."""

    async def log_contact(self, note: ContactNote, customer: CustomerId) -> None:
        """Write a contact in a customer's record; the same note twice is there once, where the system can tell."""


@runtime_checkable
class CreatesTickets(Connector, Protocol):
    """The capability `create_ticket`."""

    async def create_ticket(self, ticket: Ticket, customer: CustomerId | None) -> str:
        """Open a case, of nobody known if `customer` is None. Returns its number as people say it.

        The same ticket twice is one, where the system can tell.
        """


@runtime_checkable
class SendsMessages(Connector, Protocol):
    """The capability `send_message`."""

    async def send_message(self, message: Message) -> None:
        """Send a message. Raises ConnectorRefused for a kind it cannot send."""


CAPABILITIES: Mapping[Capability, type] = {
    Capability.FIND_CALLER: FindsCallers,
    Capability.FIND_CUSTOMER: FindsCustomers,
    Capability.CHANGES: KnowsChanges,
    Capability.ORDERS: HasOrders,
    Capability.INVOICES: HasInvoices,
    Capability.CASES: HasCases,
    Capability.FAULTS: HasFaults,
    Capability.APPOINTMENTS: HasAppointments,
    Capability.LOG_CONTACT: LogsContacts,
    Capability.CREATE_TICKET: CreatesTickets,
    Capability.SEND_MESSAGE: SendsMessages,
}
"""What a connector must implement for each capability that its manifest declares."""
