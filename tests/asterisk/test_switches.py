"""What a supervisor switches while calls come in: outages, and the split between sites."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.demo.crm import NAMED, NOBODYS_NUMBER
from ivr.domain.contact import EventKind
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.callers import QUICK, Callers, callers_of, events, heard
from tests.asterisk.engine_under_test import EngineUnderTest

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

IN_UTRECHT, IN_GRONINGEN, *_ = NAMED
TOLD = "nl/outage"
WORDS = "In Groningen ligt het internet eruit. Om drie uur is het klaar."
CALLS = 10


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def callers(
    running_asterisk: AsteriskUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Callers]:
    """Callers of one engine for all tests here."""
    if not running_asterisk.private.is_running():
        running_asterisk.private.restart()
    engine = EngineUnderTest(running_asterisk, tmp_path_factory.mktemp("engine"), {"speech": QUICK})
    try:
        await engine.start()
        async with callers_of(engine, {TOLD: WORDS}) as callers:
            yield callers
    finally:
        await engine.kill()


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _nobody_left(running_asterisk: AsteriskUnderTest) -> AsyncIterator[None]:
    yield
    await running_asterisk.quiet()


async def prompts_of(callers: Callers, number: str, *, until: str) -> list[str]:
    call = await callers.talk(number, until=until)
    journey = await callers.leave(call)
    assert journey.dead_air == ()
    return heard(journey)


async def test_an_outage_is_told_within_a_second_in_its_region_only_and_no_more_after_its_end(
    callers: Callers,
) -> None:
    ivr = callers.engine.ivr
    where = ("--region", "Groningen", "--product", "internet")
    outage = json.loads(await ivr("outage", "open", *where, "--nl", WORDS, "--json"))
    # The welcome lasts 0.7 s: what is told after it was followed within a second.
    there, elsewhere = await asyncio.gather(
        prompts_of(callers, IN_GRONINGEN.number, until="nl/after_outage"),
        prompts_of(callers, IN_UTRECHT.number, until="nl/main_menu"),
    )
    assert there == ["nl/welcome", TOLD, "nl/after_outage"]
    assert TOLD not in elsewhere
    await ivr("outage", "close", outage["id"])
    assert await prompts_of(callers, IN_GRONINGEN.number, until="nl/main_menu") == ["nl/welcome", "nl/main_menu"]


async def test_an_outage_is_told_by_the_number_of_a_line_whose_owner_is_unknown(callers: Callers) -> None:
    outage = json.loads(await callers.engine.ivr("outage", "open", "--region", "Groningen", "--nl", WORDS, "--json"))
    call = await callers.talk("+31500000999", ("nl/after_outage", "1"), until="nl/agent")
    journey = await callers.leave(call)
    await callers.engine.ivr("outage", "close", outage["id"])
    assert heard(journey) == ["nl/welcome", TOLD, "nl/after_outage", "nl/connecting", "nl/agent"]
    assert journey.dead_air == ()
    contact = await callers.contact(call)
    (told,) = events(contact, EventKind.OUTAGE_TOLD)
    assert (told["outage"], contact["region"], contact["reason"]) == (outage["id"], "Groningen", "outage")


async def sites_of(callers: Callers, calls: int) -> Counter[str]:
    """Where so many callers at once are sent to, who all ask for a person."""

    async def ask() -> str:
        call = await callers.ring(NOBODYS_NUMBER)
        await call.press("0")
        await call.hears("nl/connecting", 10, over=True)
        # The queue's music or its agent: the engine has decided.
        await call.hears("hold", 10)
        assert (await callers.leave(call)).dead_air == ()
        site: str = (await callers.contact(call))["site"]
        return site

    return Counter(await asyncio.gather(*(ask() for _ in range(calls))))


async def test_calls_are_split_as_configured_to_within_one(callers: Callers) -> None:
    assert (await sites_of(callers, CALLS))["own"] == pytest.approx(7, abs=1)


async def test_the_next_call_follows_a_split_that_is_set(callers: Callers) -> None:
    await callers.engine.ivr("split", "support", "own=0", "partner=100")
    assert await sites_of(callers, 1) == {"partner": 1}
    await callers.engine.ivr("split", "support", "own=100", "partner=0")
    assert await sites_of(callers, 1) == {"own": 1}
