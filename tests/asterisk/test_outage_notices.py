"""A caller asks to be called when the outage is over, and is, once, whatever dies meanwhile."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping

import pytest

from ivr.domain.language import Language
from ivr.errors import CallFailed
from ivr.flow import spoken
from ivr.robot.call import Call
from ivr.robot.prompts import KnownPrompts
from ivr.robot.user_agent import UserAgent
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.callers import QUICK, callers_of, events, sounds_of
from tests.asterisk.conftest import StartEngine
from tests.asterisk.engine_under_test import EngineUnderTest, Json

pytestmark = pytest.mark.asterisk

CALLER = "+31502340031"
"""A fixed line in Groningen, so that it is known where the caller is."""
HASTE = {"retry_after": "2s", "poll_interval": "200ms", "ring_for": "3s", "lease": "10s", "after_booking": "2s"}
LONG_ENOUGH = 5.0
"""Seconds in which a second call would have come."""
WAIT = 20.0


def texts() -> Mapping[str, str]:
    number = spoken.phone(CALLER, Language.NL, "NL")
    return {
        "nl/outage": "Er is een storing.",
        "nl/number": f"We bellen u dan op {number}. Klopt dat? Kies één. Voor een ander nummer, kies twee.",
        "nl/confirmed": f"Dat is afgesproken. We bellen u op {number} zodra de storing is opgelost.",
    }


@pytest.fixture
async def engine(start_engine: StartEngine) -> EngineUnderTest:
    return await start_engine(callbacks=HASTE, speech=QUICK)


@pytest.fixture
async def customer(asterisk: AsteriskUnderTest, engine: EngineUnderTest) -> AsyncIterator[UserAgent]:
    """The telephone of whoever is called."""
    async with UserAgent(port=asterisk.trunk_port, known=KnownPrompts(await sounds_of(engine, {}))) as telephone:
        yield telephone


async def asked(engine: EngineUnderTest) -> str:
    """An outage, and a caller who was told that they will be called when it is over. The outage's id."""
    opened = await engine.ivr("outage", "open", "--region", "Groningen", "--nl", "Er is een storing.", "--json")
    outage = json.loads(opened)["id"]
    async with callers_of(engine, texts()) as callers:
        call = await callers.talk(CALLER, ("nl/after_outage", "2"), ("nl/number", "1"), until="nl/confirmed")
        await call.hang_up()
        contact = await callers.contact(call)
    assert contact["outcome"] == "callback_booked"
    assert events(contact, "notice_promised")[0]["outages"] == [outage]
    return str(outage)


async def promise(engine: EngineUnderTest, state: str) -> Json:
    """The one promise there is, as soon as it is in a state."""

    async def so() -> Json:
        (found,) = json.loads(await engine.ivr("callbacks", "--all", "--json", "--reveal"))
        return found if found["state"] == state else None

    return await engine.until(so, WAIT, f"the promise to be {state}")


async def hears_it(call: Call) -> None:
    call.answer()
    await call.hears("nl/outage_over", WAIT)
    await call.hears("nl/outage_over_goodbye", WAIT)
    assert (await call.ended(WAIT)).by == "them"


async def test_a_caller_who_asked_hears_that_the_outage_is_over(engine: EngineUnderTest, customer: UserAgent) -> None:
    outage = await asked(engine)
    assert json.loads(await engine.ivr("outage", "list", "--json"))[0]["to_call"] == 1
    with pytest.raises(CallFailed, match="nobody called"):
        await customer.next_call(3)
    assert "1 caller is called" in await engine.ivr("outage", "close", outage)
    call = await customer.next_call(WAIT)
    assert call.called == CALLER
    await hears_it(call)
    told = await promise(engine, "kept")
    assert (told["purpose"], told["queue"], told["reason"]) == ("outage_over", None, "told")
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["told"]
    with pytest.raises(CallFailed, match="nobody called"):
        await customer.next_call(LONG_ENOUGH)
    assert [each["outcome"] for each in await engine.calls() if each["direction"] == "outbound"] == ["told"]


async def test_who_does_not_hear_it_is_called_again_also_by_an_engine_that_was_killed(
    engine: EngineUnderTest, customer: UserAgent
) -> None:
    outage = await asked(engine)
    await engine.kill()
    await engine.ivr("outage", "close", outage)
    await engine.start()
    (await customer.next_call(WAIT)).reject(486)
    call = await customer.next_call(WAIT)
    call.answer()
    await call.hears("nl/outage_over", WAIT)
    await call.hang_up()
    again = await customer.next_call(WAIT)
    again.answer()
    await again.hears("nl/outage_over_goodbye", WAIT)
    await again.hang_up()
    told = await promise(engine, "kept")
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["busy", "not_confirmed", "told"]
    with pytest.raises(CallFailed, match="nobody called"):
        await customer.next_call(LONG_ENOUGH)
