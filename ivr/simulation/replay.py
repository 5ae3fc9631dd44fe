"""Replay: a call of the journal played through other flows, and the first thing that is then different.

The journal holds no facts of customers. Stand-ins take their place: the call is played through
the version it had, with one stand-in after another, until all is as the journal says. With
that one it is played through the other flows. A call that no stand-in brings about again is
unclear, and counted as that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product, zip_longest

from ivr.domain.callback import Window
from ivr.domain.caller import Caller, Customer, CustomerId, Identification, IdentificationState
from ivr.domain.contact import Contact, ContactEvent, EventKind, Json, Outcome
from ivr.domain.dossier import Order, OrderState
from ivr.domain.language import Language
from ivr.domain.line import Line
from ivr.domain.outage import Outage
from ivr.flow.model import FlowSet
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.play_through import PlayedThrough, play_over
from ivr.simulation.recorded_caller import HIDDEN, INPUT, Behaviour, RecordedCaller
from ivr.simulation.scripted_services import ScriptedDesk, ScriptedErrands
from ivr.simulation.setting import Setting
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.virtual_clock import VirtualClock

STAND_IN = "Voorbeeld"
HANDED_OVER = (EventKind.QUEUED, EventKind.TRANSFERRED)
OUTLINED = (*INPUT, EventKind.PROMPT, EventKind.REASON, EventKind.OUTAGE_TOLD, *HANDED_OVER, EventKind.HUNG_UP)
MATTERS = ("prompt", "language", "keys", "reason", "outage", "queue", "to")
LONGEST_SHOWN = 60


class Verdict(StrEnum):
    """What became of a call."""

    SAME = "same"
    DIFFERENT = "different"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Replayed:
    """A call that was replayed. `before` and `after`: in words, the first thing that is different."""

    contact: Contact
    verdict: Verdict
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class _Happened:
    """One thing a caller hears, does or comes to, in words; `said` tells apart texts of the same name."""

    words: str
    said: str = ""


async def replay(
    contact: Contact,
    events: Sequence[ContactEvent],
    had: FlowSet,
    other: FlowSet,
    setting: Setting,
    outages: Sequence[Outage],
) -> Replayed:
    """Play a call that is over through `other`. `had` are the flows it had, `outages` all there were."""
    behaviour, outline = Behaviour.of(events), _outline((event.kind, event.detail) for event in events)
    play = _Player(contact, events, setting, outages, behaviour)
    for caller in _stand_ins(contact, events, outages):
        before, unanswered = await play.through(had, caller)
        if not unanswered and _outline((kind, detail) for _, kind, _, detail in before.events()) == outline:
            after, unanswered = await play.through(other, caller)
            return _compared(contact, list(_told(before)), list(_told(after, unanswered)))
    return Replayed(contact, Verdict.UNCLEAR)


@dataclass(frozen=True, slots=True)
class _Player:
    """Plays one call, with the outages and windows there were."""

    contact: Contact
    events: Sequence[ContactEvent]
    setting: Setting
    outages: Sequence[Outage]
    behaviour: Behaviour

    async def through(self, flows: FlowSet, caller: Caller) -> tuple[PlayedThrough, str]:
        start = self.contact.answered_at or self.contact.started_at
        clock, prompts = VirtualClock(start), SpokenPrompts()
        open_then = [
            outage
            for outage in self.outages
            if outage.opened_at <= start and (outage.closed_at is None or outage.closed_at > start)
        ]
        services = self.setting.services_at(clock, prompts, open_then[::-1], self._desk(start), self._errands())
        # Whoever is no known customer was spoken to in the organisation's language or that of the number they dialled.
        services = replace(services, language=_language(self.events) or services.language)
        channel = RecordedCaller(clock, prompts, self.behaviour)
        played = await play_over(
            channel,
            flows,
            self.contact.flow,
            services,
            DescribedEnquiry(lambda: caller),
            limits=self.setting.limits,
            entry=self.contact.entry,
            direction=self.contact.direction,
            also=channel.follow,
        )
        return played, channel.unanswered

    def _errands(self) -> ScriptedErrands:
        tickets = [event for event in self.events if event.kind is EventKind.TICKET]
        return ScriptedErrands("late" if any(not event.detail.get("number") for event in tickets) else "open")

    def _desk(self, start: datetime) -> ScriptedDesk:
        length = timedelta(seconds=self.setting.callbacks.window)
        prompts = {str(event.detail.get("prompt")) for event in self.events if event.kind is EventKind.PROMPT}
        for event in self.events:
            windows = event.detail.get("windows")
            if event.kind is EventKind.CALLBACK_OFFERED and isinstance(windows, list):
                starts = [datetime.fromisoformat(str(begin)) for begin in windows]
                return ScriptedDesk([Window(begin, begin + length) for begin in starts])
        if "callback_none" in prompts:
            return ScriptedDesk()
        return ScriptedDesk(available=False) if "callback_unavailable" in prompts else self.setting.desk(start)


def _stand_ins(contact: Contact, events: Sequence[ContactEvent], outages: Sequence[Outage]) -> Iterator[Caller]:
    """Everybody the caller may have been, as far as flows can tell them apart; the most ordinary first."""
    line = Line(contact.line_state, contact.number)
    identified = next((event.detail for event in events if event.kind is EventKind.IDENTIFIED), {})
    state = IdentificationState(str(identified.get("state", IdentificationState.UNKNOWN)))
    region = str(identified["region"]) if identified.get("region") else contact.region
    if state is not IdentificationState.KNOWN:
        yield Caller(line, Identification(state), region)
        return
    told = {event.detail.get("outage") for event in events if event.kind is EventKind.OUTAGE_TOLD}
    products = frozenset(outage.product for outage in outages if outage.id in told and outage.product)
    numbers = (contact.number,) if contact.number else ()
    tomorrow = contact.started_at.date() + timedelta(days=1)
    orders = [(), *(((Order(STAND_IN, order_state, STAND_IN, tomorrow)),) for order_state in OrderState)]
    for own_numbers, had_orders in product((numbers, ()), orders):
        customer = Customer(
            CustomerId(contact.customer_id or STAND_IN),
            STAND_IN,
            own_numbers,
            language=_language(events),
            products=products,
            orders=had_orders,
        )
        yield Caller(line, Identification(state, customer), region)


def _language(events: Sequence[ContactEvent]) -> Language | None:
    return next((Language(str(event.detail["language"])) for event in events if event.detail.get("language")), None)


def _outline(happened: Iterator[tuple[EventKind, object]]) -> list[tuple[EventKind, dict[str, Json]]]:
    """What has to be the same for a replay to be the call; from the queue on it is not the flow's."""
    outline = []
    for kind, detail in happened:
        if kind in OUTLINED and isinstance(detail, dict):
            what = {name: detail[name] for name in MATTERS if name in detail}
            if HIDDEN in str(what.get("keys")):
                what["keys"] = HIDDEN
            outline.append((kind, what))
        if kind in HANDED_OVER:
            break
    return outline


