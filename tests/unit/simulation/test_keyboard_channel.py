"""Facts about calls with a person at the keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from ivr.domain.language import Language
from ivr.domain.speech import Audio, Utterance
from ivr.errors import CallerHungUp
from ivr.simulation.keyboard_channel import KeyboardChannel, ShiftedClock
from ivr.simulation.manual_clock import ManualClock
from ivr.simulation.spoken_prompts import SpokenPrompts

WORDS = Utterance("welcome", Language.NL, "Welkom bij ons.")


class Desk:
    """A channel, its clock, what was shown, and a line to play."""

    def __init__(self) -> None:
        self.clock, self.prompts, self.shown = ManualClock(), SpokenPrompts(), list[str]()
        self.typed: asyncio.Queue[str] = asyncio.Queue()
        self.channel = KeyboardChannel(self.clock, self.prompts, self.typed, self.sounding)

    @asynccontextmanager
    async def sounding(self, audio: Audio) -> AsyncIterator[None]:
        self.shown.append(self.prompts.said(audio).text)
        yield
        self.shown.append("over")

    async def line(self) -> Audio:
        return await self.prompts.audio(WORDS)


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def test_a_line_is_shown_when_it_begins_and_lasts_as_long_as_saying_it(desk: Desk) -> None:
    playing = asyncio.create_task(desk.channel.play(await desk.line(), keys="12"))
    await desk.clock.settle()
    assert desk.shown == ["Welkom bij ons."]
    await desk.clock.advance(0.9)
    assert not playing.done()
    await desk.clock.advance(0.1)
    assert playing.result() == ""
    assert desk.shown == ["Welkom bij ons.", "over"]
    assert [(heard.utterance, round(heard.seconds, 1)) for heard in desk.channel.heard] == [(WORDS, 1.0)]


@pytest.mark.parametrize(("typed", "key"), [("1", "1"), ("72", "2"), (" ", ""), ("\n", ""), ("q1", "1")])
async def test_a_key_that_counts_ends_a_line_and_so_does_the_space_bar(desk: Desk, typed: str, key: str) -> None:
    for letter in typed:
        desk.typed.put_nowait(letter)
    assert await desk.channel.play(await desk.line(), keys="12") == key
    assert desk.clock.passed == 0
    assert desk.channel.heard[0].key == key


@pytest.mark.parametrize("act", ["play", "wait"])
async def test_x_hangs_up(desk: Desk, act: str) -> None:
    desk.typed.put_nowait("x")
    with pytest.raises(CallerHungUp):
        await (desk.channel.wait_for_key(5) if act == "wait" else desk.channel.play(await desk.line()))


async def test_a_wait_ends_with_a_key_or_in_time(desk: Desk) -> None:
    desk.typed.put_nowait("#")
    assert await desk.channel.wait_for_key(5) == "#"
    waiting = asyncio.create_task(desk.channel.wait_for_key(5))
    await desk.clock.advance(5)
    assert waiting.result() == ""


async def test_a_shifted_clock_goes_on_from_its_start() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    under = ManualClock()
    shifted = ShiftedClock(start, under)
    assert shifted.now() == start
    await under.advance(90)
    assert (shifted.now() - start).total_seconds() == 90
