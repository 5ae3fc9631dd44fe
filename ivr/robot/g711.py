"""G.711 as RTP carries it: payloads to samples and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ivr.robot.sdp import Codec
from ivr.speech.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw

Samples = npt.NDArray[np.int16]
"""Mono sound, 8,000 samples a second, 16 bits."""


def decode(payload: bytes, codec: Codec) -> Samples:
    """The samples of a G.711 payload, one a byte."""
    coded = np.frombuffer(payload, np.uint8)
    return decode_alaw(coded) if codec is Codec.PCMA else decode_ulaw(coded)


def encode(samples: Samples, codec: Codec) -> bytes:
    """The G.711 codes of samples, one byte each."""
    return (encode_alaw(samples) if codec is Codec.PCMA else encode_ulaw(samples)).tobytes()
