"""The reception, with a scripted caller, connector and journal, and the demo's own flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ivr.calls.identification import Identifier
from ivr.calls.reception import Reception
from ivr.config.model import Entry
from ivr.domain.callback import (
    Attempt,
    AttemptId,
    AttemptOutcome,
    Callback,
    CallbackId,
    CallbackPurpose,
    CallbackRequest,
    CallbackState,
    Window,
)
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.contact import Contact, ContactEvent, ContactId, Direction, EventKind, Outcome
from ivr.domain.hand_over import ToQueue
from ivr.domain.language import Language
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.domain.opening_hours import OpeningHours
from ivr.domain.site import Site
from ivr.errors import AgiCommandFailed, StoreUnavailable
from ivr.flow.engine import Engine
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.flow.session import Services
from ivr.flow.sources import Sources
from ivr.ports import Arrival
from ivr.simulation.scripted_channel import Act, Leave, Press, ScriptedChannel
from ivr.simulation.scripted_connector import ScriptedConnector
from ivr.simulation.scripted_services import ScriptedBoard, ScriptedDesk, ScriptedSites
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.virtual_clock import VirtualClock

ROOT = Path(__file__).parents[3]
NUMBER = PhoneNumber("+31300000101")
KNOWN = Line(LineState.KNOWN, NUMBER)
ANNA = Customer(CustomerId("K1"), "Anna", (NUMBER,), postcode="3511 AB")
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ID = ContactId("1.1")


ALWAYS = OpeningHours(ZoneInfo("UTC"), (((time(0), time(0)),),) * 7)


@pytest.fixture(scope="module")
def flows() -> FlowSet:
    return load(Sources(ROOT / "dialplans", ROOT / "prompts"))


@dataclass
class Notebook:
    """A journal that keeps what it is told."""

    opened: list[Contact] = field(default_factory=list)
    amended: dict[str, object] = field(default_factory=dict)
    events: list[ContactEvent] = field(default_factory=list)

    def open(self, contact: Contact) -> None:
        self.opened.append(contact)

    def amend(self, contact_id: ContactId, changes: Mapping[str, object]) -> None:
        self.amended.update(changes)

    def event(self, event: ContactEvent) -> None:
        self.events.append(event)

    def of(self, kind: EventKind) -> list[dict[str, Any]]:
        return [dict(event.detail) for event in self.events if event.kind is kind]


@dataclass
class Promises:
    """The part of the callback store that the reception uses."""

    promise: Callback | None = None
    away: bool = False
    stored: list[object] = field(default_factory=list)

    async def callback(self, callback_id: CallbackId) -> Callback | None:
        if self.away:
            raise StoreUnavailable
        return self.promise

    async def end_attempt(
        self,
        callback_id: CallbackId,
        attempt_id: AttemptId,
        outcome: AttemptOutcome,
        *,
        state: CallbackState,
        **rest: object,
    ) -> bool:
        self.stored.append((callback_id, attempt_id, outcome, state))
        return True


class Office:
    """A reception and everything round it."""

    def __init__(self, flows: FlowSet, *, customers: Sequence[Customer] = (), entries: Sequence[Entry] = ()) -> None:
        self.clock = VirtualClock(START)
        self.journal = Notebook()
        self.promises = Promises()
        self.going_on: list[ContactId] = []
        self.prompts = SpokenPrompts()
        services = Services(
            prompts=self.prompts,
            outages=ScriptedBoard(),
            callbacks=ScriptedDesk(),
            sites=ScriptedSites([Site("own", {"support": "support-own", "billing": "billing-own"})]),
            clock=self.clock,
            zone=ZoneInfo("Europe/Amsterdam"),
            fallback_queue="support",
            queue_hours=dict.fromkeys(
                ("support", "billing"), OpeningHours(ZoneInfo("UTC"), (((time(0), time(0)),),) * 7)
            ),
        )
        connector = ScriptedConnector(customers)
        self.reception = Reception(
            entries or [Entry(dialled="*", flow="lijnnet")],
            {CallbackPurpose.TALK: "callback", CallbackPurpose.OUTAGE_OVER: "outage_over"},
            lambda flow: flows,
            Engine(),
            services,
            Identifier([connector], budget=0.3, clock=self.clock),
            self.journal,
            self.promises,  # type: ignore[arg-type]
            self.clock,
            self.going_on.extend,
        )

    async def call(
        self, *script: Act, line: Line = KNOWN, callback: str | None = None, leaves_after: float | None = None
    ) -> ScriptedChannel:
        channel = ScriptedChannel(self.clock, self.prompts, script, leaves_after)
        arrival = Arrival(ID, "PJSIP/1", "100", line, callback_id=CallbackId(callback) if callback else None)
        await self.reception.receive(arrival, channel)
        return channel


def promise(*attempts: Attempt, purpose: CallbackPurpose = CallbackPurpose.TALK, queue: str = "support") -> Callback:
    window = Window(START, START + timedelta(hours=2))
    request = CallbackRequest(NUMBER, window, queue, Language.EN, "0.9", purpose=purpose)
    return Callback(CallbackId("p"), request, CallbackState.DIALLING, START, START, attempts)


async def test_a_call_is_opened_told_and_handed_over(flows: FlowSet) -> None:
    office = Office(flows, customers=[ANNA])
    channel = await office.call(Press("0"))
    (contact,) = office.journal.opened
    assert (contact.id, contact.number, contact.flow, contact.entry) == (ID, NUMBER, "lijnnet", "100")
    assert contact.flow_version == flows.flows["lijnnet"].version
    assert office.journal.of(EventKind.IDENTIFIED)[0]["customer"] == "K1"
    assert channel.handed_over is not None
    changes = office.journal.amended
    assert (changes["outcome"], changes["customer_id"], changes["queue"]) == (Outcome.HANDED_OVER, "K1", "support")
    assert "ended_at" not in changes
    assert office.going_on == [ID]


class Broken(ScriptedChannel):
    """A channel whose Asterisk is gone."""

    async def answer(self) -> None:
        raise AgiCommandFailed("the connection to Asterisk is gone")


async def test_a_call_that_cannot_be_answered_has_failed_and_its_end_is_left_to_who_follows_it(flows: FlowSet) -> None:
    office = Office(flows)
    await office.reception.receive(Arrival(ID, "PJSIP/1", "100", KNOWN), Broken(office.clock, office.prompts))
    assert office.journal.amended["outcome"] is Outcome.FAILED
    assert [error["error"] for error in office.journal.of(EventKind.ERROR)] == ["AgiCommandFailed"]
    assert office.journal.of(EventKind.PICKED_UP) == []
    assert (office.going_on, "ended_at" in office.journal.amended) == ([ID], False)


async def test_a_caller_who_leaves_while_listening_ends_the_contact(flows: FlowSet) -> None:
    office = Office(flows)
    await office.call(Leave(during="welcome"))
    assert office.going_on == []
    assert office.journal.amended["outcome"] is Outcome.ABANDONED
    assert office.journal.amended["ended_at"] == office.clock.now()
    assert office.journal.of(EventKind.ENDED) == [{"outcome": "abandoned"}]


async def test_a_caller_who_leaves_while_it_rings_was_never_picked_up(flows: FlowSet) -> None:
    office = Office(flows)
    channel = ScriptedChannel(office.clock, office.prompts)
    channel.left = True
    await office.reception.receive(Arrival(ID, "PJSIP/1", "100", KNOWN), channel)
    assert office.journal.of(EventKind.PICKED_UP) == []
    assert office.journal.amended["outcome"] is Outcome.ABANDONED
    assert "answered_at" not in office.journal.amended


async def test_a_number_that_no_entry_matches_ends_at_a_person(flows: FlowSet) -> None:
    office = Office(flows, entries=[Entry(dialled="200", flow="lijnnet")])
    channel = await office.call()
    assert channel.handed_over is not None
    assert [heard.utterance.name for heard in channel.heard] == ["apology"]


@pytest.mark.parametrize(
    ("dialled", "flow"), [("100", "shortest"), ("1007", "callback"), ("200", "lijnnet"), ("", "lijnnet")]
)
async def test_the_first_entry_that_matches_decides_the_flow(flows: FlowSet, dialled: str, flow: str) -> None:
    entries = [
        Entry(dialled="100", flow="shortest"),
        Entry(dialled="100*", flow="callback"),
        Entry(dialled="*", flow="lijnnet"),
    ]
    office = Office(flows, entries=entries)
    channel = ScriptedChannel(office.clock, office.prompts, (), 0.5)
    await office.reception.receive(Arrival(ID, "PJSIP/1", dialled, KNOWN), channel)
    assert office.journal.opened[0].flow == flow


@pytest.mark.parametrize(("dialled", "language"), [("200", Language.EN), ("100", Language.NL)])
async def test_who_dials_a_number_with_a_language_is_spoken_to_in_it_whatever_is_known_of_them(
    flows: FlowSet, dialled: str, language: Language
) -> None:
    """Choosing a number is choosing its language; without one the customer's own holds."""
    entries = [Entry(dialled="2??", flow="lijnnet", language=Language.EN), Entry(dialled="*", flow="lijnnet")]
    office = Office(flows, customers=[replace(ANNA, language=Language.NL)], entries=entries)
    channel = ScriptedChannel(office.clock, office.prompts, (Press("0"),))
    await office.reception.receive(Arrival(ID, "PJSIP/1", dialled, KNOWN), channel)
    assert {heard.utterance.language for heard in channel.heard} == {language}