def _told(played: PlayedThrough, unanswered: str = "") -> Iterator[_Happened]:
    """What a caller met, in order."""
    for _at, kind, _step, detail in played.events():
        match kind:
            case EventKind.PROMPT:
                yield _Happened(f"hears {detail['prompt']} ({detail['language']})", str(detail["text"]))
            case EventKind.DIGITS:
                yield _Happened(f"presses {detail.get('keys')}")
            case EventKind.NO_INPUT:
                yield _Happened("presses nothing")
            case EventKind.WRONG_INPUT:
                yield _Happened("presses what is not offered")
            case EventKind.CALLBACK_BOOKED:
                yield _Happened("is promised a call")
            case EventKind.NOTICE_PROMISED:
                yield _Happened("is promised a call when the outage is over")
            case EventKind.QUEUED:
                yield _Happened(f"goes to queue {detail.get('queue')}")
            case EventKind.TRANSFERRED:
                yield _Happened(f"is transferred to {detail.get('to')}")
            case EventKind.HUNG_UP if not unanswered:
                yield _Happened("hangs up")
    if unanswered:
        yield _Happened(f"is asked what the journal has no answer to ({unanswered})")
        return
    reason = f", reason {played.ending.reason}" if played.ending.reason else ""
    yield _Happened(f"ends as {played.ending.outcome.value}{reason}")


def _compared(contact: Contact, before: Sequence[_Happened], after: Sequence[_Happened]) -> Replayed:
    for old, new in zip_longest(before, after):
        if old != new:
            texts = old and new and old.words == new.words
            return Replayed(contact, Verdict.DIFFERENT, _words(old, texts=bool(texts)), _words(new, texts=bool(texts)))
    return Replayed(contact, Verdict.SAME)


def _words(happened: _Happened | None, *, texts: bool) -> str:
    if happened is None:
        return "nothing more"
    said = happened.said
    short = said if len(said) <= LONGEST_SHOWN else f"{said[:LONGEST_SHOWN]}…"
    return f"{happened.words}: {short}" if texts else happened.words


def is_over(contact: Contact) -> bool:
    """Whether the flow's part of a call is over, so that it can be replayed."""
    return contact.outcome is not None and contact.outcome is not Outcome.FAILED
