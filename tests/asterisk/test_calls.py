"""Whole calls: a telephone, a real Asterisk, a real engine, a real database."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.demo.crm import NAMED, NOBODYS_NUMBER
from ivr.domain.language import Language
from ivr.errors import PromptNotHeard
from ivr.flow import spoken
from ivr.robot.call import Call
from ivr.robot.journey import Journey
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.callers import QUICK, Callers, callers_of, events, heard, kinds
from tests.asterisk.engine_under_test import ROOT, EngineUnderTest

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

ANNA, BRAM, EMILY, YOUSSEF, _ = NAMED
TEXTS = {
    "nl/order_news": "Dag Anna de Vries. Uw bestelling is onderweg. U ontvangt hem vandaag.",
    "nl/order_status": (
        f"Het gaat om bestelling {spoken.digits('B200001', Language.NL)}: modem. Die is onderweg naar u."
        " We verwachten dat u hem vandaag ontvangt."
    ),
    "en/order_news": (
        "Hello Emily Clarke. We are sorry, your order is delayed. Press two in a moment, and we will tell you more."
    ),
}
PLAIN_MENU = [
    f"nl/{name}"
    for name in ("main_menu", "main_menu_support", "main_menu_callback", "main_menu_english", "main_menu_person")
]


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo's flows, to change, in which nobody is waited for long."""
    folder = tmp_path_factory.mktemp("flows")
    shutil.copytree(ROOT / "dialplans" / "triage", folder / "triage")
    for file in (ROOT / "dialplans").glob("*.yaml"):
        (folder / file.name).write_text(file.read_text().replace("timeout: 5s", "timeout: 1s"))
    return folder


