"""The FastAGI server: who may in, how many, how it stops, and that no call touches another."""

from __future__ import annotations

import asyncio

import pytest

from ivr.asterisk.agi_channel import AgiChannel
from ivr.asterisk.agi_server import FastAgiServer
from ivr.asterisk.agi_session import AgiSession
from ivr.config.model import FastAgi
from ivr.domain.hand_over import Destination, ToNumber, ToQueue
from ivr.domain.language import Language
from ivr.domain.line import LineState
from ivr.domain.speech import Audio
from ivr.errors import AgiCommandFailed, CallerHungUp, SetupError, UnsafeValue
from ivr.simulation.asterisk_peer import REPLIES, opening
from tests.integration.agi_calls import Calls, ServerUnderTest, eventually, serving

SUPPORT = ToQueue("support", "own", "support-own", Language.NL, 3)
HANDED_OVER = [
    'SET VARIABLE KLANTLIJN_QUEUE "support-own"',
    'SET VARIABLE KLANTLIJN_LANGUAGE "nl"',
    'SET VARIABLE KLANTLIJN_PRIORITY "3"',
    'SET VARIABLE KLANTLIJN_NEXT "queue"',
]


async def serve_well(server: ServerUnderTest) -> None:
    """A new call is served to its end."""
    peer = await server.dial()
    assert (await peer.play())[-1] == 'SET VARIABLE KLANTLIJN_NEXT "hangup"'


async def serve_at_all(server: ServerUnderTest) -> None:
    """A new call gets its first command."""
    peer = await server.dial()
    assert await peer.command()
    peer.close()


async def hang_up(session: AgiSession) -> None:
    await AgiChannel(session).hang_up()


async def test_a_call_arrives_as_asterisk_presents_it_and_is_handed_over() -> None:
    async def body(session: AgiSession) -> object:
        channel = AgiChannel(session)
        await channel.answer()
        pressed = [await channel.play(Audio("welcome", 1.5), keys="12"), await channel.wait_for_key(0.5)]
        await channel.hand_over(SUPPORT)
        return pressed

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        commands = await peer.play()
        assert commands == ["ANSWER", 'STREAM FILE "welcome" "12"', "WAIT FOR DIGIT 500", *HANDED_OVER]
        assert await calls.result() == ["", ""]
        (arrival,) = calls.arrivals
        assert (arrival.contact_id, arrival.entry, arrival.language) == ("1790000000.1", "0850001000", "nl")
        assert (arrival.line.number, arrival.callback_id) == ("+31612345678", None)
        assert (server.counts.taken, server.counts.failed, server.open_sessions) == (1, 0, 0)


async def test_a_call_is_handed_over_to_a_telephone_and_a_queue_behind_it() -> None:
    async def body(session: AgiSession) -> None:
        await AgiChannel(session).hand_over(ToNumber(Destination("+31201234567"), 20.0, SUPPORT))

    async with serving(Calls(body)) as server:
        commands = await (await server.dial()).play()
    dialled = ['SET VARIABLE KLANTLIJN_TO "+31201234567"', 'SET VARIABLE KLANTLIJN_RING_FOR "20"']
    assert commands == [*dialled, *HANDED_OVER[:-1], 'SET VARIABLE KLANTLIJN_NEXT "transfer"']


@pytest.mark.parametrize("number", ["+31201234567&PJSIP/1", "201,60", "+31 20", "201\n", "", "reception"])
async def test_what_is_not_one_number_never_reaches_asterisk(number: str) -> None:
    async def body(session: AgiSession) -> object:
        with pytest.raises(UnsafeValue):
            await AgiChannel(session).hand_over(ToNumber(Destination(number), 20.0, SUPPORT))
        return "refused"

    calls = Calls(body)
    async with serving(calls) as server:
        assert await (await server.dial()).play() == []
        assert await calls.result() == "refused"


