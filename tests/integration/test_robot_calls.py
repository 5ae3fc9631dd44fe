"""Two telephones that call each other over loopback, with real SIP and real sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ivr.errors import CallFailed, PromptNotHeard, RobotError
from ivr.robot.call import Call
from ivr.robot.performing import perform
from ivr.robot.prompts import KnownPrompts
from ivr.robot.script import HangUp, Moment, Press, Script
from ivr.robot.silence import Silence
from ivr.robot.sound_file import read_sound
from ivr.robot.user_agent import UserAgent
from tests.unit.robot.voices import TEXTS, prompt_files, silence, spoken


@dataclass
class Line:
    """A caller's telephone and the one that it calls."""

    caller: UserAgent
    callee: UserAgent

    async def dial(self, number: str = "+31612345678", *, privacy: bool = False) -> tuple[Call, Call]:
        call = await self.caller.call(f"sip:100@127.0.0.1:{self.callee.port}", caller_number=number, privacy=privacy)
        return call, await self.callee.next_call(2)

    async def connect(self) -> tuple[Call, Call]:
        call, taken = await self.dial()
        taken.answer()
        await call.answered(2)
        return call, taken


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    known = KnownPrompts(prompt_files(tmp_path))
    async with UserAgent(known=known) as caller, UserAgent() as callee:
        yield Line(caller, callee)


async def test_a_call_rings_is_answered_and_is_ended_by_the_other_side(line: Line) -> None:
    call, taken = await line.dial()
    assert (taken.caller, taken.called) == ("+31612345678", "100")
    assert not call.rings
    taken.ring()
    await call.changed(2)
    assert call.rings
    taken.answer()
    await call.answered(2)
    await taken.hang_up()
    end = await call.ended(2)
    assert (end.by, end.status) == ("them", 0)
    assert taken.end is not None
    assert taken.end.by == "us"


async def test_a_withheld_number_is_asserted_to_the_network_only(line: Line) -> None:
    _, taken = await line.dial(privacy=True)
    assert taken.caller == "anonymous"


@pytest.mark.parametrize(("status", "why"), [(486, "486 Busy Here"), (603, "603 Decline"), (503, "503 Service")])
async def test_a_refused_call_says_how_it_was_refused(line: Line, status: int, why: str) -> None:
    call, taken = await line.dial()
    taken.reject(status)
    with pytest.raises(CallFailed, match=why):
        await call.answered(2)


async def test_a_caller_who_gives_up_cancels_and_the_callee_sees_it(line: Line) -> None:
    call, taken = await line.dial()
    taken.ring()
    with pytest.raises(CallFailed, match=r"not answered within 0\.1 s"):
        await call.answered(0.1)
    await call.hang_up()
    end = await taken.ended(2)
    assert (end.by, end.reason) == ("them", "cancelled")


async def test_keys_arrive_as_they_were_pressed(line: Line) -> None:
    call, taken = await line.connect()
    await call.press("06*#")
    await taken.press("9")
    while len(taken.keys_heard) < 4:
        await taken.changed(1)
    assert "".join(press.keys for press in taken.keys_heard) == "06*#"
    assert [press.keys for press in call.keys_heard] == ["9"]
    gaps = np.diff([press.at for press in taken.keys_heard])
    assert all(0.15 < gap < 0.4 for gap in gaps)


async def test_prompts_are_recognised_during_the_call_and_missed_ones_named(line: Line) -> None:
    call, taken = await line.connect()
    taken.say(spoken(TEXTS["welcome"]))
    taken.say(spoken(TEXTS["main_menu"]))
    welcome = await call.hears("welcome", 3)
    menu = await call.hears("main_menu", 3, after=welcome)
    assert not menu.over
    with pytest.raises(PromptNotHeard, match=r"goodbye: not within 0\.1 s; heard: welcome, main_menu"):
        await call.hears("goodbye", 0.1)
    await taken.hang_up()
    with pytest.raises(PromptNotHeard, match="goodbye: the call ended first"):
        await call.hears("goodbye", 5)


