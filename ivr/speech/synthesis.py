"""Synthesis: what every speech engine offers, and what every text goes through before it is spoken."""

from __future__ import annotations

import unicodedata
from typing import Protocol

from ivr.domain.language import Language
from ivr.errors import SpeechError
from ivr.speech.sound import Sound

LONGEST = 4000
"""Characters in one text; about four minutes of speech."""


class Synthesiser(Protocol):
    """A speech engine."""

    async def open(self) -> None:
        """Get ready to speak. Raises SpeechError, whose message says what to do; may then be tried again."""

    def identity(self, language: Language) -> str:
        """All that decides how a text sounds: engine, version, voice and speed. Known once it is open."""

    async def speak(self, text: str, language: Language) -> Sound:
        """Speak a text, at the engine's own rate and level.

        Raises:
            SpeechError: it cannot, or not in time.
        """

    async def close(self) -> None:
        """Let go of whatever it holds."""


def speakable(text: str) -> str:
    """A text as one line without anything an engine could take for more than words.

    Control characters become spaces, and so do square brackets: `[[` would make eSpeak read phonemes.

    Raises:
        SpeechError: there is nothing to say, or more than LONGEST characters.
    """
    if not text.isprintable() or "[" in text or "]" in text:
        text = "".join(" " if sign in "[]" or unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in text)
    line = " ".join(text.split())
    if not any(sign.isalnum() for sign in line):
        raise SpeechError("the text has no words")
    if len(line) > LONGEST:
        raise SpeechError(f"the text is {len(line)} characters long; split it, {LONGEST} is the most")
    return line


def voice_of(voices: dict[Language, str], language: Language) -> str:
    """The voice that is set for a language. Raises SpeechError when none is."""
    if language not in voices:
        raise SpeechError(f"speech.voices in config.yaml names no voice for '{language}'")
    return voices[language]
