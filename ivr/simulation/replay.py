"""Replay: a call of the journal played through other flows, and the first thing that is then different.

The journal holds no facts of customers. Stand-ins take their place: the call is played through
the version it had, with one stand-in after another, until all is as the journal says. With
that one it is played through the other flows. A call that no stand-in brings about again is
unclear, and counted as that. So is one that goes the same way until something decides that
the journal does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product, zip_longest

from ivr.domain.callback import Window
from ivr.domain.caller import Caller, Customer, CustomerId, Identification, IdentificationState
from ivr.domain.contact import Contact, ContactEvent, EventKind, Json, Outcome
from ivr.domain.dossier import Order, OrderState
from ivr.domain.errand import MessageKind
from ivr.domain.language import Language
from ivr.domain.line import Line
from ivr.domain.outage import Outage
from ivr.flow.model import FlowSet
from ivr.simulation.play_through import PlayedThrough, play_over
from ivr.simulation.recorded_caller import Behaviour, RecordedCaller
from ivr.simulation.recorded_enquiry import RecordedEnquiry
from ivr.simulation.recording import HIDDEN, INPUT, MOMENTS, kind_of
from ivr.simulation.scripted_services import ScriptedDesk, ScriptedErrands
from ivr.simulation.setting import Setting
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.virtual_clock import VirtualClock

NOTICE = ":notice"
"""How the keys of messages end that tell somebody of a voicemail, of which the caller's journal says nothing."""
STAND_IN = "Voorbeeld"
ADDRESS = "voorbeeld@example.invalid"
HANDED_OVER = (EventKind.QUEUED, EventKind.TRANSFERRED)
NOT_KEPT_IN_FULL = (EventKind.TICKET, EventKind.MESSAGE)
OUTLINED = (
    *INPUT,
    EventKind.PROMPT,
    EventKind.REASON,
    EventKind.LOOKED_UP,
    EventKind.OUTAGE_TOLD,
    EventKind.NOTICE_PROMISED,
    EventKind.TRIAGE_RESULT,
    *NOT_KEPT_IN_FULL,
    EventKind.RECORDED,
    EventKind.MESSAGE_LEFT,
    EventKind.CALL_RECORDING,
    EventKind.SURVEY_ANSWER,
    *HANDED_OVER,
    EventKind.HUNG_UP,
)
MATTERS = {"prompt", "language", "keys", "reason", "part", "found", "outage", "result"}
MATTERS |= {"by", "kept", "box", "state", "question", "scale", "queue", "to"}
LONGEST_SHOWN = 60


class Verdict(StrEnum):
    """What became of a call."""

    SAME = "same"
    DIFFERENT = "different"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Replayed:
    """A call that was replayed.

    `before` and `after`: in words, the first thing that is different. `unknown`: what would decide it, and is not in
    the journal, of a call that is the same until there.
    """

    contact: Contact
    verdict: Verdict
    before: str = ""
    after: str = ""
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class _Run:
    """A call that was played: what was asked for in it, and where it ended before its time.

    That is the step `unanswered`, where the caller was asked what they never were, or because of `unknown`, what the
    journal does not hold.
    """

    played: PlayedThrough
    errands: ScriptedErrands
    unanswered: str
    unknown: str

    @property
    def is_cut_off(self) -> bool:
        """Whether it ended before its time."""
        return bool(self.unanswered or self.unknown)

    def events(self) -> Iterator[tuple[EventKind, dict[str, Json]]]:
        """What happened, until it was cut off."""
        for _, kind, _, detail in self.played.events():
            if self.is_cut_off and kind is EventKind.HUNG_UP:
                return
            yield kind, detail

    def is_like(self, outline: Sequence[tuple[EventKind, dict[str, Json]]]) -> bool:
        """Whether it went as the journal says, as far as it went."""
        own = _outline(self.events())
        return not self.unanswered and own == (outline[: len(own)] if self.unknown else outline)


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
        before = await play.through(had, caller)
        if before.is_like(outline):
            return _compared(contact, before, await play.through(other, caller))
    return Replayed(contact, Verdict.UNCLEAR)


@dataclass(frozen=True, slots=True)
class _Player:
    """Plays one call, with the outages and windows there were."""

    contact: Contact
    events: Sequence[ContactEvent]
    setting: Setting
    outages: Sequence[Outage]
    behaviour: Behaviour

    async def through(self, flows: FlowSet, caller: Caller) -> _Run:
        start = self.contact.answered_at or self.contact.started_at
        clock, prompts = VirtualClock(start), SpokenPrompts()
        open_then = [
            outage
            for outage in self.outages
            if outage.opened_at <= start and (outage.closed_at is None or outage.closed_at > start)
        ]
        errands, enquiry = self._errands(), RecordedEnquiry(caller, self.events)
        services = self.setting.services_at(clock, prompts, open_then[::-1], self._desk(start), errands)
        # Whoever is no known customer was spoken to in the organisation's language or that of the number they dialled.
        services = replace(services, language=_language(self.events) or services.language)
        channel = RecordedCaller(clock, prompts, self.behaviour)
        played = await play_over(
            channel,
            flows,
            self.contact.flow,
            services,
            enquiry,
            limits=self.setting.limits,
            entry=self.contact.entry,
            direction=self.contact.direction,
            also=channel.follow,
        )
        return _Run(played, errands, channel.unanswered, channel.unknown or enquiry.unknown)

    def _errands(self) -> ScriptedErrands:
        if any(event.kind is EventKind.ERROR and kind_of(event.step) == "ticket" for event in self.events):
            return ScriptedErrands("refused")
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
        if prompts & {"callback_unavailable", "notice_unavailable"}:
            return ScriptedDesk(available=False)
        desk = self.setting.desk(start)
        desk.over = {outage.id for outage in self.outages} if "notice_over" in prompts else set()
        return desk


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
    written_to = any(event.detail.get("by") == MessageKind.EMAIL and event.detail.get("to") for event in events)
    proves = any(str(event.detail.get("prompt")).startswith("verify_") for event in events)
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
            email=ADDRESS if written_to else None,
        )
        if proves:
            customer = replace(customer, postcode="1234 AB", house_number="1", birth_date=tomorrow)
        yield Caller(line, Identification(state, customer), region)


