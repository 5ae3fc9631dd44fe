"""G.711: A-law and mu-law to 16-bit samples and back, by table (ITU-T G.711)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ivr.robot.sdp import Codec

Samples = npt.NDArray[np.int16]
"""Mono sound, 8,000 samples a second, 16 bits."""


def _alaw() -> Samples:
    code = np.arange(256) ^ 0x55
    segment, mantissa = (code >> 4) & 7, code & 0x0F
    size = np.where(segment == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


def _ulaw() -> Samples:
    code = ~np.arange(256) & 0xFF
    size = ((((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _nearest(values: Samples) -> npt.NDArray[np.uint8]:
    """For each 16-bit sample, shifted to 0..65535, the code whose value is nearest."""
    order = np.argsort(values, kind="stable")
    levels = values[order].astype(np.int32)
    middles = (levels[1:] + levels[:-1]) / 2
    return order[np.searchsorted(middles, np.arange(-32768, 32768))].astype(np.uint8)


DECODED = {Codec.PCMA: _alaw(), Codec.PCMU: _ulaw()}
ENCODED = {codec: _nearest(values) for codec, values in DECODED.items()}


def decode(payload: bytes, codec: Codec) -> Samples:
    """The samples of a G.711 payload, one a byte."""
    return DECODED[codec][np.frombuffer(payload, np.uint8)]


def encode(samples: Samples, codec: Codec) -> bytes:
    """The nearest G.711 codes of samples, one byte each."""
    return ENCODED[codec][samples.astype(np.int32) + 32768].tobytes()
