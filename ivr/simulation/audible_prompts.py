"""Audible prompts: those of simulated calls that are really made, as a caller would hear them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ivr.domain.speech import Audio, Utterance
from ivr.errors import SpeechError
from ivr.simulation.loudspeaker import Loudspeaker
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.speech.library import PromptLibrary
from ivr.speech.telephony import RATE
from ivr.speech.wav import wav_bytes


@dataclass(kw_only=True)
class AudiblePrompts(SpokenPrompts):
    """Has the sounds made by a library. What cannot be made stays silent, and `complain` is told why."""

    library: PromptLibrary
    loudspeaker: Loudspeaker
    complain: Callable[[str], None]
    _sounds: dict[str, bytes] = field(default_factory=dict)
    _reasons: set[str] = field(default_factory=set)

    async def audio(self, utterance: Utterance) -> Audio:
        """An audio of the length of its sound, or of about that length when it has none."""
        silent = await super().audio(utterance)
        try:
            base = await self.library.files(utterance)
            samples = await asyncio.to_thread(Path(f"{base}.sln").read_bytes)
        except (SpeechError, OSError) as error:
            reason = str(error.args[0] if isinstance(error, SpeechError) else error.strerror)
            if reason not in self._reasons:
                self._reasons.add(reason)
                self.complain(f"'{utterance.name}' is shown and not heard: {reason}")
            return silent
        pcm = np.frombuffer(samples, "<i2")
        self._sounds[silent.ref] = wav_bytes(pcm, RATE)
        return replace(silent, seconds=len(pcm) / RATE)

    @asynccontextmanager
    async def sounding(self, audio: Audio) -> AsyncIterator[None]:
        """Let an audio be heard while this lasts."""
        wav = self._sounds.get(audio.ref)
        if wav is None:
            yield
            return
        async with self.loudspeaker.playing(wav, audio.seconds):
            yield
