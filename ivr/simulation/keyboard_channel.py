"""A channel whose caller sits at the keyboard, and a clock for it that begins at another moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ivr.domain.hand_over import HandOver
from ivr.domain.recording import Take
from ivr.domain.speech import Audio
from ivr.errors import CallerHungUp
from ivr.ports import Clock
from ivr.simulation.play_through import LEAVES
from ivr.simulation.scripted_channel import Act, Heard, Sounding
from ivr.simulation.spoken_prompts import SpokenPrompts

TELEPHONE = "0123456789*#"
"""The keys there are."""
ENOUGH = " \r\n"
"""Pressed by who has read what is being said: on with the call."""


@dataclass
class ShiftedClock:
    """Another clock's time, as if it had been `start` when this was made (an `ivr.ports.Clock`)."""

    start: datetime
    clock: Clock

    def __post_init__(self) -> None:
        self._began = self.clock.monotonic()

    def now(self) -> datetime:
        """The moment it shows, UTC."""
        return (self.start + timedelta(seconds=self.clock.monotonic() - self._began)).astimezone(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        return self.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self.clock.sleep(seconds)


@dataclass
class KeyboardChannel:
    """Takes what is typed for what a caller presses (an `ivr.ports.Channel`).

    `typed` brings single letters: keys, `x` for hanging up, a space or the end of a line to
    hear no more of what is being said; anything else is passed over.
    """

    clock: Clock
    prompts: SpokenPrompts
    typed: asyncio.Queue[str]
    sounding: Sounding
    heard: list[Heard] = field(default_factory=list)
    not_done: Sequence[Act] = ()

    def __post_init__(self) -> None:
        self._start = self.clock.monotonic()

    async def answer(self) -> None:
        """Pick up."""

    async def play(self, audio: Audio, *, keys: str = "") -> str:
        """Say it, for as long as saying it takes."""
        utterance, at = self.prompts.said(audio), self.clock.monotonic() - self._start
        key = ""
        try:
            async with self.sounding(audio):
                key = await self._key(audio.seconds, keys, skips=True)
        finally:
            self.heard.append(Heard(at, utterance, self.clock.monotonic() - self._start - at, key))
        return key

    async def wait_for_key(self, seconds: float) -> str:
        """The next key that is typed."""
        return await self._key(seconds, TELEPHONE)

    async def pause(self, seconds: float, *, keys: str = "") -> str:
        """Let the time pass, or as much of it as the caller lets it."""
        return await self._key(seconds, keys, skips=True)

    async def hand_over(self, to: HandOver) -> None:
        """Nothing is there to take the caller."""

    async def hang_up(self) -> None:
        """Nothing is there to hang up."""

    async def record(self, ref: str, *, most: float, silence: float, keys: str = "") -> Take:
        """Take it that the caller speaks, until a key of `keys`, the space bar or the end of a line."""
        began = self.clock.monotonic()
        try:
            key = await self._key(most, keys, skips=True)
        except CallerHungUp:
            return Take(self.clock.monotonic() - began, hung_up=True)
        return Take(self.clock.monotonic() - began, key)

    async def record_call(self, ref: str) -> None:
        """Nothing is there to record."""

    async def stop_recording_call(self) -> None:
        """Nothing is there to record."""

    async def _key(self, seconds: float, wanted: str, *, skips: bool = False) -> str:
        """A wanted key within so many seconds, or ''. Raises CallerHungUp."""
        ends_at = self.clock.monotonic() + seconds
        while (left := ends_at - self.clock.monotonic()) > 0:
            letter = await self._letter(left)
            if letter == LEAVES:
                raise CallerHungUp
            if letter and letter in wanted:
                return letter
            if skips and letter and letter in ENOUGH:
                return ""
        return ""

    async def _letter(self, seconds: float) -> str:
        """The next letter that is typed within so many seconds, or ''."""
        typing = asyncio.ensure_future(self.typed.get())
        waiting = asyncio.ensure_future(self.clock.sleep(seconds))
        try:
            await asyncio.wait({typing, waiting}, return_when=asyncio.FIRST_COMPLETED)
            return typing.result() if typing.done() else ""
        finally:
            typing.cancel()
            waiting.cancel()
