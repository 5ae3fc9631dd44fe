"""G.711, the sound of the telephone network: 16-bit samples to and from one byte each.

After ITU-T G.711 (11/88): A-law takes the upper 13 bits of a sample, mu-law the upper 14. Both are
look-up tables over all 65,536 samples, so encoding a prompt is one indexing operation.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Pcm = NDArray[np.int16]

MU_BIAS = 33  # G.711 table 2: added to a 14-bit magnitude so that segments begin at powers of two
MU_LARGEST = 8158  # the largest 14-bit magnitude that still fits with its bias
EVEN_BITS = 0x55  # A-law inverts every second bit on the line


def encode_alaw(samples: Pcm) -> Bytes:
    """A-law bytes of 16-bit samples, one each."""
    return _alaw_table()[samples.view(np.uint16)]


def encode_ulaw(samples: Pcm) -> Bytes:
    """Mu-law bytes of 16-bit samples, one each."""
    return _ulaw_table()[samples.view(np.uint16)]


def decode_alaw(coded: Bytes) -> Pcm:
    """16-bit samples of A-law bytes."""
    return _alaw_values()[coded]


def decode_ulaw(coded: Bytes) -> Pcm:
    """16-bit samples of mu-law bytes."""
    return _ulaw_values()[coded]


def _every_sample() -> NDArray[np.int32]:
    """All 16-bit samples, in the order of their bits read as unsigned."""
    return np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)


def _segment(magnitude: NDArray[np.int32], lowest_bit: int) -> NDArray[np.int32]:
    """Which power of two a magnitude lies in, counted from bit `lowest_bit`; 0 at least."""
    thresholds = 1 << np.arange(lowest_bit, lowest_bit + 7)
    segment: NDArray[np.int32] = np.searchsorted(thresholds, magnitude, side="right").astype(np.int32)
    return segment


@cache
def _alaw_table() -> Bytes:
    samples = _every_sample() >> 3
    negative = samples < 0
    magnitude = np.where(negative, -samples - 1, samples)
    segment = _segment(magnitude, 5)
    mantissa = np.where(segment == 0, magnitude >> 1, magnitude >> np.maximum(segment, 1)) & 0x0F
    code = (segment << 4 | mantissa) ^ EVEN_BITS
    return np.where(negative, code, code | 0x80).astype(np.uint8)


@cache
def _ulaw_table() -> Bytes:
    samples = _every_sample() >> 2
    negative = samples < 0
    magnitude = np.minimum(np.abs(samples), MU_LARGEST) + MU_BIAS
    segment = _segment(magnitude, 6)
    code: NDArray[np.int32] = ~(segment << 4 | (magnitude >> (segment + 1)) & 0x0F) & 0x7F
    return np.where(negative, code, code | 0x80).astype(np.uint8)


@cache
def _alaw_values() -> Pcm:
    code = np.arange(256, dtype=np.int32) ^ EVEN_BITS
    segment, mantissa = code >> 4 & 0x07, code & 0x0F
    magnitude = np.where(segment == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


@cache
def _ulaw_values() -> Pcm:
    code = ~np.arange(256, dtype=np.int32)
    segment, mantissa = code >> 4 & 0x07, code & 0x0F
    magnitude = (((mantissa << 3) + 0x84) << segment) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
