"""Loudness as people hear it: ITU-R BS.1770-4 (the LUFS of EBU R 128), for mono sound.

K-weighting (a shelf for the head, a high-pass), mean square of blocks of 400 ms that overlap by three
quarters, an absolute gate at -70 LUFS and a relative one 10 LU under the mean. The filters are applied in the
frequency domain, with coefficients for any rate derived as in libebur128.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ivr.speech.sound import Sound

BLOCK = 0.4  # seconds
STEP = 0.1
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
OFFSET = -0.691  # makes a 997 Hz sine of full scale -3.01 LUFS


def loudness(sound: Sound) -> float:
    """LUFS of a sound; -inf when there is none. A sound shorter than a block is measured as if it were repeated."""
    samples = sound.samples.astype(np.float64)
    block = round(BLOCK * sound.rate)
    if not len(samples):
        return -math.inf
    if len(samples) < block:
        samples = np.tile(samples, math.ceil(block / len(samples)))
    weighted = _k_weighted(samples, sound.rate)
    power = np.concatenate(([0.0], np.cumsum(np.square(weighted))))
    starts = np.arange(0, len(samples) - block + 1, round(STEP * sound.rate))
    blocks = (power[starts + block] - power[starts]) / block
    loud = blocks[_lufs(blocks) > ABSOLUTE_GATE]
    if not len(loud):
        return -math.inf
    loud = loud[_lufs(loud) > float(_lufs(np.mean(loud))) + RELATIVE_GATE]
    return float(_lufs(np.mean(loud)))


def _lufs(power: NDArray[np.float64] | np.floating) -> NDArray[np.float64]:
    return OFFSET + 10 * np.log10(np.maximum(power, 1e-20))


def _k_weighted(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    # Zeros behind the sound keep the filters' ringing from coming back at its front.
    size = 1 << (len(samples) + rate // 2 - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(samples, size) * _response(size, rate), size)[: len(samples)]


@lru_cache(maxsize=8)
def _response(size: int, rate: int) -> NDArray[np.complex128]:
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    response: NDArray[np.complex128] = np.ones_like(z)
    for numerator, denominator in (_shelf(rate), _high_pass(rate)):
        response = response * np.polyval(numerator[::-1], z) / np.polyval(denominator[::-1], z)
    return response


def _shelf(rate: int) -> tuple[list[float], list[float]]:
    """The first stage: +4 dB above 1.7 kHz."""
    k = math.tan(math.pi * 1681.974450955533 / rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    scale = 1 + k / q + k * k
    return (
        [(high + band * k / q + k * k) / scale, 2 * (k * k - high) / scale, (high - band * k / q + k * k) / scale],
        [1.0, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale],
    )


def _high_pass(rate: int) -> tuple[list[float], list[float]]:
    """The second stage: nothing below 38 Hz."""
    k = math.tan(math.pi * 38.13547087602444 / rate)
    q = 0.5003270373238773
    scale = 1 + k / q + k * k
    return [1.0, -2.0, 1.0], [1.0, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale]
