"""What is said to a caller, before and after it has become sound."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.domain.language import Language


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something to say: the recording of prompt `name` in that language if there is one, else `text` spoken.

    `personal` marks a text with customer data: rendered for this call, never put in logs.
    """

    name: str
    language: Language
    text: str
    personal: bool = False


OWN_WORDS = "own-words"
"""What the journal calls it when a caller hears what they said themselves, where else the prompt's name stands."""


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound that Asterisk can play: a path without its extension, or a URL. `seconds` is its length."""

    ref: str
    seconds: float
