"""What is asked of the stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ivr.domain.callback import (
    Attempt,
    AttemptId,
    AttemptOutcome,
    Callback,
    CallbackId,
    CallbackRequest,
    CallbackState,
    Window,
)
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.contact import Contact, ContactEvent, ContactId
from ivr.domain.flow_version import FlowChoice, KeptFlows
from ivr.domain.index_state import IndexState
from ivr.domain.line import PhoneNumber
from ivr.domain.outage import Outage, OutageId, OutageNotice
from ivr.domain.site import Split


class ContactStore(Protocol):
    """Contacts and their events. Every method may raise StoreUnavailable."""

    async def write(
        self,
        opened: Sequence[Contact],
        amended: Sequence[tuple[ContactId, Mapping[str, object]]],
        events: Sequence[ContactEvent],
    ) -> None:
        """Write a batch in one transaction, in this order. Idempotent."""

    async def contacts(
        self, *, since: datetime | None = None, contact_id: str | None = None, limit: int = 100
    ) -> Sequence[tuple[Contact, Sequence[ContactEvent]]]:
        """Contacts with their events in order of time, newest contact first."""

    async def unended(self, *, since: datetime) -> Sequence[ContactId]:
        """Contacts that began at `since` or later and whose end was never written."""

    async def callers(self, hours: Sequence[tuple[datetime, datetime]], most: int) -> Sequence[PhoneNumber]:
        """At most so many numbers that called us in these spans of time, those that did so oftenest first."""


class OutageStore(Protocol):
    """Outages. Every method may raise StoreUnavailable."""

    async def add(self, outage: Outage) -> None:
        """Store a new outage."""

    async def close(self, outage_id: OutageId, at: datetime) -> bool:
        """Close an outage; False when there is no open one with this id.

        Whoever wanted to hear of it is then promised a call, in the same transaction.
        """

    async def outages(self, *, only_open: bool) -> Sequence[Outage]:
        """Outages, newest first."""

    async def call_after(self, notice: OutageNotice, *, now: datetime, not_before: datetime) -> bool:
        """Remember who wants to be called when an outage is over, one a number; False when it is over already.

        The call is promised from `not_before` on.
        """

    async def to_call(self) -> Mapping[OutageId, int]:
        """How many want, or wanted, to be called after each outage; those that nobody did are left out."""


class SplitStore(Protocol):
    """The split of each queue. Every method may raise StoreUnavailable."""

    async def splits(self) -> Sequence[Split]:
        """The splits that were set."""

    async def set(self, split: Split) -> None:
        """Set a queue's split."""


class CallbackStore(Protocol):
    """Promises. Every method may raise StoreUnavailable. All changes are guarded, so two dialers cannot both win."""

    async def book(
        self, request: CallbackRequest, *, now: datetime, capacity: int, not_before: datetime | None = None
    ) -> Callback:
        """Store a promise, replacing an open one for the same number and purpose.

        It is due in its window, and from `not_before`.

        Raises:
            WindowFull: `capacity` open promises exist in its window.
        """

    async def booked_in(self, queue: str, windows: Sequence[Window]) -> Sequence[int]:
        """How many open promises each window holds."""

    async def callbacks(self, *, only_open: bool, limit: int = 100) -> Sequence[Callback]:
        """Promises with their attempts, soonest window first."""

    async def callback(self, callback_id: CallbackId) -> Callback | None:
        """One promise."""

    async def claim_due(
        self, *, queue: str, now: datetime, owner: str, lease_until: datetime, limit: int
    ) -> Sequence[Callback]:
        """Claim a queue's BOOKED promises that may be dialled now and that nobody holds a living lease on.

        Due: `now` is past both the window's start and `not_before`; the oldest window first, also when it has passed.
        A number that an attempt of another promise is calling now is left until that attempt has ended.
        """

    async def begin_attempt(self, callback_id: CallbackId, attempt: Attempt, *, owner: str) -> bool:
        """Store an attempt before it is dialled; the promise is then DIALLING.

        False when the claim was lost, or the number is being called for another promise.
        """

    async def end_attempt(
        self,
        callback_id: CallbackId,
        attempt_id: AttemptId,
        outcome: AttemptOutcome,
        *,
        at: datetime,
        state: CallbackState,
        reason: str,
        not_before: datetime | None = None,
    ) -> bool:
        """Store how an attempt ended and what becomes of its promise, both or neither; False when it had ended before.

        A promise that is not open any more keeps its state. Its lease is released.
        """

    async def move(
        self,
        callback_id: CallbackId,
        state: CallbackState,
        *,
        at: datetime,
        reason: str = "",
        not_before: datetime | None = None,
        owner: str | None = None,
    ) -> bool:
        """Bring an open promise to another state; False when it was not open.

        Its lease is released, unless it is CONNECTING now. A dialer gives its name as `owner`: then it is False,
        too, when somebody else has claimed the promise since.
        """

    async def unfinished(self) -> Sequence[Callback]:
        """Promises with a PENDING attempt, also if cancelled since: after a crash, those to look into."""

    async def hold(
        self, callback_id: CallbackId, *, owner: str, now: datetime, lease_until: datetime
    ) -> CallbackState | None:
        """Take or keep the lease of a promise: the state it has now, or None while another owner's lease lives."""


