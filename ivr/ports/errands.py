"""What is asked for errands: of who takes them, where they are kept, and who carries them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ivr.domain.caller import Customer, CustomerId
from ivr.domain.contact import Contact, ContactEvent, ContactId
from ivr.domain.errand import (
    Assignment,
    ContactNote,
    ErrandReport,
    ErrandState,
    KeptErrand,
    Message,
    Ticket,
)

NotesOf = Callable[[Contact, Sequence[ContactEvent]], Sequence[Assignment]]
"""What connected systems have to know of a contact that ended, with its events in order of time."""


class ErrandDesk(Protocol):
    """Takes errands. What it took is done sooner or later, or kept as failed; never lost."""

    async def open_ticket(self, ticket: Ticket, customer: Customer | None, *, within: float) -> str | None:
        """Open a ticket now. Its number, or None when that is not known within so many seconds: it is then opened
        later.

        Raises:
            ConnectorError: the system refuses it, so that it will not be opened.
        """

    def send(self, message: Message, contact_id: ContactId) -> None:
        """Send a message soon. Never fails and never waits."""


class ErrandBook(Protocol):
    """Where errands are written, and what becomes of them. Never blocks and never loses any; all are idempotent."""

    @property
    def is_database_away(self) -> bool:
        """Whether what was written last is not in the database yet, because that is away."""

    def assign(self, assignment: Assignment) -> None:
        """A connected system is asked to do something."""

    def report(self, report: ErrandReport) -> None:
        """An attempt at an errand came to something."""

    def event(self, event: ContactEvent) -> None:
        """Something happened in a contact."""


class ErrandStore(Protocol):
    """Errands, one a key. Every method may raise StoreUnavailable."""

    async def write(self, assigned: Sequence[Assignment], reports: Sequence[ErrandReport]) -> None:
        """Write a batch in one transaction, in this order. Idempotent.

        An errand whose key is there already is left out; so is a report that is not news.
        """

    async def claim_due(self, *, now: datetime, owner: str, lease_until: datetime, limit: int) -> Sequence[KeptErrand]:
        """Claim WAITING errands that may be tried now and on which nobody has a living lease, the longest due first."""

    async def release(self, owner: str, *, until: datetime) -> None:
        """Let go of an owner's leases that end before a moment."""

    async def note_ended(self, notes_of: NotesOf, *, since: datetime, limit: int) -> int:
        """Store the notes of contacts that ended at `since` or later and were not noted yet. How many these were.

        Each contact has its turn once, whoever asks.
        """

    async def errands(self, *, state: ErrandState | None = None, limit: int = 100) -> Sequence[KeptErrand]:
        """Errands, newest first."""

    async def counts(self) -> Mapping[ErrandState, int]:
        """How many there are in each state that is not DONE."""

    async def retry(self, key: str, *, at: datetime) -> bool:
        """Have an errand tried at once, also when it failed; False when there is none of this key to be done."""

    async def retry_failed(self, *, at: datetime) -> int:
        """Have every errand that failed tried at once; how many these are."""


class ErrandSystem(Protocol):
    """A connected system that runs errands. Every method raises ConnectorError and nothing else."""

    async def log_contact(self, note: ContactNote, customer: CustomerId) -> None:
        """Write a contact in a customer's record."""

    async def create_ticket(self, ticket: Ticket, customer: CustomerId | None) -> str:
        """Open a case; returns its number."""

    async def send_message(self, message: Message) -> None:
        """Send a message."""