def _language(events: Sequence[ContactEvent]) -> Language | None:
    return next((Language(str(event.detail["language"])) for event in events if event.detail.get("language")), None)


def _outline(happened: Iterator[tuple[EventKind, Mapping[str, Json]]]) -> list[tuple[EventKind, dict[str, Json]]]:
    """What has to be the same for a replay to be the call; from the queue on it is not the flow's."""
    outline: list[tuple[EventKind, dict[str, Json]]] = []
    for kind, detail in happened:
        if kind in OUTLINED and detail.get("prompt") not in MOMENTS:
            what = {name: value for name, value in detail.items() if name in MATTERS}
            if HIDDEN in str(what.get("keys")):
                what["keys"] = HIDDEN
            if kind in NOT_KEPT_IN_FULL:
                # Whom it is for, and its number, are no stand-in's; that there was one is the flow's.
                what["to"] = bool(detail.get("to") or detail.get("number"))
            outline.append((kind, what))
        if kind in HANDED_OVER:
            break
    return outline


def _told(run: _Run) -> Iterator[_Happened]:
    """What a caller met, in order."""
    tickets = iter(run.errands.tickets)
    messages = (message for message in run.errands.messages if not message.key.endswith(NOTICE))
    for kind, detail in run.events():
        match kind:
            case EventKind.PROMPT:
                yield _Happened(f"hears {detail['prompt']} ({detail['language']})", str(detail["text"]))
            case EventKind.DIGITS:
                yield _Happened(f"presses {detail.get('keys')}")
            case EventKind.NO_INPUT:
                yield _Happened("presses nothing")
            case EventKind.WRONG_INPUT:
                yield _Happened("presses what is not offered")
            case EventKind.RECORDED:
                yield _Happened(f"speaks for {detail['seconds']} s")
            case EventKind.MESSAGE_LEFT:
                yield _Happened(f"leaves a message in {detail['box']}")
            case EventKind.CALL_RECORDING:
                yield _Happened(f"has the recording of the call turned {detail['state']}")
            case EventKind.SURVEY_ANSWER:
                given = detail.get("answer") if detail.get("scale") else "aloud" if detail.get("answer") else "nothing"
                yield _Happened(f"answers {detail['question']}: {given}")
            case EventKind.TRIAGE_RESULT:
                yield _Happened(f"ends triage {detail['triage']} as {detail['result']}")
            case EventKind.TICKET:
                ticket = next(tickets)
                yield _Happened("has a ticket opened", f"{ticket.subject}: {ticket.text}")
            case EventKind.MESSAGE if detail["to"] is None:
                yield _Happened(f"cannot be sent a message by {detail['by']}")
            case EventKind.MESSAGE:
                message = next(messages)
                subject = f"{message.subject}: " if message.subject else ""
                yield _Happened(f"has a message sent by {detail['by']}", f"{message.to}: {subject}{message.text}")
            case EventKind.CALLBACK_BOOKED:
                yield _Happened("is promised a call")
            case EventKind.NOTICE_PROMISED:
                yield _Happened("is promised a call when the outage is over")
            case EventKind.QUEUED:
                yield _Happened(f"goes to queue {detail.get('queue')}")
            case EventKind.TRANSFERRED:
                otherwise = detail.get("otherwise")
                yield _Happened(f"is transferred to {detail.get('to')}, or else to queue {otherwise}")
            case EventKind.HUNG_UP:
                yield _Happened("hangs up")
    if run.unanswered:
        yield _Happened(f"is asked what the journal has no answer to ({run.unanswered})")
    elif not run.unknown:
        ending = run.played.ending
        reason = f", reason {ending.reason}" if ending.reason else ""
        yield _Happened(f"ends as {ending.outcome.value}{reason}")


def _compared(contact: Contact, before: _Run, after: _Run) -> Replayed:
    for old, new in zip_longest(_told(before), _told(after)):
        if (old is None and before.unknown) or (new is None and after.unknown):
            break
        if old != new:
            texts = old and new and old.words == new.words
            return Replayed(contact, Verdict.DIFFERENT, _words(old, texts=bool(texts)), _words(new, texts=bool(texts)))
    unknown = before.unknown or after.unknown
    return Replayed(contact, Verdict.UNCLEAR if unknown else Verdict.SAME, unknown=unknown)


def _words(happened: _Happened | None, *, texts: bool) -> str:
    if happened is None:
        return "nothing more"
    said = happened.said
    short = said if len(said) <= LONGEST_SHOWN else f"{said[:LONGEST_SHOWN]}…"
    return f"{happened.words}: {short}" if texts else happened.words


def is_over(contact: Contact) -> bool:
    """Whether the flow's part of a call is over, so that it can be replayed."""
    return contact.outcome is not None and contact.outcome is not Outcome.FAILED
