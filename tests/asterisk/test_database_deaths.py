"""Whatever becomes of the database during calls: callers notice nothing, nothing false is promised, nothing is lost."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.demo.crm import NOBODYS_NUMBER
from ivr.domain.language import Language
from ivr.flow import spoken
from tests.asterisk.callers import QUICK, callers_of, events, heard, kinds
from tests.asterisk.conftest import StartEngine
from tests.asterisk.engine_under_test import EngineUnderTest
from tests.private_postgresql import Cluster

pytestmark = pytest.mark.asterisk

SPOKEN_NUMBER = spoken.phone(NOBODYS_NUMBER, Language.NL, "NL")
TEXTS = {
    "nl/callback_number": (
        f"We bellen u dan op {SPOKEN_NUMBER}. Klopt dat? Kies één. Voor een ander nummer, kies twee."
    )
}
ASK_FOR_A_PERSON = ("nl/main_menu", "0")
SAID = ("step", "prompt")
WHOLE = [
    "arrived", "identified", "picked_up", "digits", "queued", "agent_answered", "hung_up", "ended",
]  # fmt: skip
"""What the journal tells of who asks for a person, beside what was said."""


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process has the database to itself."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=5)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.close()


def away(engine: EngineUnderTest) -> Callable[[], Awaitable[bool]]:
    async def noticed() -> bool:
        return (await engine.health()).get("database") == "away"

    return noticed


async def test_a_locked_database_touches_no_call_loses_none_and_nothing_is_promised(start_engine: StartEngine) -> None:
    engine = await start_engine(speech=QUICK, database={"timeout": "1s"})
    async with callers_of(engine, TEXTS) as callers:
        with locked(engine.home / "var" / "klantlijn.db"):
            plain = await callers.talk(NOBODYS_NUMBER, ASK_FOR_A_PERSON, until="nl/agent")
            journeys = [await callers.leave(plain)]
            choices = (("nl/main_menu", "3"), ("nl/callback_offer", "1"), ("nl/callback_number", "1"))
            wants_callback = await callers.talk(NOBODYS_NUMBER, *choices, until="nl/agent")
            journeys += [await callers.leave(wants_callback)]
            assert await away(engine)()
        contacts = [await callers.contact(call) for call in (plain, wants_callback)]
        assert json.loads(await engine.ivr("callbacks", "--json")) == []
    assert heard(journeys[0]) == ["nl/welcome", "nl/main_menu", "nl/connecting", "nl/agent"]
    assert heard(journeys[1])[-5:] == [
        "nl/callback_number", "nl/callback_moment", "nl/callback_unavailable", "nl/connecting", "nl/agent",
    ]  # fmt: skip
    assert kinds(contacts[0], *SAID) == WHOLE
    assert "callback_booked" not in kinds(contacts[1])
    assert [journey.dead_air for journey in journeys] == [(), ()]


async def test_a_killed_engine_whose_database_was_locked_loses_nothing(start_engine: StartEngine) -> None:
    engine = await start_engine(speech=QUICK, database={"timeout": "1s"})
    async with callers_of(engine) as callers:
        with locked(engine.home / "var" / "klantlijn.db"):
            call = await callers.talk(NOBODYS_NUMBER, ASK_FOR_A_PERSON, until="nl/agent")
            await callers.leave(call)
            await engine.until(told(engine, "over"), 5, "the end of the call")
            await engine.kill()
        await engine.start()
        contact = await callers.contact(call)
    assert (kinds(contact, *SAID), contact["outcome"]) == (WHOLE, "answered")
    assert [event["prompt"] for event in events(contact, "prompt")] == ["welcome", "main_menu", "connecting"]


def told(engine: EngineUnderTest, words: str) -> Callable[[], Awaitable[bool]]:
    async def found() -> bool:
        return words in engine.told()

    return found


@pytest.mark.postgresql
async def test_a_database_that_is_gone_in_mid_call_and_comes_back_has_every_call(
    start_engine: StartEngine, own_cluster: Cluster
) -> None:
    database = {"url": own_cluster.new_database(), "timeout": "1s"}
    engine = await start_engine(speech=QUICK, database=database)
    async with callers_of(engine) as callers:
        during = await callers.ring(NOBODYS_NUMBER)
        await during.hears("nl/main_menu", 10)
        await asyncio.to_thread(own_cluster.stop)
        await during.press("0")
        await during.hears("nl/agent", 15)
        without = await callers.talk(NOBODYS_NUMBER, ASK_FOR_A_PERSON, until="nl/agent")
        journeys = [await callers.leave(call) for call in (during, without)]
        await engine.until(away(engine), 5, "the engine to miss its database")
        await asyncio.to_thread(own_cluster.start)
        await engine.until(engine.healthy, 10, "the engine to have its database back")
        contacts = [await callers.contact(call) for call in (during, without)]
    assert [journey.dead_air for journey in journeys] == [(), ()]
    assert [kinds(contact, *SAID) for contact in contacts] == [WHOLE, WHOLE]