async def test_who_asks_for_privacy_is_withheld_and_a_callback_has_no_line_of_its_own() -> None:
    calls = Calls(hang_up)
    async with serving(calls) as server:
        for environment in (
            {"arg_1": "id"},
            {"callingpres": "35"},
            {"network_script": "callback/17", "dnid": "unknown"},
        ):
            await (await server.dial(**environment)).play()
    assert [arrival.line.state for arrival in calls.arrivals] == [
        LineState.WITHHELD,
        LineState.WITHHELD,
        LineState.ABSENT,
    ]
    assert (calls.arrivals[2].callback_id, calls.arrivals[2].entry) == ("17", "0850001000")


@pytest.mark.parametrize(
    "environment", [{"network_script": "other"}, {"network_script": "callback/"}, {"uniqueid": ""}]
)
async def test_a_session_for_something_else_is_refused(environment: dict[str, str]) -> None:
    calls = Calls(hang_up)
    async with serving(calls) as server:
        peer = await server.dial(**environment)
        assert await peer.until_closed() == ["FAILURE"]
        assert server.counts.malformed == 1


async def test_hanging_up_or_handing_over_a_caller_who_left_says_so() -> None:
    async def body(session: AgiSession) -> object:
        with pytest.raises(CallerHungUp):
            await session.answer()
        with pytest.raises(CallerHungUp):
            await AgiChannel(session).hand_over(SUPPORT)
        return "left"

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect("ANSWER", b"200 result=-1\nHANGUP\n")
        assert await calls.result() == "left"
        assert await peer.until_closed() == []


@pytest.mark.parametrize("said", [b"HANGUP\n", b"200 result=-1\nHANGUP\n", b"HANGUP\n200 res", b"200 re", b""])
@pytest.mark.parametrize("heard", range(7))
async def test_a_call_that_ends_at_any_moment_ends(heard: int, said: bytes) -> None:
    """After `heard` of its seven commands, Asterisk says its last word and is gone."""

    async def body(session: AgiSession) -> None:
        channel = AgiChannel(session)
        await channel.answer()
        await channel.play(Audio("welcome", 60))
        await channel.wait_for_key(60)
        await channel.hand_over(SUPPORT)

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        for _ in range(heard):
            start = (await peer.command())[:11]
            await peer.send(next(reply for command, reply in REPLIES.items() if start.startswith(command[:11])))
        await peer.command()
        await peer.send(said)
        peer.close()
        assert isinstance(await calls.result(), CallerHungUp | AgiCommandFailed)
        await serve_at_all(server)
        await eventually(lambda: server.open_sessions == 0)


