"""What a sound needs before a telephone may play it: rate, level, edges, and Asterisk's file formats."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import soxr

from ivr.errors import SpeechError
from ivr.speech.g711 import Pcm, encode_alaw, encode_ulaw
from ivr.speech.loudness import loudness
from ivr.speech.sound import Samples, Sound
from ivr.speech.wav import wav_bytes

RATE = 8000
CEILING = 0.89  # -1 dBFS: G.711 and what follows it add a little
KNEE = 0.6  # where the soft limit begins
EDGE = round(0.050 * RATE)  # silence kept before and after
FADE = round(0.005 * RATE)
FRAME = round(0.010 * RATE)
AUDIBLE = 10 ** (-40 / 20)  # a frame this far under the loudest one is silence
SILENCE = 1e-4  # -80 dBFS: nothing at all
PASSES = 3  # limiting takes some level away: level and limit again
CLOSE_ENOUGH = 0.2  # LU

VERSION = 1
"""Grows when `prepare` comes to sound different, so that what was prepared before is made again."""


def prepare(sound: Sound, level_lufs: float) -> Pcm:
    """16-bit samples at 8 kHz: no DC, 50 ms before and after, the wanted loudness, no peak above -1 dBFS.

    `level_lufs` is measured as ITU-R BS.1770 says.

    Raises:
        SpeechError: there is nothing to hear in it.
    """
    samples = sound.samples
    if sound.rate != RATE:
        samples = soxr.resample(samples, sound.rate, RATE, quality="HQ")
    if not len(samples):
        raise SpeechError("there is nothing to hear")
    samples = _trimmed(samples - np.mean(samples, dtype=np.float32))
    samples = _levelled(samples, level_lufs)
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    samples[:FADE] *= ramp
    samples[-FADE:] *= ramp[::-1]
    return np.round(samples * 32767).astype(np.int16)


def _trimmed(samples: Samples) -> Samples:
    frames = np.resize(samples, (math.ceil(len(samples) / FRAME), FRAME))
    frames.reshape(-1)[len(samples) :] = 0
    level = np.sqrt(np.mean(np.square(frames), axis=1))
    loudest = float(level.max())
    if loudest < SILENCE:
        raise SpeechError("there is nothing to hear")
    audible = np.flatnonzero(level > loudest * AUDIBLE)
    first, last = int(audible[0]) * FRAME, (int(audible[-1]) + 1) * FRAME
    padded = np.concatenate((np.zeros(EDGE, np.float32), samples, np.zeros(EDGE + FRAME, np.float32)))
    return padded[first : last + 2 * EDGE]


def _levelled(samples: Samples, level_lufs: float) -> Samples:
    gain = level_lufs - loudness(Sound(samples, RATE))
    for _ in range(PASSES):
        levelled = _limited(samples * np.float32(10 ** (gain / 20)))
        if float(np.abs(levelled).max()) <= KNEE:
            break
        missing = level_lufs - loudness(Sound(levelled, RATE))
        if abs(missing) < CLOSE_ENOUGH:
            break
        gain += missing
    return levelled


def _limited(samples: Samples) -> Samples:
    """Peaks bent under the ceiling; what lies under the knee stays as it is."""
    size, room = np.abs(samples), np.float32(CEILING - KNEE)
    bent = KNEE + room * np.tanh((size - KNEE) / room)
    return np.where(size <= KNEE, samples, np.sign(samples) * bent).astype(np.float32)


def asterisk_files(samples: Pcm) -> Mapping[str, bytes]:
    """The contents of a prompt's files by extension, A-law last.

    European trunks speak A-law; mu-law and signed linear spare Asterisk the conversion on
    other calls. The names are those of Asterisk's `format_pcm` and `format_sln`.
    """
    return {
        "wav": wav_bytes(samples, RATE),
        "sln": samples.astype("<i2").tobytes(),
        "ulaw": encode_ulaw(samples).tobytes(),
        "alaw": encode_alaw(samples).tobytes(),
    }
