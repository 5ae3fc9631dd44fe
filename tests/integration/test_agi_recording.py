"""Recording over AGI: what Asterisk may reply, as res_agi.c writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ivr.asterisk.agi_channel import AgiChannel
from ivr.asterisk.agi_session import AgiSession
from ivr.domain.recording import Take
from ivr.errors import AgiCommandFailed, CallerHungUp, UnsafeValue
from tests.integration.agi_calls import Calls, serving

RECORD = 'RECORD FILE "/recordings/1.1-ab" wav "#" 120000 s=4'
START = 'EXEC MixMonitor "/recordings/1.1.wav,ai(KLANTLIJN_RECORDING)"'
ID = "GET VARIABLE KLANTLIJN_RECORDING"


def body(does: Callable[[AgiChannel], Awaitable[object]]) -> Calls:
    """Calls in each of which a channel does something; what came of it, or the name of its error."""

    async def run(session: AgiSession) -> object:
        try:
            return await does(AgiChannel(session))
        except (AgiCommandFailed, CallerHungUp, UnsafeValue) as error:
            return type(error)

    return Calls(run)


def recording() -> Calls:
    return body(lambda channel: channel.record("/recordings/1.1-ab", most=120, silence=4, keys="#"))


@pytest.mark.parametrize(
    ("reply", "take"),
    [
        (b"200 result=35 (dtmf) endpos=48000\n", Take(6.0, "#")),
        (b"200 result=0 (timeout) endpos=960000\n", Take(120.0)),
        (b"200 result=-1 (hangup) endpos=16000\nHANGUP\n", Take(2.0, hung_up=True)),
        (b"HANGUP\n200 result=-1 (waitfor) endpos=0\n", Take(0.0, hung_up=True)),
        (b"200 result=-1 (randomerror) endpos=0\n", Take(0.0, hung_up=True)),
    ],
)
async def test_a_take_is_what_asterisk_says_it_is(reply: bytes, take: Take) -> None:
    calls = recording()
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect(RECORD, reply)
        assert await calls.result() == take


async def test_a_place_where_asterisk_cannot_write_is_a_failure() -> None:
    calls = recording()
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect(RECORD, b"200 result=-1 (writefile)\n")
        await peer.send(b"200 result=1 (" + (await peer.command()).split('"')[1].encode() + b")\n")
        assert await calls.result() is AgiCommandFailed


async def test_who_has_left_before_is_not_recorded() -> None:
    calls = recording()
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect(RECORD, b"511 Command Not Permitted on a dead channel or intercept routine\nHANGUP\n")
        assert await calls.result() is CallerHungUp


async def test_a_call_is_recorded_behind_what_is_there_and_only_that_recording_is_stopped() -> None:
    async def both(channel: AgiChannel) -> None:
        await channel.stop_recording_call()  # nothing goes on: nothing is asked
        await channel.record_call("/recordings/1.1")
        await channel.stop_recording_call()
        await channel.stop_recording_call()

    calls = body(both)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect(START, b"200 result=0\n")
        await peer.expect(ID, b"200 result=1 (0x7f0a)\n")
        await peer.expect('EXEC StopMixMonitor "0x7f0a"', b"200 result=0\n")
        assert await calls.result() is None


@pytest.mark.parametrize(
    "replies", [[(START, b"200 result=-2\n")], [(START, b"200 result=0\n"), (ID, b"200 result=0\n")]]
)
async def test_an_asterisk_that_cannot_record_calls_is_a_failure(replies: list[tuple[str, bytes]]) -> None:
    calls = body(lambda channel: channel.record_call("/recordings/1.1"))
    async with serving(calls) as server:
        peer = await server.dial()
        for command, reply in replies:
            await peer.expect(command, reply)
        playing = asyncio.create_task(peer.play({"GET FULL": b"200 result=1 (x)\n"}))
        assert await calls.result() is AgiCommandFailed
        playing.cancel()


@pytest.mark.parametrize("path", ["/re,cordings/1", "/rec${X}/1"])
async def test_a_path_that_means_something_to_asterisk_is_refused(path: str) -> None:
    calls = body(lambda channel: channel.record_call(path))
    async with serving(calls) as server:
        await server.dial()
        assert await calls.result() is UnsafeValue
