"""Sound files by name: found, read as Asterisk would play them, and written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ivr.errors import RobotError, SpeechError
from ivr.robot.g711 import Samples, decode
from ivr.robot.rtp import RATE
from ivr.robot.sdp import Codec
from ivr.speech.telephony import prepare
from ivr.speech.wav import read_wav, wav_bytes

SUFFIXES = (".sln", ".wav", ".alaw", ".ulaw")
"""Best first: of one name in several formats the first is read."""
LARGEST_FILE = 50_000_000
LEVEL = -19.0
"""How loud a studio's recording becomes; hearing does not depend on it."""


def read_sound(path: Path) -> Samples:
    """The samples of a prompt: raw `.sln`, `.alaw` or `.ulaw` at 8 kHz, or any `.wav` that Klantlijn can play.

    Raises:
        RobotError: it cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise RobotError(f"{path} is larger than {LARGEST_FILE} bytes")
        content = path.read_bytes()
        if path.suffix == ".wav":
            sound = read_wav(content)
            # What does not have the telephone's rate is played as the prompt library prepares it.
            return (sound.samples * 32767).astype(np.int16) if sound.rate == RATE else prepare(sound, LEVEL)
    except (OSError, SpeechError) as error:
        raise RobotError(f"{path} cannot be read: {error}") from error
    if path.suffix in (".alaw", ".ulaw"):
        return decode(content, Codec.PCMA if path.suffix == ".alaw" else Codec.PCMU)
    return np.frombuffer(content[: len(content) // 2 * 2], "<i2").astype(np.int16)


def sound_files(*folders: Path) -> dict[str, Path]:
    """Every sound file below folders, by its path in them without suffix: `nl/welcome`.

    Of the same name in several formats the best is taken; of the same name in two folders the first folder's.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(_below(folder), key=lambda path: SUFFIXES.index(path.suffix)):
            found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
    return found


def _below(folder: Path) -> Iterable[Path]:
    # Names with a dot before them are files that somebody is still writing.
    return (path for path in folder.rglob("*") if path.suffix in SUFFIXES and not path.name.startswith("."))


def write_wav(path: Path, samples: Samples) -> None:
    """Write sound as a WAV file. Raises RobotError when it cannot be written."""
    try:
        path.write_bytes(wav_bytes(samples, RATE))
    except OSError as error:
        raise RobotError(f"{path} cannot be written: {error.strerror}") from error
