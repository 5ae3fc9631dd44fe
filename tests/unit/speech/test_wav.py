"""WAV files of studios, editors and speech engines."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest

from ivr.errors import SpeechError
from ivr.speech.g711 import encode_alaw, encode_ulaw
from ivr.speech.wav import read_wav, wav_bytes

SHAPE = np.array([0.0, 0.5, -0.5, 0.25, -0.25, 0.75], np.float32)


def wav(body: bytes, *, code: int, bits: int, channels: int = 1, rate: int = 44100, before: bytes = b"") -> bytes:
    form = struct.pack("<HHIIHH", code, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    if code == 0xFFFE:
        form += struct.pack("<HHI", 22, bits, 0) + struct.pack("<H", 1) + bytes(14)
    chunks = before + struct.pack("<4sI", b"fmt ", len(form)) + form + struct.pack("<4sI", b"data", len(body)) + body
    return struct.pack("<4sI4s", b"RIFF", len(chunks) + 4, b"WAVE") + chunks


PCM16 = np.round(SHAPE * 32768).astype("<i2")
FORMS = {
    "8 bits": wav(np.round(SHAPE * 128 + 128).astype(np.uint8).tobytes(), code=1, bits=8),
    "16 bits": wav(PCM16.tobytes(), code=1, bits=16),
    "24 bits": wav(b"".join(int(x * 2**23).to_bytes(3, "little", signed=True) for x in SHAPE), code=1, bits=24),
    "32 bits": wav((SHAPE.astype(float) * 2**31).astype("<i4").tobytes(), code=1, bits=32),
    "float": wav(SHAPE.astype("<f4").tobytes(), code=3, bits=32),
    "double": wav(SHAPE.astype("<f8").tobytes(), code=3, bits=64),
    "A-law": wav(encode_alaw(PCM16).tobytes(), code=6, bits=8),
    "mu-law": wav(encode_ulaw(PCM16).tobytes(), code=7, bits=8),
    "extensible": wav(PCM16.tobytes(), code=0xFFFE, bits=16),
    "another chunk of odd length first": wav(PCM16.tobytes(), code=1, bits=16, before=b"LIST\x03\0\0\0abc\0"),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_that_are_read(form: str) -> None:
    sound = read_wav(FORMS[form])
    assert sound.rate == 44100
    assert sound.samples.dtype == np.float32
    assert np.allclose(sound.samples, SHAPE, atol=0.02)


def test_channels_are_mixed() -> None:
    stereo = np.column_stack((PCM16, -PCM16)).astype("<i2")
    assert np.allclose(read_wav(wav(stereo.tobytes(), code=1, bits=16, channels=2)).samples, 0)


def test_a_length_that_a_program_could_not_know_is_cut_at_the_end_of_the_file() -> None:
    data = bytearray(FORMS["16 bits"])
    data[40:44] = struct.pack("<I", 0x7FFFF000)
    assert len(read_wav(bytes(data)).samples) == len(SHAPE)


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert len(read_wav(FORMS["16 bits"][:-1]).samples) == len(SHAPE) - 1


def test_what_we_write_is_read_by_others() -> None:
    with wave.open(io.BytesIO(wav_bytes(PCM16, 8000))) as file:
        assert file.getparams()[:4] == (1, 2, 8000, len(SHAPE))
        assert file.readframes(99) == PCM16.tobytes()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a WAV file"),
        (b"ID3\x03", "an MP3 file"),
        (b"OggS....", "an Ogg file"),
        (wav(b"", code=1, bits=16)[:-8], "no sound in it"),
        (wav(b"", code=2, bits=4), "compressed or unknown format"),
        (wav(b"", code=1, bits=16, rate=4000), "1 channels at 4000 Hz"),
        (wav(b"", code=1, bits=16, channels=0), "0 channels"),
        (b"RIFF\x10\0\0\0WAVEdata\x02\0\0\0ab", "does not say its format"),
        (b"RIFF\x10\0\0\0WAVEfmt \x02\0\0\0ab", "damaged"),
    ],
)
def test_other_files_are_refused_with_what_to_do(data: bytes, says: str) -> None:
    with pytest.raises(SpeechError, match=says) as refused:
        read_wav(data)
    assert "save it as a WAV file" in str(refused.value)
