"""Facts about recorded calls in changed flows, with the demo's own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ivr.cli.outside import setting_of
from ivr.config.loading import load as load_config
from ivr.domain.caller import Caller, Customer, CustomerId, Identification, IdentificationState
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Json, Outcome
from ivr.domain.dossier import Order, OrderState
from ivr.domain.language import Language
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.domain.outage import Outage, OutageId
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.flow.sources import Sources
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.play_through import play_through, read_script
from ivr.simulation.replay import Replayed, Verdict, replay
from ivr.simulation.scripted_channel import Act, Leave, Press
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.virtual_clock import VirtualClock

ROOT = Path(__file__).parents[3]
SETTING = setting_of(load_config(ROOT / "config.yaml"))
OURS = load(Sources(ROOT / "dialplans", ROOT / "prompts"))
NUMBER = PhoneNumber("+31612345678")
LINE = Line(LineState.KNOWN, NUMBER)
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
UNKNOWN = Caller(LINE, Identification(IdentificationState.UNKNOWN), "Groningen")
WITHHELD = Caller(Line(LineState.WITHHELD), Identification(IdentificationState.WITHHELD))
OUTAGE = Outage(OutageId("o1"), START - timedelta(hours=1), "Groningen", "internet")


def customer(*orders: Order, language: Language | None = None, numbers: tuple[PhoneNumber, ...] = (NUMBER,)) -> Caller:
    """Somebody with these orders; they are not in the journal."""
    anna = Customer(
        CustomerId("K1"), "Anna", numbers, language=language, products=frozenset({"internet"}), orders=orders
    )
    return Caller(LINE, Identification(IdentificationState.KNOWN, anna), "Groningen")


def order(state: OrderState) -> Order:
    return Order("LN-1", state, "modem", date(2026, 11, 24))


def recorded(
    caller: Caller, script: Sequence[Act] | str, *, flow: str = "lijnnet", outages: Sequence[Outage] = ()
) -> tuple[Contact, Sequence[ContactEvent]]:
    """What the journal holds of a call that went so."""
    prompts, clock = SpokenPrompts(), VirtualClock(START)
    services = SETTING.services_at(clock, prompts, outages, SETTING.desk(START))
    acts = read_script(script) if isinstance(script, str) else script
    played = asyncio.run(play_through(OURS, flow, services, prompts, DescribedEnquiry(lambda: caller), acts))
    identified: dict[str, Json] = {"state": caller.identification.state.value, "region": caller.region}
    noted = [(START, EventKind.IDENTIFIED, "", identified)]
    noted += [(event.at, event.kind, event.step, event.detail) for event in played.noted]
    contact = Contact(
        ContactId("1.1"),
        START,
        number=caller.line.number,
        line_state=caller.line.state,
        customer_id=caller.customer.id if caller.customer else None,
        region=caller.region,
        flow=flow,
        reason=played.ending.reason,
        # What came of it in the queue, as the journal has it in the end.
        outcome=Outcome.ANSWERED if played.ending.outcome is Outcome.HANDED_OVER else played.ending.outcome,
    )
    return contact, [
        ContactEvent(str(position), contact.id, at, kind, step, detail)
        for position, (at, kind, step, detail) in enumerate(noted)
    ]


def changed(file: str, before: str, after: str) -> FlowSet:
    """Our flows with one thing changed."""
    text = OURS.files[file].decode()
    assert before in text
    return load(
        Sources(ROOT / "dialplans", ROOT / "prompts", given={**OURS.files, file: text.replace(before, after).encode()})
    )


def replayed(call: tuple[Contact, Sequence[ContactEvent]], other: FlowSet, outages: Sequence[Outage] = ()) -> Replayed:
    return asyncio.run(replay(*call, OURS, other, SETTING, outages))


@pytest.mark.parametrize(
    "caller",
    [
        UNKNOWN,
        WITHHELD,
        customer(),
        customer(language=Language.EN),
        customer(numbers=()),
        *(customer(order(state)) for state in OrderState),
    ],
)
@pytest.mark.parametrize("script", ["", "1", "2", "-,0", "9,0", "3,1,1", "x", "1,x"])
def test_a_call_in_the_flows_it_had_is_the_same(caller: Caller, script: str) -> None:
    assert replayed(recorded(caller, script), OURS).verdict is Verdict.SAME


def test_a_number_that_was_keyed_in_is_replaced_and_a_wrong_one_cannot_be() -> None:
    assert replayed(recorded(UNKNOWN, "3,1,2,0612345678#,1"), OURS).verdict is Verdict.SAME
    assert replayed(recorded(WITHHELD, "3,1,0612345678#,1"), OURS).verdict is Verdict.SAME
    assert replayed(recorded(WITHHELD, "3,1,12345678#,0612345678#,1"), OURS).verdict is Verdict.UNCLEAR


def test_keys_and_leaving_in_the_middle_of_a_prompt_are_brought_about_again() -> None:
    for act in (Press("0", during="main_menu"), Leave(during="welcome"), Press("0", during="welcome")):
        assert replayed(recorded(UNKNOWN, [act]), OURS).verdict is Verdict.SAME


def test_an_outage_that_was_open_then_is_told_again() -> None:
    over = Outage(OutageId("o2"), START - timedelta(days=2), closed_at=START - timedelta(days=1))
    call = recorded(customer(), "", outages=[OUTAGE])
    assert any(event.kind is EventKind.OUTAGE_TOLD for event in call[1])
    assert replayed(call, OURS, [OUTAGE, over]).verdict is Verdict.SAME


def test_another_text_is_heard_differently_and_shown_in_both_versions() -> None:
    found = replayed(recorded(UNKNOWN, "0"), changed("nl/texts.yaml", "welcome:", "welcome: Hallo!\nold_welcome:"))
    assert found.verdict is Verdict.DIFFERENT
    assert found.after == "hears welcome (nl): Hallo!"


def test_another_way_for_a_key_ends_differently_for_who_pressed_it_and_nobody_else() -> None:
    other = changed("flows/shortest.yaml", '"1"', '"2"')
    assert replayed(recorded(UNKNOWN, "1", flow="shortest"), other).verdict is Verdict.DIFFERENT
    assert replayed(recorded(UNKNOWN, "-", flow="shortest"), other).verdict is Verdict.SAME


def test_a_call_that_no_stand_in_brings_about_is_unclear() -> None:
    contact, events = recorded(UNKNOWN, "0")
    events = [*events[:3], ContactEvent("x", contact.id, START, EventKind.PROMPT, "main.say", {"prompt": "gone"})]
    assert replayed((contact, events), OURS).verdict is Verdict.UNCLEAR