async def test_our_own_call_speaks_the_language_of_the_promise_and_is_outbound(flows: FlowSet) -> None:
    office = Office(flows)
    office.promises.promise = promise()
    channel = await office.call(Press("1"), line=Line(LineState.ABSENT), callback="p")
    (contact,) = office.journal.opened
    assert (contact.direction, contact.number, contact.flow) == (Direction.OUTBOUND, NUMBER, "callback")
    assert {heard.utterance.language for heard in channel.heard} == {Language.EN}
    assert channel.handed_over is not None
    assert office.promises.stored == []


@pytest.mark.parametrize(("promised", "queue"), [("billing", "billing"), ("dissolved", "support")])
async def test_our_own_call_comes_out_in_the_queue_that_was_promised(flows: FlowSet, promised: str, queue: str) -> None:
    office = Office(flows)
    office.promises.promise = promise(queue=promised)
    channel = await office.call(Press("1"), line=Line(LineState.ABSENT), callback="p")
    assert isinstance(channel.handed_over, ToQueue)
    assert channel.handed_over.queue == queue


async def test_a_customer_who_no_longer_wants_the_call_is_remembered(flows: FlowSet) -> None:
    office = Office(flows)
    office.promises.promise = promise(Attempt(AttemptId("a"), CallbackId("p"), "callback-a", START))
    await office.call(Press("2"), line=Line(LineState.ABSENT), callback="p")
    assert office.promises.stored == [("p", "a", AttemptOutcome.REFUSED, CallbackState.REFUSED)]
    assert office.journal.amended["outcome"] is Outcome.REFUSED