async def test_a_script_is_performed_and_told(line: Line, tmp_path: Path) -> None:
    """The other side speaks as an engine would: it goes on when a key comes, and leaves 400 ms of silence once."""
    call, taken = await line.dial()

    async def engine() -> None:
        taken.answer()
        taken.say(np.concatenate([spoken(TEXTS["welcome"]), silence(100), spoken(TEXTS["number"])]))
        while not taken.keys_heard:
            await taken.changed(5)
        taken.say(np.concatenate([spoken(TEXTS["wait"]), silence(400), spoken(TEXTS["goodbye"]), silence(2000)]))

    speaking = asyncio.create_task(engine())
    script = Script((Press("1#", Moment(0.3, "number", at_end=True)), HangUp(Moment(0.1, "goodbye", at_end=True))), 20)
    journey = await perform(call, script, record=tmp_path / "heard.wav")
    await speaking
    assert [heard.prompt for heard in journey.heard] == ["welcome", "number", "wait", "goodbye"]
    assert [press.keys for press in journey.pressed] == ["1#"]
    silent_from = (call.heard[1].stop - call.origin) / 8
    assert 299 < journey.pressed[0].at_ms - silent_from < 450  # the moment is told in whole milliseconds
    (dead,) = journey.dead_air
    assert dead.kind is Silence.SILENT_PACKETS
    assert 480 < dead.ms < 560  # with the silence at the ends of both prompts
    assert (journey.ended_by, journey.undone, journey.failure) == ("us", (), "")
    assert not journey.as_expected
    assert any("DEAD AIR" in text for text in journey.lines())
    assert abs(len(read_sound(tmp_path / "heard.wav")) / 8 - journey.lasted_ms) <= 1


async def test_a_pause_without_packets_is_told_from_a_silent_one(line: Line) -> None:
    call, taken = await line.connect()
    taken.say(spoken(TEXTS["welcome"]))
    await call.hears("welcome", 3, over=True)
    taken.media.close()
    await asyncio.sleep(0.5)  # what is measured is time itself
    journey = await perform(call, Script((), 0.1))
    (pause,) = journey.silences
    assert pause.kind is Silence.NO_PACKETS
    assert pause.from_ms > 1000


async def test_what_a_script_could_not_do_is_told(line: Line) -> None:
    call, taken = await line.dial()
    taken.answer()
    journey = await perform(call, Script((Press("1", Moment(0, "main_menu")),), 0.3))
    assert journey.undone == ("1@main_menu",)
    assert not journey.as_expected


async def test_a_call_that_fails_is_told(line: Line) -> None:
    call, taken = await line.dial()
    taken.reject(486)
    journey = await perform(call, Script())
    assert (journey.failure, journey.answered_after_ms, journey.heard) == ("486 Busy Here", None, ())
    assert journey.lines() == ["+316******78 -> 100: 486 Busy Here"]


async def test_a_second_press_of_one_prompt_waits_until_it_is_heard_again(line: Line) -> None:
    call, taken = await line.dial()
    taken.answer()
    menu = spoken(TEXTS["invalid"])
    taken.say(np.concatenate([menu, silence(200), menu, silence(500)]))
    presses = tuple(Press(key, Moment(0, "invalid")) for key in "12")
    journey = await perform(call, Script((*presses, HangUp(Moment(4))), 6))
    first, second = journey.heard
    assert first.at_ms < journey.pressed[0].at_ms < second.at_ms < journey.pressed[1].at_ms


async def test_forty_calls_at_once_keep_their_pace(line: Line) -> None:
    """Every caller hears its prompt whole, without a gap that the robot itself made."""
    pairs = [await line.dial(f"+3161234{index:04d}") for index in range(40)]
    for _, taken in pairs:
        taken.answer()
        taken.say(spoken(TEXTS["welcome"]))
    for call, _ in pairs:
        assert (await call.hears("welcome", 10, over=True)).whole
    silences = [len(call.media.timeline.samples(call.origin, call.horizon)) for call, _ in pairs]
    assert min(silences) > 8000


async def test_a_taken_port_is_said(line: Line) -> None:
    with pytest.raises(RobotError, match=f"cannot use 127.0.0.1:{line.callee.port}"):
        async with UserAgent(port=line.callee.port):
            pass


async def test_what_is_no_address_cannot_be_called(line: Line) -> None:
    with pytest.raises(CallFailed, match="write such as sip:100"):
        await line.caller.call("100")


async def test_leaving_ends_open_calls_at_the_other_side(tmp_path: Path) -> None:
    async with UserAgent() as callee:
        async with UserAgent() as caller:
            call = await caller.call(f"sip:100@127.0.0.1:{callee.port}")
            taken = await callee.next_call(2)
            taken.answer()
            await call.answered(2)
        assert (await taken.ended(2)).by == "them"


async def test_datagrams_that_are_no_sip_change_nothing(line: Line) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=("127.0.0.1", line.callee.port)
    )
    for datagram in (b"", b"\r\n\r\n", b"\x00" * 500, b"BYE sip:x SIP/2.0\r\n\r\n"):
        transport.sendto(datagram)
    call, taken = await line.connect()
    transport.close()
    assert call.end is None
    assert taken.end is None
