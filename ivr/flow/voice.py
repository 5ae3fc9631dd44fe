"""The voice: says one thing after another over a channel, and has the next ones made while one sounds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from ivr.domain.contact import EventKind, Json
from ivr.domain.speech import Audio, Utterance
from ivr.errors import CallerHungUp
from ivr.ports import CallLog, Channel, PromptLibrary

MAX_AHEAD = 16
"""How many utterances are made ahead at a time."""
HIDDEN = "…"
"""What the journal has instead of a hidden key."""


class Voice:
    """Speaks in one call."""

    def __init__(self, channel: Channel, prompts: PromptLibrary, log: CallLog) -> None:
        self._channel = channel
        self._prompts = prompts
        self._log = log
        self._made: dict[Utterance, asyncio.Task[Audio]] = {}

    async def say(
        self,
        utterances: Sequence[Utterance],
        *,
        step: str,
        keys: str = "",
        hidden: bool = False,
        ahead: Callable[[], Iterable[Utterance]] = tuple,
    ) -> str:
        """Say these to the end, or until one of `keys` is pressed. Returns that key, or ''.

        `ahead` gives what will be said after these: it is made while the first of these sounds. A `hidden` key is not
        written down: it may be the first digit of what nobody shall know.

        Raises:
            CallerHungUp: also noted as a prompt heard in part.
            SpeechError, AsteriskError: it could not be said.
        """
        for position, utterance in enumerate(utterances):
            audio = await self._audio(utterance)
            if position == 0:
                self.prepare(utterances[1:])
                self.prepare(ahead())
            detail: dict[str, Json] = {"prompt": utterance.name, "language": utterance.language.value}
            detail["seconds"] = round(audio.seconds, 2)
            try:
                key = await self._channel.play(audio, keys=keys)
            except CallerHungUp:
                self._log.note(EventKind.PROMPT, step, **detail, hung_up=True)
                raise
            if key:
                self._log.note(EventKind.PROMPT, step, **detail, key=HIDDEN if hidden else key)
                return key
            self._log.note(EventKind.PROMPT, step, **detail)
        return ""

    def prepare(self, utterances: Iterable[Utterance]) -> None:
        """Have these made in the background; what fails is tried again when it is said."""
        for utterance in utterances:
            waiting = sum(not task.done() for task in self._made.values())
            if utterance not in self._made and waiting < MAX_AHEAD:
                self._made[utterance] = asyncio.create_task(self._prompts.audio(utterance))

    async def close(self) -> None:
        """Stop making what will not be said."""
        for task in self._made.values():
            task.cancel()
        await asyncio.gather(*self._made.values(), return_exceptions=True)
        self._made.clear()

    async def _audio(self, utterance: Utterance) -> Audio:
        task = self._made.pop(utterance, None)
        if task is not None:
            await asyncio.wait([task])
            if not task.cancelled() and task.exception() is None:
                return task.result()
        return await self._prompts.audio(utterance)
