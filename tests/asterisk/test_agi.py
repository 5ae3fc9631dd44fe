"""The FastAGI layer under a real Asterisk with real calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ivr.asterisk.agi_server import FastAgiServer
from ivr.asterisk.agi_session import AgiSession
from ivr.errors import AgiCommandFailed, CallerHungUp
from ivr.robot.call import Call
from ivr.robot.user_agent import UserAgent
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.integration.agi_calls import Calls

pytestmark = pytest.mark.asterisk


@asynccontextmanager
async def calling(
    asterisk: AsteriskUnderTest, body: Callable[[AgiSession], Awaitable[object]]
) -> AsyncIterator[tuple[Call, Calls]]:
    """A call to a server that runs `body` on it."""
    calls = Calls(body)
    server = FastAgiServer(asterisk.config.asterisk.fastagi.model_copy(update={"drain_timeout": 1.0}), calls, "NL")
    await server.start()
    try:
        async with UserAgent() as telephone:
            yield (
                await telephone.call(
                    f"sip:0850001000@{asterisk.sip_host}:{asterisk.sip_port}", caller_number="+31612345678"
                ),
                calls,
            )
    finally:
        await server.drain()
        await asterisk.quiet()


async def test_values_come_back_from_asterisk_as_they_were_sent(asterisk: AsteriskUnderTest) -> None:
    values = [
        'a"b\\c d',
        "x (y) result=9 z=1",
        "hangup",
        "HANGUP",
        "${CHANNEL}",
        "André, 's-Gravenhage",
        "a" * 1500,
        "",
    ]

    async def body(session: AgiSession) -> object:
        got = []
        for value in values:
            await session.set_variable("KLANTLIJN_TEST", value)
            got.append(await session.get_full_variable("KLANTLIJN_TEST"))
        await session.set_variable("KLANTLIJN_NEXT", "hangup")
        return [got, await session.get_variable("KLANTLIJN_UNSET"), await session.get_variable("KLANTLIJN_NEXT")]

    async with calling(asterisk, body) as (_, calls):
        assert await calls.result() == [values, None, "hangup"]
        (arrival,) = calls.arrivals
        assert (arrival.entry, arrival.line.number) == ("0850001000", "+31612345678")


@pytest.mark.parametrize("after", [0, 0.3])
async def test_a_cancelled_playback_stops_and_the_session_goes_on(asterisk: AsteriskUnderTest, after: float) -> None:
    """Cancelled at once, Asterisk may read the command and the mark behind it in one go."""
    music = f"{asterisk.sounds}/hold/hold"

    async def body(session: AgiSession) -> object:
        await session.answer()
        for _ in range(5):
            playback = asyncio.ensure_future(session.stream_file(music, "", 30))
            await asyncio.sleep(after)
            playback.cancel()
            async with asyncio.timeout(1):
                await session.set_variable("KLANTLIJN_TEST", "1")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.wait_for_digit(30), 0.1)
        return await session.get_variable("KLANTLIJN_TEST")

    async with calling(asterisk, body) as (_, calls):
        assert await calls.result() == "1"


async def test_a_file_that_is_not_there_fails_while_the_caller_is_still_there(asterisk: AsteriskUnderTest) -> None:
    async def body(session: AgiSession) -> object:
        await session.answer()
        with pytest.raises(AgiCommandFailed, match="result=-1"):
            await session.stream_file("/nowhere/nothing", "", 1)
        return [session.hung_up, await session.wait_for_digit(0.05)]

    async with calling(asterisk, body) as (_, calls):
        assert await calls.result() == [False, ""]


async def test_a_caller_who_leaves_during_a_playback(asterisk: AsteriskUnderTest) -> None:
    async def body(session: AgiSession) -> object:
        await session.answer()
        with pytest.raises(CallerHungUp):
            await session.stream_file(f"{asterisk.sounds}/hold/hold", "", 30)
        with pytest.raises(CallerHungUp):
            await session.answer()
        await session.set_variable("KLANTLIJN_TEST", "1")
        return await session.get_variable("KLANTLIJN_TEST")

    async with calling(asterisk, body) as (call, calls):
        await call.answered(5)
        await asyncio.sleep(0.2)  # into the music
        await call.hang_up()
        assert await calls.result() == "1"


async def test_a_caller_who_leaves_between_two_commands(asterisk: AsteriskUnderTest) -> None:
    answered, gone = asyncio.Event(), asyncio.Event()

    async def body(session: AgiSession) -> object:
        await session.answer()
        answered.set()
        await gone.wait()
        await session.get_variable("KLANTLIJN_TEST")  # whatever Asterisk said before it has been read now
        with pytest.raises(CallerHungUp):
            await session.wait_for_digit(30)
        return "left"

    async with calling(asterisk, body) as (call, calls):
        await asyncio.wait_for(answered.wait(), 5)
        await call.answered(5)
        await call.hang_up()
        gone.set()
        assert await calls.result() == "left"