@pytest.mark.parametrize("data", [b"", b"agi_network: yes\nagi_req", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02"])
@pytest.mark.parametrize("reset", [False, True])
async def test_port_scans_and_broken_openings_touch_nobody(data: bytes, reset: bool) -> None:
    calls = Calls(hang_up)
    async with serving(calls) as server:
        for _ in range(5):
            peer = await server.knock()
            await peer.send(data)
            peer.reset() if reset else peer.close()
        await serve_well(server)
        await eventually(lambda: server.open_sessions == 0)


@pytest.mark.parametrize("end", ["", "\n"])
async def test_an_endless_opening_is_cut_off(end: str) -> None:
    async with serving(Calls(hang_up)) as server:
        peer = await server.knock()
        with pytest.raises(ConnectionError):
            await peer.send(f"agi_x: {'x' * 1000}{end}".encode() * 10_000)
        assert server.counts.malformed == 1


async def test_a_slow_opening_is_cut_off() -> None:
    async with serving(Calls(hang_up), header_timeout=0.05) as server:
        peer = await server.knock()
        await peer.send(b"agi_network: yes\n")
        assert await peer.until_closed() == []
        assert (server.counts.malformed, server.open_sessions) == (1, 0)


async def test_one_call_too_many_is_refused_and_the_next_is_taken_when_there_is_room() -> None:
    calls = Calls(lambda session: session.stream_file("a", "", 60))
    async with serving(calls, max_sessions=1) as server:
        first = await server.dial()
        await first.command()
        second = await server.dial()
        assert await second.until_closed() == ["FAILURE"]
        assert (server.counts.full, server.open_sessions) == (1, 1)
        first.close()
        assert isinstance(await calls.result(), AgiCommandFailed)
        await eventually(lambda: server.open_sessions == 0)
        third = await server.dial()
        assert await third.command() == 'STREAM FILE "a" ""'


async def test_a_stranger_gets_no_word() -> None:
    calls = Calls(hang_up)
    async with serving(calls, allow=["192.0.2.1"]) as server:
        peer = await server.knock()
        assert await peer.until_closed() == []
        assert (server.counts.strangers, server.open_sessions, calls.arrivals) == (1, 0, [])


async def test_a_bug_in_one_call_leaves_it_to_asterisks_fallback_and_touches_no_other() -> None:
    async def body(session: AgiSession) -> None:
        if session.environment.get("extension") == "666":
            raise ZeroDivisionError
        await hang_up(session)

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial(extension="666")
        assert await peer.until_closed() == []
        assert server.counts.failed == 1
        await serve_well(server)


async def test_draining_lets_a_call_finish_and_refuses_newcomers() -> None:
    calls = Calls(hang_up)
    async with serving(calls, drain_timeout=5) as server:
        late = await server.knock()
        running = await server.dial()
        command = await running.command()
        draining = asyncio.create_task(server.drain())
        await asyncio.sleep(0)
        await late.send(opening())
        assert await late.until_closed() == ["FAILURE"]
        with pytest.raises(ConnectionRefusedError):
            await server.knock()
        assert not draining.done()
        await running.send(b"200 result=1\n")
        assert command == 'SET VARIABLE KLANTLIJN_NEXT "hangup"'
        assert await running.until_closed() == []
        assert await calls.result() is None
        await asyncio.wait_for(draining, 5)
        assert server.counts.draining == 1


async def test_draining_ends_also_when_a_call_does_not() -> None:
    calls = Calls(lambda session: session.stream_file("a", "", 600))
    async with serving(calls, drain_timeout=0.05) as server:
        peer = await server.dial()
        await peer.command()
        await asyncio.wait_for(server.drain(), 5)
        assert isinstance(await calls.result(), asyncio.CancelledError)
        assert all(line.startswith("GET FULL VARIABLE") for line in await peer.until_closed())
        assert server.open_sessions == 0


async def test_a_taken_port_is_told_in_one_line() -> None:
    async with serving(Calls(hang_up)) as server:
        other = FastAgiServer(FastAgi(port=server.port), Calls(hang_up), "NL")
        with pytest.raises(SetupError, match=f"cannot listen on 127.0.0.1:{server.port}"):
            await other.start()


def test_an_allowed_address_must_be_an_address() -> None:
    with pytest.raises(SetupError, match=r"asterisk\.fastagi\.allow: 'pbx' is not an address"):
        FastAgiServer(FastAgi(allow=["pbx"]), Calls(hang_up), "NL")


async def test_a_pause_ends_with_its_time_or_a_key_that_counts() -> None:
    async def body(session: AgiSession) -> object:
        channel = AgiChannel(session)
        pressed = [await channel.pause(2.0, keys="12"), await channel.pause(2.0, keys="12")]
        await channel.hang_up()
        return pressed

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        waits = []
        for reply in ("200 result=57", "200 result=50", "200 result=0"):  # 9, which does not count; 2; none in time
            waits.append(await peer.command())
            await peer.send(f"{reply}\n".encode())
        assert [wait.startswith("WAIT FOR DIGIT") for wait in waits] == [True] * 3
        assert int(waits[1].split()[-1]) <= int(waits[0].split()[-1]) == 2000
        await peer.play()
        assert await calls.result() == ["2", ""]
