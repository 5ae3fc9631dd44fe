"""Spoken prompts: a prompt library that makes no sound, and remembers what each sound would have said."""

from __future__ import annotations

from dataclasses import dataclass, field

from ivr.domain.language import Language
from ivr.domain.speech import OWN_WORDS, Audio, Utterance
from ivr.errors import SpeechError

SIMULATED = "simulated/"
SECONDS_PER_LETTER = 0.065
"""About 150 words a minute."""
RECORDING_SECONDS = 2.0
"""The length given to a recording without a text."""


@dataclass
class SpokenPrompts:
    """Takes as long as speaking would (an `ivr.ports.PromptLibrary`). Prompts named in `broken` cannot be made."""

    broken: set[str] = field(default_factory=set)
    made: list[Utterance] = field(default_factory=list)

    async def audio(self, utterance: Utterance) -> Audio:
        """A silent audio, by which `said` finds the utterance again. Raises SpeechError for what is broken."""
        if utterance.name in self.broken:
            raise SpeechError(f"prompt {utterance.name}")
        self.made.append(utterance)
        seconds = len(utterance.text) * SECONDS_PER_LETTER or RECORDING_SECONDS
        return Audio(f"{SIMULATED}{len(self.made) - 1}", round(seconds, 2))

    def said(self, audio: Audio) -> Utterance:
        """What an audio says; the caller's own words when it is not one of ours."""
        if not audio.ref.startswith(SIMULATED):
            return Utterance(OWN_WORDS, Language.NL, "")
        return self.made[int(audio.ref.rpartition("/")[2])]
