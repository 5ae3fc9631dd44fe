"""A session: one call as its flow sees it, and what the steps can do with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from ivr.domain.caller import Caller, Customer, CustomerId
from ivr.domain.contact import ContactId, Direction, EventKind, Outcome
from ivr.domain.hand_over import Destination, Destinations, HandOver, ToNumber, ToQueue
from ivr.domain.language import Language
from ivr.domain.opening_hours import OpeningHours
from ivr.domain.outage import Outage, OutageId
from ivr.domain.recording import Tape
from ivr.domain.speech import Utterance
from ivr.errors import FlowError, StepFailed
from ivr.flow.expressions import Expression
from ivr.flow.filters import SPEECH, Speech
from ivr.flow.keys import ALL_KEYS, DIGIT_KEYS
from ivr.flow.model import Flow, FlowSet, Placed
from ivr.flow.names import BlockName
from ivr.flow.spoken import key_word
from ivr.flow.views import (
    Answers,
    CallView,
    Open,
    QueueView,
    known_customer,
    view_caller,
    view_moment,
    view_outage,
)
from ivr.flow.voice import MAX_AHEAD, Voice
from ivr.ports import (
    CallbackDesk,
    CallLog,
    Channel,
    Clock,
    Enquiry,
    ErrandDesk,
    OutageBoard,
    PromptLibrary,
    RecordingShelf,
    SiteChooser,
)


@dataclass(frozen=True, slots=True)
class Services:
    """What flows ask of the outside, the same for every call.

    `language` is spoken to who has not chosen another, `country` (ISO 3166) is where national
    numbers are read in, `hours` when people answer (None: always), `named_hours` the hours
    that conditions name, `queue_hours` those of each queue (open without them),
    `destinations` where callers may be taken besides, `recordings` where what they say is
    kept (None: nowhere), `errands` who has connected systems do things (None: nobody).
    """

    prompts: PromptLibrary
    outages: OutageBoard
    callbacks: CallbackDesk
    sites: SiteChooser
    clock: Clock
    zone: ZoneInfo
    fallback_queue: str
    language: Language = Language.NL
    country: str = "NL"
    hours: OpeningHours | None = None
    named_hours: Mapping[str, OpeningHours] = field(default_factory=dict)
    queue_hours: Mapping[str, OpeningHours] = field(default_factory=dict)
    destinations: Destinations = field(default_factory=Destinations)
    recordings: RecordingShelf | None = None
    errands: ErrandDesk | None = None


class Session:
    """One call. It keeps the flows it began with; the caller is asked for anew at each step."""

    def __init__(
        self,
        services: Services,
        flows: FlowSet,
        channel: Channel,
        enquiry: Enquiry,
        log: CallLog,
        contact_id: ContactId,
        *,
        entry: str = "",
        direction: Direction = Direction.INBOUND,
    ) -> None:
        self.services = services
        self.flows = flows
        self.channel = channel
        self.enquiry = enquiry
        self.log = log
        self.contact_id = contact_id
        self.entry = entry
        self.direction = direction
        self.chosen_language: Language | None = None
        self.answers: dict[str, Any] = {}
        """What steps of this flow kept, of the types that they are checked to have."""
        self.given: Mapping[str, Any] = {}
        """What the flow was given by the one that called it."""
        self.typed: list[str] = []
        """Keys pressed before they were asked for."""
        self._hash_may_come = False
        self.verified_customer: CustomerId | None = None
        """Who the caller proved to be."""
        self.failed_proofs = 0
        self.promised_queue: str | None = None
        """The queue of the callback that this call keeps."""
        self.reason: str | None = None
        self.served: Outcome | None = None
        """What the call came to, if the caller leaves now."""
        self.told_outages: set[OutageId] = set()
        self.triage_answers: list[tuple[str, str]] = []
        """What the caller answered to the questions of triages, in order."""
        self.tickets: dict[str, str | None] = {}
        """The number of each ticket that was asked for, by its key; None when it was not known in time."""
        self.messages = 0
        """How many messages were sent."""
        self.call_tape: Tape | None = None
        """Where the call is recorded, once its caller was told that it is."""
        self.handed_over: HandOver | None = None
        self._voice = Voice(channel, services.prompts, log)
        self._flow: Flow | None = None
        self._block = BlockName("")
        self._index = 0
        self._here: Placed | None = None

    # --- where it is ---------------------------------------------------------------------------------------------

    def arrive(self, flow: Flow, block: BlockName, index: int) -> Placed:
        """The engine enters a step."""
        self._flow, self._block, self._index = flow, block, index
        self._here = flow.blocks[block][index]
        return self._here

    @property
    def step(self) -> str:
        """The label of the step that runs now."""
        return self._here.label if self._here else ""

    @property
    def flow_name(self) -> str:
        """The name of the flow that runs now."""
        return self._flow.name if self._flow else ""

    @property
    def block(self) -> BlockName:
        """The name of the block that runs now."""
        return self._block

    @property
    def language(self) -> Language:
        """The language to speak now: chosen, else the customer's own, else the organisation's; one the flow has."""
        customer = self.caller().customer
        spoken = self._flow.languages if self._flow else ()
        for language in (self.chosen_language, customer.language if customer else None, self.services.language):
            if language and (language in spoken or not spoken):
                return language
        return spoken[0]

    @property
    def today(self) -> date:
        """The date, in the organisation's time zone."""
        return self.services.clock.now().astimezone(self.services.zone).date()

    @property
    def keys_count(self) -> bool:
        """Whether a key pressed now counts for a step further on."""
        return self._here is not None and self._here.keys_count

    # --- what is known -------------------------------------------------------------------------------------------

    def caller(self) -> Caller:
        """The caller as known now."""
        return self.enquiry.current()

    @property
    def customer(self) -> Customer | None:
        """The customer whose line calls, if they are known now."""
        return known_customer(self.caller())

    @property
    def verified(self) -> bool:
        """Whether the caller proved to be this customer."""
        customer = self.customer
        return customer is not None and customer.id == self.verified_customer

    def outages(self) -> Sequence[Outage]:
        """The outages that concern this caller, as far as is known now."""
        caller = self.caller()
        products = caller.customer.products if caller.customer else frozenset[str]()
        return self.services.outages.concerning(region=caller.region, products=products)

    def values(self, **own: Any) -> dict[str, Any]:
        """What expressions see now; `own` are a step's own names, which win."""
        services, now = self.services, self.services.clock.now()
        outages = self.outages()
        moment, language = view_moment(now, services.zone), self.language
        return {
            "caller": view_caller(self.caller(), verified=self.verified),
            "call": CallView(language, self.entry, self.reason or "", self.direction),
            "outage": view_outage(outages[0] if outages else None, told=bool(self.told_outages), zone=services.zone),
            "queue": QueueView(services.hours is None or services.hours.is_open(now)),
            "open": Open(services.named_hours, now),
            "answers": Answers(self.answers),
            "given": Answers(self.given),
            "now": moment,
            SPEECH: Speech(language, moment.date, services.country, services.zone),
            **own,
        }

    def is_open(self, queue: str) -> bool:
        """Whether people answer in a queue now."""
        hours = self.services.queue_hours.get(queue)
        return hours is None or hours.is_open(self.services.clock.now())

    def gives(self) -> Mapping[str, Any]:
        """What the flow gives to the one that called it. Raises ExpressionFailed."""
        gives = self._flow.gives if self._flow else {}
        values = self.values() if gives else {}
        return {name: expression.value(values) for name, expression in gives.items()}

    def holds(self, condition: Expression | None) -> bool:
        """Whether a condition is true now; no condition always is. Raises ExpressionFailed."""
        return condition is None or condition.holds(self.values())

    # --- what it says and hears ----------------------------------------------------------------------------------

    def utterance(self, prompt: str, **own: Any) -> Utterance:
        """A prompt in the language of this moment. Raises ExpressionFailed, StepFailed."""
        language = self.language
        text = self.flows.prompts.text(language, prompt)
        if text is None:
            if not self.flows.prompts.has(language, prompt):
                raise StepFailed(f"there is no prompt '{prompt}' in {language}")
            return Utterance(prompt, language, "")
        if text.fixed is not None:
            return Utterance(prompt, language, text.fixed)
        return Utterance(prompt, language, text.spoken(self.values(**own)), personal=text.personal or bool(own))

    def offer(self, prompt: str, key: str) -> Utterance:
        """A prompt whose text may say the `key` to press. Raises ExpressionFailed, StepFailed.

        A key tells nothing about the caller, so it does not make the prompt personal.
        """
        text = self.flows.prompts.text(self.language, prompt)
        said = self.utterance(prompt, key=key_word(key, self.language))
        return replace(said, personal=text is not None and text.personal)

    async def say(self, *utterances: Utterance) -> None:
        """Say these. Where keys count, one ends it and is kept for the step that asks for it."""
        if self.keys_count and self.typed:
            return
        await self.announce(*utterances)

    async def announce(self, *utterances: Utterance) -> None:
        """Say these even when keys wait. Where keys count, one ends it and is kept."""
        keys = self._keys_that_count()
        key = await self._voice.say(utterances, step=self.step, keys=keys, ahead=self._ahead)
        if key:
            self.typed.append(key)

    async def pause(self, seconds: float) -> None:
        """Be silent for so long. Where keys count, one ends it and is kept for the step that asks for it."""
        if self.keys_count and self.typed:
            return
        key = await self.channel.pause(seconds, keys=self._keys_that_count())
        if key:
            self.typed.append(key)

    async def tell(self, *utterances: Utterance) -> None:
        """Say these to the end, whatever is pressed."""
        await self._voice.say(utterances, step=self.step, ahead=self._ahead)

    async def tell_until(self, keys: str, *utterances: Utterance) -> str:
        """Say these to the end, or until one of `keys` is pressed. Returns that key, or ''."""
        keys = keys.replace("#", "") if self._hash_may_come else keys
        return await self._voice.say(utterances, step=self.step, keys=keys, ahead=self._ahead)

    async def key(self, utterances: Sequence[Utterance], *, wanted: str, seconds: float, hidden: bool = False) -> str:
        """The key that answers what is said, or '' when none comes within `seconds` after it.

        A wanted key that was typed ahead answers at once; unwanted ones are forgotten. Any
        key ends the speaking, also one that is not wanted; but not the `#` that a caller
        presses after digits that had ended before it. The journal does not tell a `hidden` key.
        """
        while self.typed:
            key = self.typed.pop(0)
            if key in wanted:
                return key
        passed_over = "#" if self._hash_may_come and "#" not in wanted else ""
        keys = DIGIT_KEYS if passed_over else ALL_KEYS
        key = await self._voice.say(utterances, step=self.step, keys=keys, hidden=hidden, ahead=self._ahead)
        key = key or await self.channel.wait_for_key(seconds)
        if key and key == passed_over:
            key = await self.channel.wait_for_key(seconds)
        self._hash_may_come = False
        return key

    async def digits(self, utterances: Sequence[Utterance], *, most: int, seconds: float) -> str:
        """The digits keyed after what is said, up to `#`, `most` digits, or a pause of `seconds`."""
        keyed = ""
        wanted = DIGIT_KEYS if self._hash_may_come else ALL_KEYS
        key = await self.key(utterances, wanted=wanted, seconds=seconds, hidden=True)
        while key and key != "#":
            keyed += key
            if len(keyed) >= most:
                self._hash_may_come = True
                break
            key = self.typed.pop(0) if self.typed else await self.channel.wait_for_key(seconds)
        return keyed

    # --- what it does --------------------------------------------------------------------------------------------

    def record_reason(self, reason: str) -> None:
        """Write down what the caller calls for."""
        self.reason = reason
        self.log.note(EventKind.REASON, self.step, reason=reason)

    async def hand_over(self, queue: str, *, priority: int = 0) -> None:
        """Make Asterisk take the caller to a queue, at the site whose turn it is."""
        target = self._to_queue(queue, priority)
        await self.channel.hand_over(target)
        self.handed_over = target
        self.log.note(EventKind.QUEUED, self.step, queue=queue, site=target.site, priority=priority)

    async def transfer(self, destination: Destination, *, ring_for: float, queue: str) -> None:
        """Make Asterisk ring a telephone for so many seconds; a queue takes the caller when nobody answers there."""
        target = ToNumber(destination, ring_for, self._to_queue(queue))
        await self.channel.hand_over(target)
        self.handed_over = target
        self.log.note(EventKind.TRANSFERRED, self.step, to=destination.shown, otherwise=queue)

    async def close(self) -> None:
        """Nothing more will be said."""
        await self._voice.close()

    # --- inside --------------------------------------------------------------------------------------------------

    def _to_queue(self, queue: str, priority: int = 0) -> ToQueue:
        site = self.services.sites.choose(queue)
        return ToQueue(queue, site.name, site.queues[queue], self.language, priority)

    def _keys_that_count(self) -> str:
        """The keys that may be pressed now for a step further on."""
        if not self.keys_count:
            return ""
        return DIGIT_KEYS if self._hash_may_come else ALL_KEYS

    def _ahead(self) -> Iterator[Utterance]:
        """What may be said after the step that runs now, nearest first."""
        if self._flow is None:
            return
        waiting, seen, found = [(self._block, self._index)], {(self._block, self._index)}, 0
        while waiting and found < MAX_AHEAD:
            block, index = waiting.pop(0)
            step = self._flow.blocks[block][index].step
            try:
                if len(seen) > 1:
                    for utterance in step.utterances(self):
                        found += 1
                        yield utterance
                targets = step.leads_to(self)
            except FlowError:
                continue  # not everything is known yet; it is made when it is said
            following = [(target, 0) for target in targets]
            if not following and step.goes_on:
                following = [(block, index + 1)]
            for place in following:
                if place not in seen and place[1] < len(self._flow.blocks[place[0]]) and len(seen) < MAX_AHEAD:
                    seen.add(place)
                    waiting.append(place)
