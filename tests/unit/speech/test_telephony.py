"""What a prompt is like when it is ready for the telephone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ivr.errors import SpeechError
from ivr.speech.g711 import decode_alaw, decode_ulaw
from ivr.speech.loudness import loudness
from ivr.speech.sound import Samples, Sound
from ivr.speech.telephony import CEILING, EDGE, RATE, asterisk_files, prepare
from tests.unit.speech.tone_engine import tone


def speechlike(seconds: float = 2.0, rate: int = 22050) -> Samples:
    """Noise in syllables: peaks far above its mean, as in speech."""
    noise = np.random.default_rng(7).laplace(0, 0.05, round(seconds * rate)).astype(np.float32)
    syllables = np.clip(np.sin(2 * np.pi * 2 * np.arange(len(noise)) / rate), 0.02, 1)
    return (noise * syllables).astype(np.float32)


def measured(samples: NDArray[np.int16]) -> float:
    return loudness(Sound((samples / 32768).astype(np.float32), RATE))


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_any_rate_becomes_8_khz_of_the_same_length(rate: int) -> None:
    prepared = prepare(tone(1.0, rate=rate), -19)
    assert prepared.dtype == np.int16
    assert len(prepared) / RATE == pytest.approx(1.0 + 2 * EDGE / RATE, abs=0.011)


@pytest.mark.parametrize("level", [-19.0, -23.0, -30.0])
@pytest.mark.parametrize("gain", [0.05, 1.0, 4.0])
def test_whatever_came_in_the_level_is_the_wanted_one(level: float, gain: float) -> None:
    assert measured(prepare(Sound(speechlike() * np.float32(gain), 22050), level)) == pytest.approx(level, abs=0.5)


def test_no_peak_passes_the_ceiling_even_when_the_level_cannot_be_reached() -> None:
    clicks = np.zeros(16000, np.float32)
    clicks[::800] = 1.0
    prepared = prepare(Sound(clicks, 8000), -10)
    assert np.abs(prepared.astype(np.int32)).max() <= CEILING * 32767 + 1


def test_silence_around_speech_is_cut_to_50_ms() -> None:
    quiet = np.zeros(round(0.8 * 22050), np.float32)
    prepared = prepare(Sound(np.concatenate((quiet, tone(1).samples, quiet)), 22050), -19)
    audible = np.flatnonzero(np.abs(prepared) > 300)
    assert audible[0] / RATE == pytest.approx(0.05, abs=0.012)
    assert (len(prepared) - audible[-1]) / RATE == pytest.approx(0.05, abs=0.012)


def test_speech_that_begins_at_once_gets_its_50_ms() -> None:
    prepared = prepare(tone(1, rate=8000), -19)
    assert np.all(prepared[: EDGE - 1] == 0)
    assert np.abs(prepared[EDGE : EDGE + 40]).max() > 1000


def test_a_pause_inside_stays() -> None:
    pause = np.zeros(22050, np.float32)
    prepared = prepare(Sound(np.concatenate((tone(1).samples, pause, tone(1).samples)), 22050), -19)
    assert len(prepared) / RATE == pytest.approx(3.1, abs=0.02)


def test_a_constant_offset_is_removed() -> None:
    prepared = prepare(Sound(tone(1).samples + np.float32(0.2), 22050), -19)
    assert abs(float(prepared.mean())) < 50


def test_it_begins_and_ends_without_a_click() -> None:
    prepared = prepare(Sound(speechlike(), 22050), -19)
    assert prepared[0] == 0
    assert prepared[-1] == 0


@pytest.mark.parametrize(
    "samples", [np.zeros(0, np.float32), np.zeros(8000, np.float32), np.full(8000, 0.5, np.float32)]
)
def test_silence_is_refused(samples: Samples) -> None:
    with pytest.raises(SpeechError, match="nothing to hear"):
        prepare(Sound(samples, 8000), -19)


def test_the_files_hold_the_same_sound_in_asterisks_formats() -> None:
    prepared = prepare(tone(0.5), -19)
    files = asterisk_files(prepared)
    assert list(files) == ["wav", "sln", "ulaw", "alaw"]
    assert np.frombuffer(files["sln"], "<i2").tolist() == prepared.tolist()
    assert files["wav"][44:] == files["sln"]
    for name, decode in (("alaw", decode_alaw), ("ulaw", decode_ulaw)):
        heard = decode(np.frombuffer(files[name], np.uint8))
        assert len(heard) == len(prepared)
        assert np.abs(heard.astype(int) - prepared).max() < 1024
