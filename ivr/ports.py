"""What the inside of Klantlijn asks of the outside. Adapters implement these; only `ivr/app.py` names adapters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

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
from ivr.domain.caller import Customer, Identification
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Json
from ivr.domain.dialling import DialOutcome, DialRequest
from ivr.domain.flow_version import FlowChoice, KeptFlows
from ivr.domain.identity import Identity
from ivr.domain.language import Language
from ivr.domain.line import Line, PhoneNumber
from ivr.domain.outage import Outage, OutageId
from ivr.domain.site import Site, Split
from ivr.domain.speech import Audio, Utterance


class Clock(Protocol):
    """Time, so that tests can have their own."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


# --- a call ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call as Asterisk presents it, before anything is known about the caller.

    `entry` is what was dialled (DNIS). `callback_id` is set when it is our own call to
    a customer. `language` is the channel's language, such as `nl`.
    """

    contact_id: ContactId
    channel: str
    entry: str
    line: Line
    language: str = ""
    callback_id: CallbackId | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """Where Asterisk takes the caller when the flow is over: a queue at a site."""

    queue: str
    site: str
    asterisk_queue: str
    language: Language
    priority: int = 0


class Channel(Protocol):
    """One leg of a call.

    Every method raises CallerHungUp once the caller has left, and AsteriskError when Asterisk fails.
    """

    async def answer(self) -> None:
        """Pick up."""

    async def play(self, audio: Audio, *, keys: str = "") -> str:
        """Play audio to its end, or until one of `keys` is pressed. Returns that key, or ''."""

    async def wait_for_key(self, seconds: float) -> str:
        """The next key pressed within `seconds`, or ''. Keys are `0123456789*#`."""

    async def pause(self, seconds: float, *, keys: str = "") -> str:
        """Be silent for `seconds`, or until one of `keys` is pressed. Returns that key, or ''."""

    async def hand_over(self, to: HandOver) -> None:
        """Make Asterisk take the caller to a queue when the session ends."""

    async def hang_up(self) -> None:
        """End the call when the session ends."""


class CallLog(Protocol):
    """What one call writes down of itself. Never blocks and never fails."""

    def note(self, kind: EventKind, step: str = "", **detail: Json) -> None:
        """Write down that something happened, now."""


class Journal(Protocol):
    """Where contacts are written. Never blocks a call and never loses a contact; all three are idempotent."""

    def open(self, contact: Contact) -> None:
        """A contact began."""

    def amend(self, contact_id: ContactId, changes: Mapping[str, object]) -> None:
        """Fields of a contact, by the names of `Contact`, got another value."""

    def event(self, event: ContactEvent) -> None:
        """Something happened in a contact."""


class PromptLibrary(Protocol):
    """Turns what is to be said into sound that Asterisk can play."""

    async def audio(self, utterance: Utterance) -> Audio:
        """The sound of an utterance, made if need be.

        Raises:
            SpeechError: it cannot be made and there is no recording.
        """


class CustomerDirectory(Protocol):
    """Knows which customer belongs to a line."""

    async def identify(self, number: PhoneNumber) -> Identification:
        """Who calls from a number. Answers within the budget, UNAVAILABLE when it cannot; never raises."""


class OutageBoard(Protocol):
    """The outages that are open now, in memory."""

    def concerning(self, *, region: str | None, products: frozenset[str]) -> Sequence[Outage]:
        """The open outages that touch a caller, the longest known first."""


class CallbackDesk(Protocol):
    """Offers callback windows and takes promises."""

    async def windows(self, queue: str, count: int) -> Sequence[Window]:
        """At most `count` windows that can still be kept, earliest first; empty when none can.

        Raises:
            StoreUnavailable: the promises cannot be read now.
        """

    async def book(self, request: CallbackRequest) -> Callback:
        """Promise a call. One open promise per number: an earlier one is replaced by this one.

        Raises:
            WindowFull: others took the last place since it was offered.
            StoreUnavailable: the promise cannot be stored now, so it must not be made.
        """


class SiteChooser(Protocol):
    """Chooses the site that takes a call."""

    def choose(self, queue: str) -> Site:
        """The site for the next call of a queue, by its split."""


# --- the outside systems ---------------------------------------------------------------------------------------------


class ConnectorSession(Protocol):
    """A connected system that can find a caller (capability `find_caller`)."""

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every customer with this number; empty when there is none.

        Raises:
            ConnectorError: and nothing else.
        """


class CustomerIndex(Protocol):
    """Customers as the connected systems last told of them, found without asking these systems. Never raises.

    An answer is never empty. None: nobody known has it, the index is too old, or it cannot be read now, so only the
    system itself can tell. It holds what a greeting needs: no dossier, and of the facts that prove who calls only the
    customer number and the postcode.
    """

    async def find(self, connector: str, number: PhoneNumber) -> Sequence[Customer] | None:
        """The customers of a connector with this number, in about a millisecond."""

    async def find_customer(self, connector: str, identity: Identity) -> Sequence[Customer] | None:
        """The customers of a connector with this identity."""


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


# --- stores ----------------------------------------------------------------------------------------------------------


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


class OutageStore(Protocol):
    """Outages. Every method may raise StoreUnavailable."""

    async def add(self, outage: Outage) -> None:
        """Store a new outage."""

    async def close(self, outage_id: OutageId, at: datetime) -> bool:
        """Close an outage; False when there is no open one with this id."""

    async def outages(self, *, only_open: bool) -> Sequence[Outage]:
        """Outages, newest first."""


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
        """Store a promise, replacing an open one for the same number. It is due in its window, and from `not_before`.

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
        """Store an attempt before it is dialled; False when the claim was lost. The promise is then DIALLING."""

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


class ChangeWatch(Protocol):
    """Tells when switches (outages, splits, versions of flows) changed, whoever changed them."""

    async def revision(self) -> int:
        """Grows with each change. Raises StoreUnavailable."""


Handler = Callable[[Arrival, Channel], Awaitable[None]]
"""What takes a call: the reception."""

JsonObject = dict[str, Any]
