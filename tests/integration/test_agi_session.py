"""AGI sessions over real sockets: every awkward thing that res_agi.c can send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ivr.asterisk.agi_session import AgiSession
from ivr.errors import AgiCommandFailed, AgiTimeout, CallerHungUp, UnsafeValue
from ivr.simulation.asterisk_peer import opening
from tests.integration.agi_calls import Calls, serving

SET = 'SET VARIABLE X "1"'
OK = b"200 result=1\n"


async def failing(command: Awaitable[object]) -> str:
    """The name of the error that a command ends in."""
    try:
        await command
    except Exception as error:
        return type(error).__name__
    return ""


async def test_a_caller_name_in_latin_1_does_not_matter() -> None:
    calls = Calls(lambda session: session.set_variable("X", session.environment.get("calleridname")))
    async with serving(calls) as server:
        peer = await server.knock()
        await peer.send(b"agi_network_script: call\nagi_uniqueid: 1.1\nagi_calleridname: Andr\xe9\n\n")
        assert (await peer.command()).encode("utf-8", "surrogateescape") == b'SET VARIABLE X "Andr\xe9"'
        await peer.send(OK)
        assert await calls.result() is None


@pytest.mark.parametrize("segments", [[b"HANGUP\n200 result=1\n"], [b"HANGUP\n", b"200 result=1\n"]])
async def test_a_hangup_line_before_a_reply_does_not_shift_replies(segments: list[bytes]) -> None:
    async def body(session: AgiSession) -> object:
        await session.set_variable("X", "1")
        return [await session.get_variable("A"), await session.get_variable("B"), await failing(session.answer())]

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect(SET)
        for segment in segments:
            await peer.send(segment)
        await peer.expect("GET VARIABLE A", b"200 result=1 (a)\n")
        await peer.expect("GET VARIABLE B", b"200 result=1 (b)\n")
        assert await calls.result() == ["a", "b", "CallerHungUp"]


async def test_a_hangup_line_behind_a_reply_is_seen_before_the_next_command() -> None:
    async def body(session: AgiSession) -> object:
        await session.answer()
        return [await failing(session.stream_file("a", "", 1)), await session.get_variable("A")]

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect("ANSWER", b"200 result=0\nHANGUP\n")
        await peer.expect("GET VARIABLE A", b"200 result=1 (a)\n")
        assert await calls.result() == ["CallerHungUp", "a"]


@pytest.mark.parametrize(
    "refusal",
    [
        b"510 Invalid or unknown command\n",
        b"520 Invalid command syntax.  Proper usage not available.\n",
        b"520-Invalid command syntax.  Proper usage follows:\n Usage: SET VARIABLE\n\n520 End of proper usage.\n",
        b"503 Unknown error\n",
        b"200 result=0\n",
    ],
)
async def test_a_refused_command_fails_alone(refusal: bytes) -> None:
    async def body(session: AgiSession) -> object:
        return [await failing(session.set_variable("X", "1")), await session.get_variable("A")]

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect(SET, refusal)
        command = await peer.command()
        if command.startswith("GET FULL"):  # asked to tell a failure from a hang-up
            await peer.send(f"200 result=1 ({command.split(chr(34))[1]})\n".encode())
            command = await peer.command()
        assert command == "GET VARIABLE A"
        await peer.send(b"200 result=1 (a)\n")
        assert await calls.result() == ["AgiCommandFailed", "a"]


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        (b"200 result=1 (x (y) result=9 z=1)\n", "x (y) result=9 z=1"),
        (b"200 result=1 (hangup)\n", "hangup"),
        (b"200 result=1 (HANGUP)\n", "HANGUP"),
        (b"200 result=1 (one\ntwo)\n", "one\ntwo"),
        (b"200 result=1 ()\n", ""),
        (b"200 result=0\n", None),
        (b"100 result=0 Trying...\n200 result=1 (late)\n", "late"),
    ],
)
@pytest.mark.parametrize("split", [False, True])
async def test_a_value_is_what_asterisk_sent(reply: bytes, value: str | None, split: bool) -> None:
    async def body(session: AgiSession) -> object:
        return [await session.get_variable("A"), await session.get_variable("B")]

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect("GET VARIABLE A")
        for segment in [reply[:7], reply[7:]] if split else [reply]:
            await peer.send(segment)
            await asyncio.sleep(0)
        await peer.expect("GET VARIABLE B", b"200 result=1 (b)\n")
        assert await calls.result() == [value, "b"]


async def test_a_second_reply_to_one_command_is_dropped() -> None:
    async def body(session: AgiSession) -> object:
        return [await session.get_variable("A"), await session.get_variable("B")]

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect("GET VARIABLE A", b"200 result=1 (a)\n200 result=1 (forged)\n")
        await peer.expect("GET VARIABLE B", b"200 result=1 (b)\n")
        assert await calls.result() == ["a", "b"]


async def test_a_full_value_may_hold_anything() -> None:
    value = "a)\n200 result=1 (forged)\nHANGUP\n" + "x" * 5000
    calls = Calls(lambda session: session.get_full_variable("A"))
    async with serving(calls) as server:
        peer = await server.dial()
        mark = (await peer.command()).removeprefix('GET FULL VARIABLE "${A}').removesuffix('"')
        await peer.send(f"200 result=1 ({value}{mark})\n".encode())
        assert await calls.result() == value


async def test_a_quote_and_a_backslash_reach_asterisk_escaped() -> None:
    calls = Calls(lambda session: session.set_variable("X", 'a"b\\c d'))
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect('SET VARIABLE X "a\\"b\\\\c d"', OK)
        assert await calls.result() is None


async def test_a_line_break_in_a_value_never_reaches_asterisk() -> None:
    calls = Calls(lambda session: session.set_variable("X", "1\nEXEC System evil"))
    async with serving(calls) as server:
        peer = await server.dial()
        assert await peer.until_closed() == []
        assert isinstance(await calls.result(), UnsafeValue)


async def test_commands_given_at_once_run_one_after_the_other_in_order() -> None:
    async def body(session: AgiSession) -> object:
        return await asyncio.gather(*(session.get_variable(name) for name in "ABCD"))

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        for name in "ABCD":
            await peer.expect(f"GET VARIABLE {name}", f"200 result=1 ({name.lower()})\n".encode())
        assert await calls.result() == ["a", "b", "c", "d"]


async def test_a_cancelled_command_in_the_queue_does_not_hold_up_the_others() -> None:
    async def body(session: AgiSession) -> object:
        first, second, third = (asyncio.ensure_future(session.get_variable(name)) for name in "ABC")
        await asyncio.sleep(0)
        second.cancel()
        return [await first, await third, second.cancelled()]

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect("GET VARIABLE A", b"200 result=1 (a)\n")
        await peer.expect("GET VARIABLE C", b"200 result=1 (c)\n")
        assert await calls.result() == ["a", "c", True]


async def test_cancelling_a_playback_stops_it_and_drops_its_reply() -> None:
    async def body(session: AgiSession) -> object:
        playback = asyncio.ensure_future(session.stream_file("long", "", 60))
        await asyncio.sleep(0)
        playback.cancel()
        return await session.get_variable("A")

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect('STREAM FILE "long" ""')
        mark = (await peer.command()).split('"')[1]
        await peer.send(b"200 result=-1 endpos=17\n")
        await peer.send(f"200 result=1 ({mark})\n".encode())
        await peer.expect("GET VARIABLE A", b"200 result=1 (a)\n")
        assert await calls.result() == "a"


async def test_cancelling_a_command_whose_reply_has_come_does_not_touch_the_next() -> None:
    async def body(session: AgiSession) -> object:
        first = asyncio.ensure_future(session.get_variable("A"))
        await asyncio.sleep(0)
        session.data_received(b"200 result=1 (a)\n")
        first.cancel()
        return [await session.get_variable("B"), first.cancelled()]

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect("GET VARIABLE A")
        await peer.expect("GET VARIABLE B", b"200 result=1 (b)\n")
        assert await calls.result() == ["b", True]


async def test_a_mark_that_asterisk_did_not_see_is_sent_again() -> None:
    """Asterisk reads a command and the mark behind it in one go, then sees the mark only when more comes."""

    async def body(session: AgiSession) -> object:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.stream_file("long", "", 60), 0.01)
        return await session.get_variable("A")

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect('STREAM FILE "long" ""')
        marks = [(await peer.command()).split('"')[1] for _ in range(2)]
        assert marks[0] != marks[1]
        await peer.send("".join(f"200 result=1 ({mark})\n" for mark in marks).encode())
        await peer.expect("GET VARIABLE A", b"200 result=1 (a)\n")
        assert await calls.result() == "a"


async def test_a_command_without_a_reply_times_out_and_the_session_goes_on_when_asterisk_does() -> None:
    async def body(session: AgiSession) -> object:
        return [await failing(session.get_variable("A")), await session.get_variable("B")]

    calls = Calls(body)
    async with serving(calls, command_timeout=0.05) as server:
        peer = await server.dial()
        await peer.expect("GET VARIABLE A")
        mark = (await peer.command()).split('"')[1]
        await peer.send(f"200 result=1 (a)\n200 result=1 ({mark})\n".encode())
        await peer.expect("GET VARIABLE B", b"200 result=1 (b)\n")
        assert await calls.result() == [AgiTimeout.__name__, "b"]


async def test_a_session_in_which_asterisk_stays_silent_is_dropped() -> None:
    async def body(session: AgiSession) -> object:
        return [await failing(session.get_variable("A")), await failing(session.get_variable("B"))]

    calls = Calls(body)
    async with serving(calls, command_timeout=0.05) as server:
        peer = await server.dial()
        assert await calls.result() == ["AgiTimeout", "AgiCommandFailed"]
        peer.close()


LIVE: list[tuple[str, Callable[[AgiSession], Awaitable[object]]]] = [
    ("ANSWER", lambda session: session.answer()),
    ('STREAM FILE "a" "1"', lambda session: session.stream_file("a", "1", 60)),
    ("WAIT FOR DIGIT 60000", lambda session: session.wait_for_digit(60)),
]


@pytest.mark.parametrize(("command", "body"), LIVE)
@pytest.mark.parametrize(
    "reply",
    [b"200 result=-1\nHANGUP\n", b"HANGUP\n511 Command Not Permitted on a dead channel\n", b"511 Command Not P\n"],
)
async def test_a_caller_who_leaves_during_a_command(
    command: str, body: Callable[[AgiSession], Awaitable[object]], reply: bytes
) -> None:
    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect(command, reply)
        assert isinstance(await calls.result(), CallerHungUp)
        assert server.counts.failed == 0


async def test_a_hangup_that_comes_after_its_reply_is_waited_for() -> None:
    """Asterisk says HANGUP before it reads the next command, so that one's reply settles it."""
    calls = Calls(lambda session: session.stream_file("a", "", 1))
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect('STREAM FILE "a" ""', b"200 result=-1 endpos=100\n")
        mark = (await peer.command()).split('"')[1]
        await peer.send(f"HANGUP\n200 result=1 ({mark})\n".encode())
        assert isinstance(await calls.result(), CallerHungUp)


