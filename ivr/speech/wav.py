"""WAV files: reading what recording studios and speech engines write, writing what Asterisk reads.

RIFF/WAVE after Microsoft's "Multimedia Programming Interface" (1991) and WAVEFORMATEXTENSIBLE. The standard
library's reader knows neither G.711 nor floats, nor (before Python 3.12) the extensible form most editors write.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ivr.errors import SpeechError
from ivr.speech.g711 import Pcm, decode_alaw, decode_ulaw
from ivr.speech.sound import Samples, Sound

PCM, FLOAT, ALAW, ULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
RATES = range(8000, 192_001)
OTHER_FORMATS = {
    b"ID3": "MP3",
    b"\xff\xfb": "MP3",
    b"\xff\xf3": "MP3",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"FORM": "AIFF",
    b"RF64": "64-bit WAV",
}
ADVICE = "save it as a WAV file, 16-bit PCM, mono"


def read_wav(data: bytes) -> Sound:
    """The sound in a WAV file, channels mixed to one.

    8, 16, 24 and 32-bit PCM, 32 and 64-bit floats, A-law and mu-law, at 8 to 192 kHz. A
    length that goes past the end, as programs that write to a pipe put it, is cut there.

    Raises:
        SpeechError: it is something else; the message says what.
    """
    (code, channels, rate, bits), body = _sound_in(memoryview(data))
    whole = len(body) // (channels * bits // 8) * (channels * bits // 8)
    samples = _samples(bytes(body[:whole]), code, bits)
    return Sound(samples.reshape(-1, channels).mean(axis=1, dtype=np.float32), rate)


def check_wav(data: memoryview) -> None:
    """Whether `read_wav` can read a file, told by its head alone.

    Raises:
        SpeechError: it cannot; the message says what the file is instead.
    """
    _sound_in(data)


def _sound_in(data: memoryview) -> tuple[tuple[int, int, int, int], memoryview]:
    """The format of the sound in a WAV file, and its samples. Raises SpeechError."""
    start = bytes(data[:12])
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        other = next((name for known, name in OTHER_FORMATS.items() if start.startswith(known)), None)
        raise SpeechError(f"this is {'an ' + other if other else 'not a WAV'} file; {ADVICE}")
    form: tuple[int, int, int, int] | None = None
    for name, body in _chunks(data):
        if name == b"fmt ":
            form = _format(body)
        elif name == b"data":
            if form is None:
                raise SpeechError(f"this WAV file does not say its format; {ADVICE}")
            return form, body
    raise SpeechError(f"this WAV file has no sound in it; {ADVICE}")


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 12
    while at + 8 <= len(data):
        length = struct.unpack_from("<I", data, at + 4)[0]
        yield bytes(data[at : at + 4]), data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _format(body: memoryview) -> tuple[int, int, int, int]:
    """Format code, channels, rate, bits a sample."""
    if len(body) < 16:
        raise SpeechError(f"this WAV file is damaged; {ADVICE}")
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if code == EXTENSIBLE and len(body) >= 26:
        code = struct.unpack_from("<H", body, 24)[0]
    known = {PCM: (8, 16, 24, 32), FLOAT: (32, 64), ALAW: (8,), ULAW: (8,)}
    if bits not in known.get(code, ()):
        raise SpeechError(f"this WAV file holds a compressed or unknown format ({code}, {bits} bits); {ADVICE}")
    if rate not in RATES or not 1 <= channels <= 8:
        raise SpeechError(f"this WAV file has {channels} channels at {rate} Hz; {ADVICE}, at 8 to 48 kHz")
    return code, channels, rate, bits


def _samples(body: bytes, code: int, bits: int) -> Samples:
    if code in (ALAW, ULAW):
        decode = decode_alaw if code == ALAW else decode_ulaw
        return _scaled(decode(np.frombuffer(body, np.uint8)), 2**15)
    if code == FLOAT:
        return np.nan_to_num(np.frombuffer(body, f"<f{bits // 8}").clip(-8, 8).astype(np.float32))
    if bits == 8:
        return _scaled(np.frombuffer(body, np.uint8).astype(np.int16) - np.int16(128), 2**7)
    if bits == 24:
        wide = np.zeros((len(body) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(body, np.uint8).reshape(-1, 3)
        return _scaled(wide.view("<i4")[:, 0], 2**31)
    return _scaled(np.frombuffer(body, f"<i{bits // 8}"), 2 ** (bits - 1))


def _scaled(values: NDArray[np.signedinteger], full_scale: int) -> Samples:
    return values.astype(np.float32) / np.float32(full_scale)


def wav_bytes(samples: Pcm, rate: int) -> bytes:
    """A WAV file of 16-bit mono samples."""
    body = samples.astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, PCM, 1, rate, rate * 2, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", 20 + len(form) - 8 + len(body) + 8, b"WAVE")
        + form
        + struct.pack("<4sI", b"data", len(body))
        + body
    )
