"""What a call asks of the outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ivr.domain.callback import (
    Callback,
    CallbackId,
    CallbackRequest,
    Window,
)
from ivr.domain.caller import Caller, Identification
from ivr.domain.capability import Capability
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Json
from ivr.domain.hand_over import HandOver
from ivr.domain.identity import Identity
from ivr.domain.line import Line
from ivr.domain.outage import Outage, OutageNotice
from ivr.domain.recording import Take
from ivr.domain.site import Site
from ivr.domain.speech import Audio, Utterance


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
        """Make Asterisk take the caller elsewhere when the session ends."""

    async def hang_up(self) -> None:
        """End the call when the session ends."""

    async def record(self, ref: str, *, most: float, silence: float, keys: str = "") -> Take:
        """Record the caller to `ref`.wav: until a key, `silence` seconds without sound, or `most` seconds in all.

        A caller who leaves meanwhile has recorded something: that is told, not raised.
        """

    async def record_call(self, ref: str) -> None:
        """Record both sides to `ref`.wav from here on, behind what is there already, also when the session is over."""

    async def stop_recording_call(self) -> None:
        """Stop what `record_call` began, if it goes on."""


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
    """Knows which customer belongs to a number, an address, a name or a customer number, on every channel."""

    async def identify(self, identity: Identity) -> Identification:
        """Whose it is. Answers within the budget, UNAVAILABLE when it cannot; never raises."""


class Enquiry(Protocol):
    """What one call knows of its caller, and what it may still find out from the connected systems."""

    def current(self) -> Caller:
        """The caller as known now."""

    async def ready(self, fields: frozenset[str]) -> None:
        """Wait until these fields of the customer are as well known as they can be in time. Never raises."""

    async def look_up(self, part: Capability) -> Sequence[Any]:
        """A part of the customer's dossier as the systems that keep it tell it now; empty when nobody is known.

        Raises:
            ConnectorError: no system told it.
        """

    async def recognise(self, identity: Identity, postcode: str) -> bool:
        """Find the one customer with this identity and postcode. From then on they are the caller.

        False when there is none, or more than one; the caller stays who they were.

        Raises:
            ConnectorError: no system could tell.
        """


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
        """Promise a call. One open promise per number and purpose: an earlier one is replaced by this one.

        Raises:
            WindowFull: others took the last place since it was offered.
            StoreUnavailable: the promise cannot be stored now, so it must not be made.
        """

    async def call_after(self, notice: OutageNotice) -> bool:
        """Promise a call for when an outage is over, one a number; False when it is over already.

        Raises:
            StoreUnavailable: the promise cannot be stored now, so it must not be made.
        """


class SiteChooser(Protocol):
    """Chooses the site that takes a call."""

    def choose(self, queue: str) -> Site:
        """The site for the next call of a queue, by its split."""


Handler = Callable[[Arrival, Channel], Awaitable[None]]
"""What takes a call: the reception."""

JsonObject = dict[str, Any]
