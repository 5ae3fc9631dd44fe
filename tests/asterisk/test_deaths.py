"""Whatever dies during calls, callers end at a person or an apology, never in silence, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.demo.crm import NAMED, NOBODYS_NUMBER
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.callers import QUICK, callers_of, events, heard, kinds
from tests.asterisk.conftest import StartEngine
from tests.asterisk.engine_under_test import EngineUnderTest, Json

pytestmark = pytest.mark.asterisk

ANNA = NAMED[0]
TEXTS = {"nl/order_news": "Dag Anna de Vries. Uw bestelling is onderweg. U ontvangt hem vandaag."}


def once(contact: dict[str, Json]) -> bool:
    """Whether what can happen once in a call is in the journal once, and nothing twice at one moment."""
    counts = Counter(kinds(contact))
    single = all(counts[kind] == 1 for kind in ("arrived", "identified", "picked_up", "ended"))
    others = [event for event in contact["events"] if event["kind"] != "error"]
    moments = Counter((event["at"], event["kind"], event["step"]) for event in others)
    return single and max(moments.values()) == 1


def logged(engine: EngineUnderTest, words: str) -> Callable[[], Awaitable[bool]]:
    async def found() -> bool:
        return words in engine.told()

    return found


async def test_a_killed_engine_leaves_its_caller_to_a_person_and_its_journal_to_the_next(
    start_engine: StartEngine,
) -> None:
    engine = await start_engine(speech=QUICK)
    async with callers_of(engine) as callers:
        cut_off = await callers.ring(NOBODYS_NUMBER)
        await cut_off.hears("nl/main_menu_support", 10)
        await engine.kill()
        late = await callers.ring(NOBODYS_NUMBER)
        for call in (cut_off, late):
            await call.hears("nl/agent", 15)
        journeys = [await callers.leave(call) for call in (cut_off, late)]
        assert heard(journeys[0]) == ["nl/welcome", "nl/main_menu", "nl/main_menu_support", "nl/sorry", "nl/agent"]
        assert heard(journeys[1]) == ["nl/sorry", "nl/agent"]
        assert [journey.dead_air for journey in journeys] == [(), ()]
        await engine.start()
        contact = await callers.contact(cut_off)
    assert kinds(contact, "step") == ["arrived", "identified", "picked_up", "prompt", "prompt", "ended"]
    assert once(contact)


async def test_a_stopping_engine_finishes_its_call_and_leaves_new_ones_to_a_person(start_engine: StartEngine) -> None:
    engine = await start_engine(speech=QUICK)
    async with callers_of(engine) as callers:
        first = await callers.ring(NOBODYS_NUMBER)
        await first.hears("nl/main_menu", 10)
        stopped = asyncio.create_task(engine.stop())
        await engine.until(logged(engine, "stopping"), 5, "the engine to stop")
        second = await callers.talk(NOBODYS_NUMBER, until="nl/agent")
        assert not stopped.done()
        await first.press("0")
        await first.hears("nl/agent", 10)
        assert await stopped == 0
        journeys = [await callers.leave(call) for call in (first, second)]
        assert heard(journeys[0])[-2:] == ["nl/connecting", "nl/agent"]
        assert heard(journeys[1]) == ["nl/sorry", "nl/agent"]
        assert [journey.dead_air for journey in journeys] == [(), ()]
        await engine.start()
        contact = await callers.contact(first)
    assert (contact["outcome"], once(contact)) == ("handed_over", True)


async def test_with_no_room_left_the_next_caller_goes_to_a_person(start_engine: StartEngine) -> None:
    engine = await start_engine(speech=QUICK, asterisk={"fastagi": {"max_sessions": 1}})
    async with callers_of(engine) as callers:
        first = await callers.ring(NOBODYS_NUMBER)
        await first.hears("nl/main_menu", 10)
        second = await callers.talk(NOBODYS_NUMBER, until="nl/agent")
        await first.press("0")
        await first.hears("nl/agent", 10)
        journeys = [await callers.leave(call) for call in (first, second)]
    assert heard(journeys[0])[-2:] == ["nl/connecting", "nl/agent"]
    assert heard(journeys[1]) == ["nl/sorry", "nl/agent"]
    assert [journey.dead_air for journey in journeys] == [(), ()]


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """The port of a server that accepts and says nothing."""
    connected: list[asyncio.StreamWriter] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for writer in connected:
            writer.transport.abort()


def crm_at(url: str) -> dict[str, Json]:
    return {"crm": {"settings": {"url": url}, "guard": {"timeout": "1s"}}}


async def test_a_crm_that_hangs_costs_a_caller_its_budget_and_no_more(start_engine: StartEngine) -> None:
    async with silent_server() as port:
        engine = await start_engine(speech=QUICK, connectors=crm_at(f"postgresql+asyncpg://crm@127.0.0.1:{port}/crm"))
        async with callers_of(engine, TEXTS) as callers:
            calls = await asyncio.gather(*(callers.talk(ANNA.number, until="nl/main_menu") for _ in range(3)))
            journeys = [await callers.leave(call) for call in calls]
            contacts = [await callers.contact(call) for call in calls]
    for journey, contact in zip(journeys, contacts, strict=True):
        assert heard(journey) == ["nl/welcome", "nl/main_menu"]
        assert journey.dead_air == ()
        assert journey.answered_after_ms is not None
        assert journey.answered_after_ms < 300 + 150
        (identified,) = events(contact, "identified")
        assert (identified["state"], contact["customer"]) == ("unavailable", None)
        assert identified["took_ms"] < 300 + 50


async def test_a_crm_that_is_gone_is_missed_by_nobody_and_used_when_it_is_back(start_engine: StartEngine) -> None:
    engine = await start_engine(speech=QUICK, connectors=crm_at("sqlite+aiosqlite:///var/away.db"))
    async with callers_of(engine, TEXTS) as callers:
        journeys = [await callers.leave(await callers.talk(ANNA.number, until="nl/main_menu"))]
        (engine.home / "var" / "crm.db").rename(engine.home / "var" / "away.db")
        journeys += [await callers.leave(await callers.talk(ANNA.number, until="nl/main_menu"))]
    assert heard(journeys[0]) == ["nl/welcome", "nl/main_menu"]
    assert heard(journeys[1]) == ["nl/welcome", "nl/order_news", "nl/main_menu"]
    assert [journey.dead_air for journey in journeys] == [(), ()]


async def test_an_engine_that_finds_no_voice_at_all_leads_callers_to_a_person(
    start_engine: StartEngine, tmp_path: Path
) -> None:
    engine = await start_engine(environment={"PATH": str(tmp_path / "nothing")}, speech=QUICK)
    async with callers_of(engine) as callers:
        call = await callers.talk(NOBODYS_NUMBER, until="nl/agent")
        journey = await callers.leave(call)
        contact = await callers.contact(call)
    assert heard(journey) == ["nl/agent"]
    assert journey.dead_air == ()
    assert (contact["outcome"], {error["error"] for error in events(contact, "error")}) == ("answered", {"SpeechError"})


async def test_a_killed_asterisk_is_followed_again_when_it_is_back(
    start_engine: StartEngine, asterisk: AsteriskUnderTest
) -> None:
    engine = await start_engine(speech=QUICK)
    async with callers_of(engine) as callers:
        in_menu = await callers.talk(NOBODYS_NUMBER, until="nl/main_menu")
        with_agent = await callers.talk(NOBODYS_NUMBER, ("nl/welcome", "0"), until="nl/agent")
        await asterisk.kill()
        await engine.until(unhealthy(engine), 5, "the engine to see that Asterisk is gone")
        await asterisk.restart()
        await engine.until(engine.healthy, 10, "the engine to be connected again")
        await engine.ivr("split", "support", "own=0", "partner=100")
        after = await callers.talk(NOBODYS_NUMBER, ("nl/welcome", "0"), until="nl/agent")
        journey = await callers.leave(after)
        contact = await callers.contact(after)
        lost = [await callers.contact(call) for call in (in_menu, with_agent)]
    assert journey.dead_air == ()
    assert (contact["outcome"], contact["site"]) == ("answered", "partner")
    assert [each["outcome"] for each in lost] == ["failed", "answered"]
    assert all(once(each) for each in (contact, *lost))


def unhealthy(engine: EngineUnderTest) -> Callable[[], Awaitable[bool]]:
    async def ill() -> bool:
        return not await engine.healthy()

    return ill


async def test_a_cut_manager_link_is_made_again_and_what_happened_meanwhile_is_seen(
    start_engine: StartEngine, asterisk: AsteriskUnderTest
) -> None:
    engine = await start_engine(speech=QUICK)
    async with callers_of(engine) as callers:
        stays = await callers.talk(NOBODYS_NUMBER, ("nl/welcome", "0"), until="hold")
        leaves = await callers.talk(NOBODYS_NUMBER, ("nl/welcome", "0"), until="nl/agent")
        sessions = (await asterisk.cli("manager show connected")).splitlines()
        (link,) = [line.split()[4] for line in sessions if line.split()[0] == "klantlijn"]
        await asterisk.cli(f"manager kick session {link}")
        await callers.leave(leaves)
        await engine.until(unhealthy(engine), 5, "the engine to see that its link is gone")
        await engine.until(engine.healthy, 10, "the engine to be connected again")
        await stays.hears("nl/agent", 10)
        await callers.leave(stays)
        contacts = [await callers.contact(call) for call in (stays, leaves)]
    assert [contact["outcome"] for contact in contacts] == ["answered", "answered"]
    assert all(once(contact) for contact in contacts)
