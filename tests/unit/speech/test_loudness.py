"""Loudness against the reference values of ITU-R BS.1770 and EBU Tech 3341."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ivr.speech.loudness import loudness
from ivr.speech.sound import Sound
from tests.unit.speech.tone_engine import tone


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 48000])
def test_a_full_scale_sine_of_997_hz_is_minus_3_lufs(rate: int) -> None:
    assert loudness(tone(3, rate=rate, amplitude=1, hertz=997)) == pytest.approx(-3.01, abs=0.05)


def test_twice_the_amplitude_is_six_lu_more() -> None:
    assert loudness(tone(1, amplitude=0.2)) - loudness(tone(1, amplitude=0.1)) == pytest.approx(6.02, abs=0.01)


def test_pauses_do_not_make_speech_quieter() -> None:
    speech = tone(2, rate=8000)
    with_pause = Sound(np.concatenate((speech.samples, np.zeros(32000, np.float32), speech.samples)), 8000)
    assert loudness(with_pause) == pytest.approx(loudness(speech), abs=0.5)


def test_a_short_sound_is_as_loud_as_a_long_one() -> None:
    assert loudness(tone(0.1, rate=8000)) == pytest.approx(loudness(tone(2, rate=8000)), abs=0.3)


def test_silence_has_no_loudness() -> None:
    assert loudness(Sound(np.zeros(8000, np.float32), 8000)) == -math.inf
    assert loudness(Sound(np.zeros(0, np.float32), 8000)) == -math.inf
