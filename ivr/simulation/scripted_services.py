"""Scripted services: outages, promises, sites and a directory that are what a script says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ivr.domain.callback import Callback, CallbackId, CallbackRequest, CallbackState, Window
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.contact import ContactId
from ivr.domain.errand import Message, Ticket
from ivr.domain.language import Language
from ivr.domain.outage import Outage, OutageId, OutageNotice
from ivr.domain.recording import Purpose, RecordingId, Take, Tape
from ivr.domain.site import Site
from ivr.errors import ConnectorRefused, RecordingFailed, StoreUnavailable, WindowFull


@dataclass
class ScriptedBoard:
    """The outages it is given (an `ivr.ports.OutageBoard`)."""

    outages: Sequence[Outage] = ()

    def concerning(self, *, region: str | None, products: frozenset[str]) -> Sequence[Outage]:
        """Those that touch a caller."""
        return [outage for outage in self.outages if outage.concerns(region=region, products=products)]


@dataclass
class ScriptedDesk:
    """Offers the windows it is given (an `ivr.ports.CallbackDesk`).

    Windows in `full` are offered all the same, but taken when they are booked. When not
    `available`, it raises StoreUnavailable; `fails_to_book`: only in booking. Outages in
    `over` are so when a call is promised for it.
    """

    offers: Sequence[Window] = ()
    full: set[Window] = field(default_factory=set)
    available: bool = True
    fails_to_book: bool = False
    booked: list[CallbackRequest] = field(default_factory=list)
    notices: list[OutageNotice] = field(default_factory=list)
    over: set[OutageId] = field(default_factory=set)
    at: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    async def windows(self, queue: str, count: int) -> Sequence[Window]:
        """The first windows that nobody has found full yet. Raises StoreUnavailable."""
        if not self.available:
            raise StoreUnavailable("the desk's script says so")
        return self.offers[:count]

    async def book(self, request: CallbackRequest) -> Callback:
        """Remember the promise. Raises WindowFull, StoreUnavailable."""
        if not self.available or self.fails_to_book:
            raise StoreUnavailable("the desk's script says so")
        if request.window in self.full:
            self.offers = [window for window in self.offers if window != request.window]
            raise WindowFull
        self.booked.append(request)
        promise = CallbackId(str(len(self.booked)))
        return Callback(promise, request, CallbackState.BOOKED, self.at, request.window.start)

    async def call_after(self, notice: OutageNotice) -> bool:
        """Remember the notice; False when its outage is in `over`. Raises StoreUnavailable."""
        if not self.available or self.fails_to_book:
            raise StoreUnavailable("the desk's script says so")
        if notice.outage_id in self.over:
            return False
        self.notices.append(notice)
        return True


@dataclass
class ScriptedSites:
    """Sites in turn (an `ivr.ports.SiteChooser`). Raises KeyError for a queue that no site serves."""

    sites: Sequence[Site]
    chosen: int = 0

    def choose(self, queue: str) -> Site:
        """The next site that serves a queue."""
        serving = [site for site in self.sites if queue in site.queues]
        if not serving:
            raise KeyError(queue)
        site = serving[self.chosen % len(serving)]
        self.chosen += 1
        return site


@dataclass
class ScriptedShelf:
    """Has a place for every recording (an `ivr.ports.RecordingShelf`), unless it is `full`."""

    full: bool = False
    tapes: list[tuple[Purpose, Tape]] = field(default_factory=list)
    kept: list[Tape] = field(default_factory=list)
    discarded: list[Tape] = field(default_factory=list)

    async def tape(
        self, purpose: Purpose, contact_id: ContactId, *, step: str, language: Language, box: str = "", least: float = 0
    ) -> Tape:
        """The next tape. Raises RecordingFailed."""
        if self.full:
            raise RecordingFailed("the shelf's script says so")
        if purpose is Purpose.CALL:
            found = next((tape for used, tape in self.tapes if used is purpose), None)
            if found is not None:
                return found
        made = RecordingId(str(len(self.tapes) + 1))
        self.tapes.append((purpose, Tape(made, f"recordings/{made}")))
        return self.tapes[-1][1]

    async def sounding(self, tape: Tape, take: Take) -> float:
        """All of it: callers of scripts do not hum and haw."""
        return take.seconds

    def keep(self, tape: Tape) -> None:
        """Remember it."""
        self.kept.append(tape)

    def discard(self, tape: Tape) -> None:
        """Remember it."""
        self.discarded.append(tape)


@dataclass
class ScriptedErrands:
    """Remembers what it is asked to have done (an `ivr.ports.ErrandDesk`).

    `tickets_are`: `open`, at once; `late`, so that nobody knows their number yet; or `refused`.
    """

    tickets_are: str = "open"
    tickets: list[Ticket] = field(default_factory=list)
    customers: list[CustomerId | None] = field(default_factory=list)
    """Whose each of the tickets is."""
    messages: list[Message] = field(default_factory=list)

    async def open_ticket(self, ticket: Ticket, customer: Customer | None, *, within: float) -> str | None:
        """Its number is T1 and on. Raises ConnectorRefused."""
        if self.tickets_are == "refused":
            raise ConnectorRefused("the desk's script says so")
        self.tickets.append(ticket)
        self.customers.append(customer.id if customer else None)
        return None if self.tickets_are == "late" else f"T{len(self.tickets)}"

    def send(self, message: Message, contact_id: ContactId) -> None:
        """Remember it."""
        self.messages.append(message)
