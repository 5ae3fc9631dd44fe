"""A channel with a script: a caller who listens, presses keys, is silent, and hangs up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from ivr.domain.hand_over import HandOver
from ivr.domain.recording import Take
from ivr.domain.speech import Audio, Utterance
from ivr.errors import CallerHungUp
from ivr.ports import Clock
from ivr.simulation.spoken_prompts import SpokenPrompts

REACTION = 0.4
"""Seconds a caller takes to press a key."""


@dataclass(frozen=True, slots=True)
class Press:
    """The caller presses a key: while prompt `during` sounds, or else when a key is waited for."""

    key: str
    during: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller lets one wait for a key pass."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The caller hangs up: while prompt `during` sounds, or else when a key is waited for."""

    during: str = ""


@dataclass(frozen=True, slots=True)
class Speak:
    """The caller speaks for so long when they are recorded."""

    seconds: float


Act = Press | Silence | Leave | Speak
Sounding = Callable[[Audio], AbstractAsyncContextManager[None]]
"""What goes on for as long as an audio is heard."""


def unheard(audio: Audio) -> AbstractAsyncContextManager[None]:
    """Nothing."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Heard:
    """What the caller heard: from `at` (seconds since the start) for `seconds`, which may be less than the whole."""

    at: float
    utterance: Utterance
    seconds: float
    key: str = ""


@dataclass
class ScriptedChannel:
    """Does what its script says, one act after another (an `ivr.ports.Channel`).

    After the last act the caller stays on the line and does nothing. `leaves_after`: seconds
    from the start after which the caller hangs up, whatever happens then.
    """

    clock: Clock
    prompts: SpokenPrompts
    script: Sequence[Act] = ()
    leaves_after: float | None = None
    sounding: Sounding = unheard
    heard: list[Heard] = field(default_factory=list)
    answered: bool = False
    ended: bool = False
    handed_over: HandOver | None = None
    left: bool = False

    def __post_init__(self) -> None:
        self._acts = list(self.script)
        self._start = self.clock.monotonic()

    @property
    def not_done(self) -> Sequence[Act]:
        """The acts that have not come yet."""
        return self._acts

    async def answer(self) -> None:
        """Pick up."""
        self._check()
        self.answered = True

    async def play(self, audio: Audio, *, keys: str = "") -> str:
        """Hear an audio, or part of it."""
        self._check()
        utterance, at = self.prompts.said(audio), self.clock.monotonic() - self._start
        act = self._acts[0] if self._acts else None
        key, seconds = "", audio.seconds
        if isinstance(act, Press | Leave) and act.during == utterance.name:
            if isinstance(act, Leave) or act.key in keys:
                self._acts.pop(0)
                seconds = min(REACTION, seconds)
            if isinstance(act, Press) and act.key in keys:
                key = act.key
        left = isinstance(act, Leave) and act.during == utterance.name
        before = self.clock.monotonic()
        try:
            async with self.sounding(audio):
                await self._pass(seconds)
        finally:
            self.heard.append(Heard(at, utterance, self.clock.monotonic() - before, key))
        if left:
            self._leave()
        return key

    async def wait_for_key(self, seconds: float) -> str:
        """The key of the next act, when it is one that is pressed now."""
        self._check()
        act = self._acts[0] if self._acts else None
        if isinstance(act, Press) and not act.during:
            self._acts.pop(0)
            await self._pass(min(REACTION, seconds))
            return act.key
        if isinstance(act, Leave) and not act.during:
            self._acts.pop(0)
            await self._pass(min(REACTION, seconds))
            self._leave()
        if isinstance(act, Silence):
            self._acts.pop(0)
        await self._pass(seconds)
        return ""

    async def pause(self, seconds: float, *, keys: str = "") -> str:
        """Let the time pass; the next act is for the question that follows."""
        self._check()
        await self._pass(seconds)
        return ""

    async def hand_over(self, to: HandOver) -> None:
        """Remember where the caller goes."""
        self._check()
        self.handed_over = to

    async def hang_up(self) -> None:
        """Remember that the call is over."""
        self._check()
        self.ended = True

    async def record(self, ref: str, *, most: float, silence: float, keys: str = "") -> Take:
        """Let the caller speak, when that is the next act; one of `keys`, or leaving, right behind it ends that."""
        self._check()
        began, act, spoken = self.clock.monotonic(), self._acts[0] if self._acts else None, 0.0
        if isinstance(act, Speak | Silence):
            self._acts.pop(0)
            spoken = min(act.seconds, most) if isinstance(act, Speak) else 0.0
        ending = None if isinstance(act, Silence) or spoken == most else self._ending(keys)
        try:
            await self._pass(spoken if ending else min(spoken + silence, most))
        except CallerHungUp:
            return Take(min(spoken, self.clock.monotonic() - began), hung_up=True)
        self.left = isinstance(ending, Leave)
        return Take(spoken, ending.key if isinstance(ending, Press) else "", self.left)

    async def record_call(self, ref: str) -> None:
        """Be recorded, which nobody notices."""
        self._check()

    async def stop_recording_call(self) -> None:
        """Be recorded no longer."""
        self._check()

    def _ending(self, keys: str) -> Press | Leave | None:
        """The next act, when it ends a recording; it is then done."""
        act = self._acts[0] if self._acts else None
        if isinstance(act, Press | Leave) and not act.during and (isinstance(act, Leave) or act.key in keys):
            self._acts.pop(0)
            return act
        return None

    async def _pass(self, seconds: float) -> None:
        """Let time pass; the caller leaves in between when their time has come."""
        if self.leaves_after is not None:
            remaining = self._start + self.leaves_after - self.clock.monotonic()
            if remaining <= seconds:
                await self.clock.sleep(max(0.0, remaining))
                self._leave()
        await self.clock.sleep(seconds)

    def _leave(self) -> None:
        self.left = True
        raise CallerHungUp

    def _check(self) -> None:
        if self.left:
            raise CallerHungUp
