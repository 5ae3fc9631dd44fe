"""A folder of sounds that are ready to be played, and the memory of what is in it."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from ivr.errors import SpeechError
from ivr.speech.g711 import Pcm
from ivr.speech.telephony import RATE, asterisk_files

KEY = re.compile(r"[0-9a-f]{40}")
BYTES_A_SAMPLE = {"alaw": 1, "ulaw": 1, "sln": 2, "wav": 2}
WAV_HEADER = 44


class SoundFolder:
    """Sounds by key, each in one file a format. `seconds` is the memory: looking there costs no disk access.

    All but `base` and `remember` work on the disk, so call them from a thread. Several processes may share a
    folder: files appear whole, under a name that follows from their content.
    """

    def __init__(self, path: Path, formats: Sequence[str], *, file_mode: int = 0o644) -> None:
        self.path = path
        self.seconds: dict[str, float] = {}
        self._formats = tuple(formats)
        self._file_mode = file_mode

    def base(self, key: str) -> Path:
        """The path of a sound without its extension, as Asterisk wants it."""
        return self.path / key

    def scan(self) -> Mapping[str, float]:
        """The complete sounds on the disk and their lengths; nothing when the folder is not there."""
        lengths: dict[str, dict[str, float]] = {}
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    key, _, extension = entry.name.partition(".")
                    if KEY.fullmatch(key) and extension in self._formats:
                        size = entry.stat().st_size - (WAV_HEADER if extension == "wav" else 0)
                        lengths.setdefault(key, {})[extension] = size / BYTES_A_SAMPLE[extension] / RATE
        except OSError:
            return {}
        return {
            key: found["alaw"]
            for key, found in lengths.items()
            if set(found) == set(self._formats) and len(set(found.values())) == 1 and found["alaw"] > 0
        }

    def remember(self, found: Mapping[str, float], known_before: set[str]) -> None:
        """Bring the memory in step with a scan; what was written since it began stays."""
        for key in known_before - found.keys():
            self.seconds.pop(key, None)
        self.seconds.update(found)

    def write(self, key: str, samples: Pcm) -> float:
        """Store a sound; its length in seconds. It is for the caller to remember it.

        Raises:
            SpeechError: the disk is full, or cannot be written.
        """
        contents = asterisk_files(samples)
        mark = secrets.token_hex(6)
        try:
            for extension in self._formats:
                final = self.path / f"{key}.{extension}"
                _write_whole(final, contents[extension], self.path / f".{mark}.{extension}", self._file_mode)
        except OSError as error:
            raise SpeechError(f"{self.path} cannot be written: {error.strerror}") from error
        return len(samples) / RATE

    def remove(self, key: str) -> None:
        """Take a sound's files away."""
        for extension in self._formats:
            (self.path / f"{key}.{extension}").unlink(missing_ok=True)

    def remove_oldest(self, most: int) -> None:
        """Keep at most `most` sounds, by when they were made. Raises OSError."""
        keys = sorted(self.scan(), key=lambda key: (self.path / f"{key}.alaw").stat().st_mtime)
        for key in keys[: max(0, len(keys) - most)]:
            self.remove(key)


def _write_whole(final: Path, content: bytes, temporary: Path, mode: int) -> None:
    """Nobody ever sees half a file."""
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        temporary.replace(final)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
