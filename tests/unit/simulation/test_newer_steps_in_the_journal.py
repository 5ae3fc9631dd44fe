"""Facts about calls through every kind of step, as the journal has them: replayed, and recorded as scenarios."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ivr.cli.outside import setting_of
from ivr.config.model import Config
from ivr.domain.caller import Caller, Customer, CustomerId, Identification, IdentificationState
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Json, Outcome
from ivr.domain.dossier import Case, CaseState, Fault, FaultState, Invoice, InvoiceState
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.domain.outage import Outage, OutageId
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.flow.sources import Sources
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.play_through import PlayedThrough, play_through, read_script
from ivr.simulation.recording import recorded
from ivr.simulation.replay import Replayed, Verdict, replay
from ivr.simulation.scenario import scenarios_in
from ivr.simulation.scripted_channel import Act, Press, Speak
from ivr.simulation.scripted_services import ScriptedErrands
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.trial import try_out
from ivr.simulation.virtual_clock import VirtualClock
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database
from ivr.yamlfile.reading import parse

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NUMBER = PhoneNumber("+31612345678")
LINE = Line(LineState.KNOWN, NUMBER)
UNKNOWN = Caller(LINE, Identification(IdentificationState.UNKNOWN), "Groningen")
WITHHELD = Caller(Line(LineState.WITHHELD), Identification(IdentificationState.WITHHELD))
ANNA = Customer(
    CustomerId("K1"),
    "Anna",
    (NUMBER,),
    postcode="9711 AB",
    house_number="12",
    birth_date=date(1980, 5, 17),
    customer_number="LN-204",
    email="anna@example.nl",
    invoices=(Invoice("F1", InvoiceState.OPEN, Decimal("12.50")),),
    cases=(Case("C1", CaseState.OPEN), Case("C2", CaseState.WAITING)),
    faults=(Fault("S1", FaultState.REPORTED),),
)
KNOWN = Caller(LINE, Identification(IdentificationState.KNOWN, ANNA), "Groningen")
OUTAGE = Outage(OutageId("o1"), START - timedelta(hours=1), "Groningen")
CONFIG = Config.model_validate(
    {
        "organisation": {"name": "Test", "language": "nl"},
        "regions": {"Groningen": {"postcodes": ["9700-9747"], "prefixes": ["+3150"]}},
        "sites": {"own": {"queues": {"support": "support", "sales": "sales"}}},
        "queues": {"support": {"split": {"own": 100}}, "sales": {"split": {"own": 100}}},
        "fallback_queue": "support",
        "entries": [{"dialled": "*", "flow": "line"}],
        "transfers": {"telephones": {"reception": "+31201234567", "porter": "+31201234568"}},
    }
)
SETTING = setting_of(CONFIG)
FLOW = (Path(__file__).parent / "newer_steps.yaml").read_text(encoding="utf-8")
SAID = """choose helped better thanks tape_runs pin opened later nobody bill no_bill no_system proven bye apology"""
TEXTS = "".join(f"{prompt}: Wij zeggen {prompt}.\n" for prompt in SAID.split())


@dataclass(frozen=True, slots=True)
class Call:
    """How a call goes, and what is there when it does."""

    caller: Caller
    script: str | Sequence[Act]
    outages: Sequence[Outage] = ()
    others: Sequence[Customer] = ()
    tickets: str = "open"
    away: bool = False
    desk_away: bool = False
    over: bool = False


def flows_of(folder: Path, *changes: tuple[str, str]) -> FlowSet:
    flow, texts = FLOW, TEXTS
    for before, after in changes:
        assert before in flow + texts
        flow, texts = flow.replace(before, after), texts.replace(before, after)
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "prompts" / "nl").mkdir(parents=True, exist_ok=True)
    (folder / "flows" / "line.yaml").write_text(flow, encoding="utf-8")
    (folder / "prompts" / "nl" / "texts.yaml").write_text(texts, encoding="utf-8")
    return load(Sources(folder / "flows", folder / "prompts"))


async def journal_of(call: Call, flows: FlowSet, folder: Path) -> tuple[Contact, Sequence[ContactEvent]]:
    """What the journal gives back of a call that went so."""
    prompts, clock = SpokenPrompts(), VirtualClock(START)
    desk = SETTING.desk(START)
    desk.available = not call.desk_away
    desk.over = {outage.id for outage in call.outages} if call.over else set()
    services = SETTING.services_at(clock, prompts, call.outages, desk, ScriptedErrands(call.tickets))
    enquiry = DescribedEnquiry(lambda: call.caller, call.others, call.away)
    script = read_script(call.script) if isinstance(call.script, str) else call.script
    played = await play_through(flows, "line", services, prompts, enquiry, script)
    who = enquiry.current()
    contact = Contact(
        ContactId("1.1"),
        START,
        number=call.caller.line.number,
        line_state=call.caller.line.state,
        customer_id=who.customer.id if who.customer else None,
        region=call.caller.region,
        flow="line",
        reason=played.ending.reason,
        outcome=Outcome.ANSWERED if played.ending.handed_over else played.ending.outcome,
    )
    database = Database(f"sqlite+aiosqlite:///{folder}/journal.db", timeout=5.0)
    await database.migrate()
    journal = StoredContacts(database)
    await journal.write([contact], [], events_of(played, call.caller))
    [told] = await journal.contacts(contact_id="1.1", limit=1)
    await database.close()
    return told


def events_of(played: PlayedThrough, caller: Caller) -> list[ContactEvent]:
    identified: dict[str, Json] = {"state": caller.identification.state.value, "region": caller.region}
    first = ContactEvent("0", ContactId("1.1"), START, EventKind.IDENTIFIED, "", identified)
    noted = [
        ContactEvent(str(number), ContactId("1.1"), event.at, event.kind, event.step, event.detail)
        for number, event in enumerate(played.noted, start=1)
    ]
    return [first, *noted]


def keys(pressed: str) -> list[Act]:
    return [Press(key) for key in pressed]


CALLS: Mapping[str, Call] = {
    "a transfer": Call(UNKNOWN, "1"),
    "a notice": Call(UNKNOWN, "2,1", [OUTAGE]),
    "a notice to another number": Call(UNKNOWN, "2,2,0201234567#,1", [OUTAGE]),
    "a notice that is too late": Call(UNKNOWN, "2,1", [OUTAGE], over=True),
    "a notice that cannot be stored": Call(UNKNOWN, "2,1", [OUTAGE], desk_away=True),
    "a notice without an outage": Call(UNKNOWN, "2"),
    "a message that is left": Call(UNKNOWN, "3,6s,#,2,1"),
    "a message that is spoken anew": Call(UNKNOWN, "3,6s,3,7s,1"),
    "a message ended by leaving": Call(UNKNOWN, "3,6s,x"),
    "no message": Call(UNKNOWN, "3,-,-"),
    "a survey": Call(UNKNOWN, "4,10,5s"),
    "a survey with a one": Call(UNKNOWN, "4,1,-,5s,#"),
    "a survey that is left": Call(UNKNOWN, "4,7,x"),
    "a survey without answers": Call(UNKNOWN, "4,-,-"),
    "a ticket": Call(KNOWN, "5,1234"),
    "a ticket of somebody unknown": Call(UNKNOWN, "5,1234"),
    "a ticket that is late": Call(UNKNOWN, "5,1234", tickets="late"),
    "a ticket that is refused": Call(UNKNOWN, "5,1234", tickets="refused"),
    "a message that is sent": Call(KNOWN, "6"),
    "a message to nobody": Call(WITHHELD, "6"),
    "a message without an address": Call(UNKNOWN, "6"),
    "nothing looked up": Call(replace(KNOWN, identification=Identification(
        IdentificationState.KNOWN, replace(ANNA, invoices=()))), "7"),
    "a lookup without systems": Call(KNOWN, "7", away=True),
    "a lookup of nobody": Call(UNKNOWN, "7"),
    "a code keyed while it is asked": Call(UNKNOWN, [Press("5"), Press("1", during="pin"), *keys("234")]),
    "a hash while a code is asked": Call(UNKNOWN, [Press("5"), Press("#", during="pin"), *keys("1234")]),
    "a score given while it is asked": Call(
        UNKNOWN, [Press("4"), Press("1", during="helped"), Press("0"), Speak(5)]
    ),
    "a number keyed while it is asked": Call(
        UNKNOWN, [*keys("22"), Press("0", during="callback_ask_number"), *keys("201234567#1")], [OUTAGE]
    ),
    "somebody who leaves": Call(UNKNOWN, "x"),
    "somebody who leaves, withheld": Call(WITHHELD, "x"),
}  # fmt: skip
UNCLEAR: Mapping[str, tuple[Call, str]] = {
    "a lookup": (Call(KNOWN, "7"), "what was found of invoices"),
    "an identification": (
        Call(UNKNOWN, "8,204#,9711,204#,17051980", others=[ANNA]),
        "what was keyed at who.identify",
    ),
    "an identification that fails": (Call(UNKNOWN, "8,204#,1234,-"), "what was keyed at who.identify"),
    "a proof": (Call(KNOWN, "9,9711,12#"), "what was keyed at prove.verify"),
    "a proof while it is asked": (
        Call(KNOWN, [Press("9"), Press("9", during="verify_postcode"), *keys("71112#")]),
        "what was keyed at prove.verify",
    ),
    "a proof that fails": (Call(KNOWN, "9,9711,13#,9711,13#"), "what was keyed at prove.verify"),
}


def replayed(call: Call, folder: Path, *changes: tuple[str, str]) -> Replayed:
    async def play() -> Replayed:
        had = flows_of(folder)
        contact, events = await journal_of(call, had, folder)
        return await replay(contact, events, had, flows_of(folder, *changes), SETTING, call.outages)

    return asyncio.run(play())


@pytest.mark.parametrize("name", CALLS)
def test_a_call_in_the_flows_it_had_is_the_same(name: str, tmp_path: Path) -> None:
    found = replayed(CALLS[name], tmp_path)
    assert (found.verdict, found.before, found.after) == (Verdict.SAME, "", "")


@pytest.mark.parametrize(
    ("name", "change", "before", "after"),
    [
        (
            "a transfer",
            ("to: reception", "to: porter"),
            "is transferred to reception, or else to queue sales",
            "is transferred to porter, or else to queue sales",
        ),
        (
            "a transfer",
            ("queue: sales", "queue: support"),
            "is transferred to reception, or else to queue sales",
            "is transferred to reception, or else to queue support",
        ),
        ("a notice", ("    - notice: { otherwise: person }\n", ""), "hears notice_offer (nl)", "hears bye (nl)"),
        (
            "a message that is left",
            ("box: support", "box: sales"),
            "leaves a message in support",
            "leaves a message in sales",
        ),
        ("a survey", ("scale: 10", "scale: 5"), "presses 10", "presses 1"),
        (
            "a survey",
            ("          better: { ask: better, record: 1min }\n", ""),
            "hears better (nl)",
            "hears thanks (nl)",
        ),
        (
            "a ticket",
            ('"Call of', '"Case of'),
            "has a ticket opened: Call of Voorbeeld: main: 5\npin: 1111",
            "has a ticket opened: Case of Voorbeeld: main: 5\npin: 1111",
        ),
        (
            "a ticket",
            ("record: pause", "record: off"),
            "has the recording of the call turned pause",
            "has the recording of the call turned off",
        ),
        (
            "a ticket that is refused",
            ("on_error: person", "on_error: nobody"),
            "goes to queue support",
            "hears nobody (nl)",
        ),
        (
            "a message that is sent",
            ("text: Hello too", "text: Bye"),
            "has a message sent by email: voorbeeld@example.invalid: Letter: Hello too",
            "has a message sent by email: voorbeeld@example.invalid: Letter: Bye",
        ),
        (
            "a message to nobody",
            ("by: sms, text: Hello,", "by: sms, to: '+31612345679', text: Hello,"),
            "cannot be sent a message by sms",
            "has a message sent by sms",
        ),
        ("nothing looked up", ("- say: no_bill", "- say: nobody"), "hears no_bill (nl)", "hears nobody (nl)"),
        (
            "somebody who leaves",
            ("text: You hung up", "text: Call again"),
            "has a message sent by sms: +31612345678: You hung up",
            "has a message sent by sms: +31612345678: Call again",
        ),
        (
            "somebody who leaves, withheld",
            ("reason: left_early", "reason: gone"),
            "ends as abandoned, reason left_early",
            "ends as abandoned, reason gone",
        ),
    ],
)
def test_a_changed_step_is_shown(name: str, change: tuple[str, str], before: str, after: str, tmp_path: Path) -> None:
    found = replayed(CALLS[name], tmp_path, change)
    assert (found.verdict, found.before, found.after) == (Verdict.DIFFERENT, before, after)


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_only_the_caller_or_another_system_knew_makes_a_call_unclear(name: str, tmp_path: Path) -> None:
    call, unknown = UNCLEAR[name]
    found = replayed(call, tmp_path, ("proven: Wij", "proven: Zij"), ("- say: no_bill", "- say: nobody"))
    assert (found.verdict, found.unknown) == (Verdict.UNCLEAR, unknown)


def test_a_call_is_unclear_only_from_there_on(tmp_path: Path) -> None:
    call, _ = UNCLEAR["a proof"]
    found = replayed(call, tmp_path, ("choose: Wij", "choose: Zij"))
    assert (found.verdict, found.after) == (Verdict.DIFFERENT, "hears choose (nl): Zij zeggen choose.")


def test_what_was_never_looked_up_is_not_taken_for_nothing(tmp_path: Path) -> None:
    found = replayed(CALLS["nothing looked up"], tmp_path, ("part: invoices", "part: faults"))
    assert (found.verdict, found.unknown) == (Verdict.UNCLEAR, "what was found of faults")


def test_who_was_never_asked_to_prove_anything_hears_something_else(tmp_path: Path) -> None:
    found = replayed(CALLS["nothing looked up"], tmp_path, ("  bill:\n", "  bill:\n    - identify: { anyway: true }\n"))
    assert (found.verdict, found.after) == (Verdict.DIFFERENT, "hears identify_number (nl)")


def test_that_a_system_was_slow_is_no_difference(tmp_path: Path) -> None:
    async def play() -> Replayed:
        flows = flows_of(tmp_path)
        contact, events = await journal_of(CALLS["a ticket"], flows, tmp_path)
        at = next(position for position, event in enumerate(events) if event.kind is EventKind.TICKET)
        detail: dict[str, Json] = {"prompt": "ticket_moment", "language": "nl", "seconds": 1.0}
        waits = ContactEvent("w", contact.id, START, EventKind.PROMPT, "taped.ticket", detail)
        return await replay(contact, [*events[:at], waits, *events[at:]], flows, flows, SETTING, ())

    assert asyncio.run(play()).verdict is Verdict.SAME


def scenario_of(call: Call, folder: Path, *, reveal: bool = False) -> tuple[str, str]:
    """The scenario of a call, and in what it differs when it is played."""

    async def nobody(number: str) -> Caller:
        raise AssertionError(number)

    async def play() -> tuple[str, str]:
        flows = flows_of(folder)
        contact, events = await journal_of(call, flows, folder)
        text = recorded(contact, events, None, ZoneInfo("Europe/Amsterdam"), flows, reveal=reveal)
        written, problems = scenarios_in(parse(text, "recorded"), "recorded", flows, ["Groningen"])
        assert not problems, text
        difference = (await try_out(written[0], flows, SETTING, nobody)).difference
        return text, difference.message if difference else ""

    return asyncio.run(play())


RECORDABLE = {name: call for name, call in CALLS.items() if not call.over}
RECORDABLE |= {name: call for name, (call, _) in UNCLEAR.items()}


@pytest.mark.parametrize("reveal", [False, True])
@pytest.mark.parametrize("name", RECORDABLE)
def test_a_recorded_call_is_a_scenario_that_passes(name: str, reveal: bool, tmp_path: Path) -> None:
    text, difference = scenario_of(RECORDABLE[name], tmp_path, reveal=reveal)
    assert not difference, f"{difference}\n{text}"
    for personal in ("9711", "17051980", "LN-204", "anna@"):
        assert personal not in text or reveal