@pytest.mark.parametrize("reply", [b"200 result=-1 endpos=0\n", b"200 result=0 endpos=0\n"])
async def test_a_file_that_is_not_there_is_no_hangup(reply: bytes) -> None:
    calls = Calls(lambda session: session.stream_file("a", "", 1))
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect('STREAM FILE "a" ""', reply)
        mark = (await peer.command()).split('"')[1]
        await peer.send(f"200 result=1 ({mark})\n".encode())
        assert isinstance(await calls.result(), AgiCommandFailed)


@pytest.mark.parametrize(("said", "expected"), [(b"HANGUP\n", "CallerHungUp"), (b"", "AgiCommandFailed")])
async def test_a_connection_that_ends_during_a_command_ends_it_at_once(said: bytes, expected: str) -> None:
    async def body(session: AgiSession) -> object:
        return [await failing(session.stream_file("a", "", 60)), await failing(session.get_variable("A"))]

    calls = Calls(body)
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect('STREAM FILE "a" ""', said)
        peer.close()
        assert await calls.result() == [expected, expected]


@pytest.mark.parametrize(("reply", "key"), [(b"200 result=49 endpos=5\n", "1"), (b"200 result=35 endpos=0\n", "#")])
async def test_a_key_pressed_during_a_playback_is_returned(reply: bytes, key: str) -> None:
    calls = Calls(lambda session: session.stream_file("a", "1#", 1))
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect('STREAM FILE "a" "1#"', reply)
        assert await calls.result() == key


@pytest.mark.parametrize(("reply", "key"), [(b"200 result=0\n", ""), (b"200 result=42\n", "*")])
async def test_waiting_for_a_key(reply: bytes, key: str) -> None:
    calls = Calls(lambda session: session.wait_for_digit(3))
    async with serving(calls) as server:
        peer = await server.dial()
        await peer.expect("WAIT FOR DIGIT 3000", reply)
        assert await calls.result() == key


async def test_an_opening_in_many_segments_is_an_opening() -> None:
    calls = Calls(lambda session: session.hangup())
    async with serving(calls) as server:
        peer = await server.knock()
        for line in opening().splitlines(keepends=True):
            await peer.send(line)
            await asyncio.sleep(0)
        await peer.expect("HANGUP", b"200 result=1\nHANGUP\n")
        assert await calls.result() is None
        assert await peer.until_closed() == []