class FlowStore(Protocol):
    """The flows there were, with their files, and which of them are chosen. Every method may raise StoreUnavailable."""

    async def keep(self, flows: KeptFlows, files: Mapping[str, bytes]) -> bool:
        """Store a set with its files by their names; False when the last one of its origin is the same.

        Choices for flows of which the files now hold another version than when they were made are over.
        """

    async def history(self) -> Sequence[KeptFlows]:
        """The sets that were kept, newest first; one that came back is there twice."""

    async def files(self, set_id: str) -> Mapping[str, bytes]:
        """The files of a set; empty when it was never kept."""

    async def choose(self, choice: FlowChoice) -> None:
        """Choose what a flow's calls get, instead of what was chosen before."""

    async def forget(self, flow: str) -> None:
        """Let a flow's calls get what the files say."""

    async def choices(self) -> Sequence[FlowChoice]:
        """What was chosen, by flow."""


class IndexStore(Protocol):
    """Customers of connected systems, and how far each system's are. Every method may raise StoreError.

    Who fills an index has its turn, a lease, so that nobody else does at the same time.
    """

    async def claim(
        self, connector: str, *, source: str, owner: str, now: datetime, lease_until: datetime
    ) -> IndexState | None:
        """Take or keep the turn; None while another owner's lease lives.

        What came from another `source` is out of use at once, and removed by the next full run.
        """

    async def release(self, connector: str, *, owner: str) -> None:
        """Let another owner have the turn."""

    async def state(self, connector: str) -> IndexState | None:
        """How far a connector's index is; None when none was ever begun."""

    async def write(
        self,
        state: IndexState,
        *,
        owner: str,
        lease_until: datetime,
        customers: Sequence[Customer] = (),
        gone: Sequence[CustomerId] = (),
    ) -> IndexState | None:
        """Store customers as they are now with the state that this leads to, both or neither, and keep the turn.

        Returns the state as it is now; None when the turn was lost, and nothing was stored.
        """

    async def sweep(self, state: IndexState, *, owner: str, lease_until: datetime, limit: int) -> IndexState | None:
        """Remove those whom the full run did not see from the next `limit` customers, and keep the turn.

        Returns the state as it is now, which says whether the run is over; None when the turn was lost.
        """

    async def connectors(self) -> Sequence[str]:
        """The connectors of which there is an index, or a part of one."""

    async def forget(self, connector: str, *, now: datetime, limit: int) -> bool:
        """Remove about `limit` customers of a connector that nobody fills; False when there is nothing left to do."""


class ChangeWatch(Protocol):
    """Tells when switches (outages, splits, versions of flows) changed, whoever changed them."""

    async def revision(self) -> int:
        """Grows with each change. Raises StoreUnavailable."""
