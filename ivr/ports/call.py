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
from ivr.domain.caller import Identification
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Json
from ivr.domain.language import Language
from ivr.domain.line import Line, PhoneNumber
from ivr.domain.outage import Outage
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


Handler = Callable[[Arrival, Channel], Awaitable[None]]
"""What takes a call: the reception."""

JsonObject = dict[str, Any]