@pytest.mark.parametrize(
    ("act", "stored"),
    [
        (Leave(during="outage_over_goodbye"), [("p", "a", AttemptOutcome.TOLD, CallbackState.KEPT)]),
        (Leave(during="outage_over"), []),
    ],
)
async def test_who_heard_that_an_outage_is_over_is_remembered(flows: FlowSet, act: Leave, stored: list[object]) -> None:
    office = Office(flows)
    attempt = Attempt(AttemptId("a"), CallbackId("p"), "callback-a", START)
    office.promises.promise = promise(attempt, purpose=CallbackPurpose.OUTAGE_OVER)
    channel = await office.call(act, line=Line(LineState.ABSENT), callback="p")
    assert channel.heard[0].utterance.name == "outage_over"
    assert office.promises.stored == stored


async def test_a_promise_that_cannot_be_read_is_kept_all_the_same(flows: FlowSet) -> None:
    office = Office(flows)
    office.promises.away = True
    channel = await office.call(Press("1"), line=Line(LineState.ABSENT), callback="p")
    assert channel.handed_over is not None


async def test_two_customers_on_one_number_are_nobody_in_the_journal(flows: FlowSet) -> None:
    other = Customer(CustomerId("K2"), "Bram", (NUMBER,))
    office = Office(flows, customers=[ANNA, other])
    await office.call(Press("0"))
    assert office.journal.of(EventKind.IDENTIFIED)[0]["state"] == "ambiguous"
    assert office.journal.amended["customer_id"] is None
