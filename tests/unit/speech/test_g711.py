"""G.711 against the standard's own values."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ivr.speech.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw

EVERY_SAMPLE = np.arange(65536, dtype=np.uint16).view(np.int16)
EVERY_BYTE = np.arange(256, dtype=np.uint8)


def pcm(*values: int) -> NDArray[np.int16]:
    return np.array(values, np.int16)


def test_alaw_has_the_bytes_of_the_standard() -> None:
    """G.711 table 1: silence is 0xD5, the largest positive and negative values 0xAA and 0x2A."""
    assert encode_alaw(pcm(0, -1, 32767, -32768)).tolist() == [0xD5, 0x55, 0xAA, 0x2A]
    assert encode_alaw(pcm(8, 16, 1000, -1000)).tolist() == [0xD5, 0xD4, 0xFA, 0x7A]


def test_ulaw_has_the_bytes_of_the_standard() -> None:
    """G.711 table 2: silence is 0xFF, the largest positive and negative values 0x80 and 0x00."""
    assert encode_ulaw(pcm(0, 32767, -32768)).tolist() == [0xFF, 0x80, 0x00]
    assert encode_ulaw(pcm(1000, -1000)).tolist() == [0xCE, 0x4E]


def test_every_byte_survives_the_way_there_and_back() -> None:
    assert encode_alaw(decode_alaw(EVERY_BYTE)).tolist() == EVERY_BYTE.tolist()
    back = encode_ulaw(decode_ulaw(EVERY_BYTE))
    # Mu-law has two zeros.
    assert np.flatnonzero(back != EVERY_BYTE).tolist() == [0x7F]


@pytest.mark.parametrize(("encode", "decode"), [(encode_alaw, decode_alaw), (encode_ulaw, decode_ulaw)])
def test_the_error_stays_small_beside_the_sample(encode: object, decode: object) -> None:
    assert callable(encode)
    assert callable(decode)
    samples = EVERY_SAMPLE.astype(np.int32)
    error = np.abs(decode(encode(EVERY_SAMPLE)).astype(np.int32) - samples)
    inside = np.abs(samples) < 32000
    assert np.all(error[inside] <= 12 + np.abs(samples[inside]) / 32)


def test_a_tone_keeps_the_quality_of_a_telephone_line() -> None:
    signal = np.round(16000 * np.sin(np.arange(8000) * 2 * np.pi * 997 / 8000)).astype(np.int16)
    for noise in (decode_alaw(encode_alaw(signal)) - signal, decode_ulaw(encode_ulaw(signal)) - signal):
        ratio = 10 * np.log10(np.mean(signal.astype(float) ** 2) / np.mean(noise.astype(float) ** 2))
        assert 37 < ratio < 40
