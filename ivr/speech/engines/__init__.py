"""The speech engines that `speech.engine` in config.yaml can name."""

from __future__ import annotations

from collections.abc import Callable

from ivr.config.model import Speech
from ivr.speech.engines.espeak_ng import EspeakNg
from ivr.speech.engines.pyttsx3_engine import Pyttsx3
from ivr.speech.synthesis import Synthesiser

ENGINES: dict[str, Callable[[Speech], Synthesiser]] = {"espeak-ng": EspeakNg, "pyttsx3": Pyttsx3}


def engine(speech: Speech) -> Synthesiser:
    """The engine that the configuration asks for; open it before use."""
    return ENGINES[speech.engine](speech)