@pytest.fixture(scope="module")
def espeak(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the engine finds its speech engine, to be taken away."""
    program = shutil.which("espeak-ng")
    assert program is not None
    link = tmp_path_factory.mktemp("programs") / "espeak-ng"
    link.symlink_to(program)
    return link


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def callers(
    running_asterisk: AsteriskUnderTest, tmp_path_factory: pytest.TempPathFactory, flows: Path, espeak: Path
) -> AsyncIterator[Callers]:
    """Callers of one engine for all tests here."""
    if not running_asterisk.private.is_running():
        running_asterisk.private.restart()
    engine = EngineUnderTest(
        running_asterisk, tmp_path_factory.mktemp("engine"), {"speech": QUICK, "flows": {"path": str(flows)}}
    )
    engine.environment["PATH"] = str(espeak.parent)
    try:
        await engine.start()
        async with callers_of(engine, TEXTS) as callers:
            yield callers
    finally:
        await engine.kill()


@dataclass(frozen=True, slots=True)
class Told:
    """A call as the caller met it and as the journal has it."""

    journey: Journey
    contact: dict[str, Any]


Day = dict[str, Told]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def day(callers: Callers) -> Day:
    """One busy moment: everybody whose call needs nothing of its own rings at the same time."""
    rings = {
        "anna": callers.talk(ANNA.number, ("nl/main_menu_person", "0"), until="nl/agent"),
        "anna's order": callers.talk(
            ANNA.number, ("nl/main_menu_order", "2"), ("nl/anything_else", "1"), until="nl/main_menu"
        ),
        "emily": callers.talk(EMILY.number, ("en/main_menu_person", "0"), until="en/agent"),
        "youssef or samira": callers.talk(YOUSSEF.number, until="nl/main_menu_callback"),
        "stranger": callers.talk(
            NOBODYS_NUMBER, ("nl/main_menu_person", "1"), ("nl/modem_lights", "0"), until="nl/agent"
        ),
        "withheld": callers.talk(ANNA.number, until="nl/main_menu_callback", privacy=True),
        "absent": callers.talk("", until="nl/main_menu_callback"),
        "malformed": callers.talk("12%3Bphone-context%3Dx", until="nl/main_menu_callback"),
        "foreign": callers.talk("+4930901820", until="nl/main_menu_callback"),
        "other language": callers.talk(NOBODYS_NUMBER, ("nl/main_menu", "9"), ("en/main_menu", "0"), until="en/agent"),
        "silent": callers.talk(NOBODYS_NUMBER, until="nl/agent"),
        "nonsense": callers.talk(
            NOBODYS_NUMBER, ("nl/main_menu_support", "7"), ("nl/main_menu_support", "8"), until="nl/agent"
        ),
        "hasty": callers.talk(ANNA.number, ("nl/order_news", "0"), until="nl/agent"),
    }
    told = await asyncio.gather(*(_told(callers, ring) for ring in rings.values()))
    return dict(zip(rings, told, strict=True))


async def _told(callers: Callers, ring: Awaitable[Call]) -> Told:
    call = await ring
    journey = await callers.leave(call)
    return Told(journey, await callers.contact(call))


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_nobody_was_left_in_silence(day: Day) -> None:
    assert {name: told.journey.dead_air for name, told in day.items() if told.journey.dead_air} == {}


async def test_a_known_customer_hears_their_order_and_the_choices_that_concern_them(day: Day) -> None:
    menu = [*PLAIN_MENU[:2], "nl/main_menu_order", *PLAIN_MENU[2:]]
    assert heard(day["anna"].journey) == ["nl/welcome", "nl/order_news", *menu, "nl/connecting", "nl/agent"]
    contact = day["anna"].contact
    assert (contact["caller"], contact["customer"], contact["region"]) == (ANNA.number, ANNA.customer_number, "Utrecht")
    assert (contact["outcome"], contact["queue"]) == ("answered", "support")


async def test_the_journal_tells_what_was_heard_pressed_and_decided_in_order(day: Day) -> None:
    journey, contact = day["anna"].journey, day["anna"].contact
    assert kinds(contact, "step") == [
        "arrived", "identified", "picked_up", *["prompt"] * 8, "digits", "prompt", "queued", "agent_answered",
        "hung_up", "ended",
    ]  # fmt: skip
    steps = [event["step"] for event in events(contact, "step")]
    assert (steps[0], steps[-2:]) == ("welcome.say", ["person.say", "person.queue"])
    assert [f"nl/{event['prompt']}" for event in events(contact, "prompt")] == heard(journey)[:-1]
    assert events(contact, "agent_answered")[0]["agent"].startswith(f"support-{contact['site']}-")
    moments = [moment(event["at"]) for event in contact["events"]]
    assert moments == sorted(moments)
    lasted = moment(contact["ended_at"]) - moment(contact["answered_at"])
    assert lasted == pytest.approx(journey.lasted_ms / 1000, abs=0.5)


async def test_the_journal_is_printed_as_json_with_every_call_once(callers: Callers, day: Day) -> None:
    printed = json.loads(await callers.engine.ivr("calls", "--json", "--reveal", "--limit", "100"))
    assert printed == await callers.engine.calls()
    assert Counter(each["entry"] for each in printed) == {told.contact["entry"]: 1 for told in day.values()}


async def test_an_unknown_number_hears_the_plain_menu(day: Day) -> None:
    assert heard(day["stranger"].journey) == [
        "nl/welcome", *PLAIN_MENU, "nl/modem_lights", "nl/connecting_support", "nl/agent",
    ]  # fmt: skip
    contact = day["stranger"].contact
    assert (contact["customer"], contact["reason"], contact["outcome"]) == (None, "support", "answered")


@pytest.mark.parametrize(
    ("line", "shown"),
    [("withheld", "withheld"), ("absent", "absent"), ("malformed", "malformed"), ("foreign", "+4930901820")],
)
async def test_lines_without_a_usable_number_are_ordinary(day: Day, line: str, shown: str) -> None:
    assert heard(day[line].journey) == ["nl/welcome", *PLAIN_MENU[:3]]
    contact = day[line].contact
    assert (contact["caller"], contact["customer"], contact["outcome"]) == (shown, None, "abandoned")


async def test_of_two_customers_with_one_number_neither_is_named(day: Day) -> None:
    assert heard(day["youssef or samira"].journey) == ["nl/welcome", *PLAIN_MENU[:3]]
    contact = day["youssef or samira"].contact
    assert (contact["customer"], events(contact, "identified")[0]["state"]) == (None, "ambiguous")


async def test_an_english_customer_is_spoken_to_in_english_by_the_agent_too(day: Day) -> None:
    assert heard(day["emily"].journey) == [
        "en/welcome", "en/order_news", "en/main_menu", "en/main_menu_support", "en/main_menu_order",
        "en/main_menu_callback", "en/main_menu_person", "en/connecting", "en/agent",
    ]  # fmt: skip


async def test_a_caller_who_chooses_another_language_keeps_it(day: Day) -> None:
    assert heard(day["other language"].journey) == [
        "nl/welcome", "nl/main_menu", "en/main_menu", "en/connecting", "en/agent",
    ]  # fmt: skip


async def test_a_customer_who_asks_is_told_how_their_order_is(day: Day) -> None:
    journey, contact = day["anna's order"].journey, day["anna's order"].contact
    menu = [*PLAIN_MENU[:2], "nl/main_menu_order"]
    news = ["nl/welcome", "nl/order_news"]
    assert heard(journey) == [*news, *menu, "nl/order_status", "nl/anything_else", "nl/main_menu"]
    assert (contact["reason"], contact["outcome"]) == ("order", "self_served")


async def test_a_key_pressed_before_the_menu_answers_it(day: Day) -> None:
    journey, contact = day["hasty"].journey, day["hasty"].contact
    assert heard(journey) == ["nl/welcome", "nl/order_news", "nl/connecting", "nl/agent"]
    prompts = [(event["prompt"], event.get("key")) for event in events(contact, "prompt")]
    assert prompts == [("welcome", None), ("order_news", "0"), ("connecting", None)]


async def test_a_caller_who_presses_nothing_ends_at_a_person(day: Day) -> None:
    menus = [*PLAIN_MENU, *PLAIN_MENU]
    assert heard(day["silent"].journey) == ["nl/welcome", *menus, "nl/connecting", "nl/agent"]
    assert kinds(day["silent"].contact).count("no_input") == 2


async def test_a_caller_who_presses_keys_that_are_no_choice_is_told_and_ends_at_a_person(day: Day) -> None:
    assert heard(day["nonsense"].journey) == [
        "nl/welcome", *PLAIN_MENU[:2], "nl/menu_wrong_key", *PLAIN_MENU[:2], "nl/connecting", "nl/agent",
    ]  # fmt: skip
    assert kinds(day["nonsense"].contact).count("wrong_input") == 2


async def test_a_changed_flow_is_for_the_next_call_and_a_broken_one_for_nobody(callers: Callers, flows: Path) -> None:
    engine, file = callers.engine, flows / "lijnnet.yaml"
    before = file.read_text()
    changed = before.replace("- say: connecting\n", "- say: connecting_support\n")
    assert changed != before
    began_before = await callers.ring(NOBODYS_NUMBER)
    await began_before.hears("nl/main_menu", 5)
    file.write_text(changed)
    try:
        await engine.until(logged(engine, "flows taken over"), 5, "the changed flow to be taken over")
        file.write_text(changed.replace("queue: support", "queue: suport"))
        await engine.until(logged(engine, "changed flows have problems"), 5, "the broken flow to be refused")
        began_after = await callers.ring(NOBODYS_NUMBER)
        await began_after.hears("nl/welcome", 5)
        for call in (began_before, began_after):
            await call.press("0")
        for call in (began_before, began_after):
            await call.hears("nl/agent", 10, over=True)
    finally:
        file.write_text(before)
    old, new = [await callers.leave(call) for call in (began_before, began_after)]
    assert heard(old)[-2:] == ["nl/connecting", "nl/agent"]
    assert heard(new) == ["nl/welcome", "nl/connecting_support", "nl/agent"]
    assert (old.dead_air, new.dead_air) == ((), ())
    versions = {(await callers.contact(call))["flow_version"] for call in (began_before, began_after)}
    assert len(versions) == 2
    assert "lijnnet.yaml:" in engine.told()
    assert "suport" in engine.told()


async def test_a_flow_that_is_rolled_back_answers_the_next_call(callers: Callers, flows: Path) -> None:
    engine, file = callers.engine, flows / "lijnnet.yaml"
    before = file.read_text()
    file.write_text(before.replace("- say: welcome\n", "- say: goodbye\n"))
    try:

        async def says(prompt: str) -> bool:
            call = await callers.ring(NOBODYS_NUMBER)
            with contextlib.suppress(PromptNotHeard):
                await call.hears(prompt, 1.5)
            return heard(await callers.leave(call))[:1] == [prompt]

        await engine.until(lambda: says("nl/goodbye"), 15, "the changed flow to be heard")
        await engine.ivr("flows", "rollback", "lijnnet")
        await engine.until(lambda: says("nl/welcome"), 15, "the version before to be heard")
    finally:
        file.write_text(before)


def logged(engine: EngineUnderTest, words: str) -> Callable[[], Awaitable[bool]]:
    async def found() -> bool:
        return words in engine.told()

    return found


@pytest.fixture
def speechless(espeak: Path) -> Iterator[None]:
    """The speech engine is gone."""
    hidden = espeak.rename(espeak.with_name("hidden"))
    yield
    hidden.rename(espeak)


@pytest.mark.usefixtures("speechless")
async def test_a_text_that_cannot_be_spoken_is_apologised_for_and_the_call_goes_to_a_person(callers: Callers) -> None:
    call = await callers.talk(customer_with_an_order(callers.engine), until="nl/agent")
    journey = await callers.leave(call)
    assert heard(journey) == ["nl/welcome", "nl/apology", "nl/agent"]
    assert journey.dead_air == ()
    contact = await callers.contact(call)
    (error,) = events(contact, "error")
    assert (error["step"], error["error"], contact["outcome"]) == ("order_news.say", "SpeechError", "answered")


def customer_with_an_order(engine: EngineUnderTest) -> str:
    """The number of somebody whose name was never spoken here."""
    with closing(sqlite3.connect(engine.home / "var" / "crm.db")) as crm:
        found = crm.execute(
            "SELECT phones.number FROM phones JOIN orders USING (customer_id)"
            " JOIN customers ON customer_id = customers.id"
            " WHERE language = 'nl' AND status = 'shipped' AND phones.number GLOB '+31[0-9]*' AND customers.id > 5"
        ).fetchone()
    number: str = found[0]
    return number
