"""The recordings an admin put in `prompts/<language>/<name>.wav`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

from ivr.domain.language import Language
from ivr.errors import SpeechError
from ivr.speech.sound import Sound
from ivr.speech.telephony import VERSION
from ivr.speech.wav import check_wav, read_wav

LARGEST = 50_000_000  # bytes; nine minutes of stereo at 48 kHz


@dataclass(frozen=True, slots=True)
class Recording:
    """A file, what tells that it changed, and the key of what it becomes."""

    path: Path
    signature: tuple[int, int]
    key: str

    def read(self) -> Sound:
        """Its sound. Raises SpeechError, with the file's name."""
        try:
            return read_wav(self.path.read_bytes())
        except OSError as error:
            raise SpeechError(f"{self.path}: {error.strerror}") from error
        except SpeechError as error:
            raise SpeechError(f"{self.path}: {error.args[0]}") from error


def fault_of(path: Path) -> str:
    """What keeps a recording from being heard; empty when nothing does. Only the head of the file is read."""
    try:
        if path.stat().st_size > LARGEST:
            return f"this file is larger than {LARGEST // 1_000_000} MB"
        with path.open("rb") as file:
            content = mmap(file.fileno(), 0, access=ACCESS_READ) if path.stat().st_size else b""
            with memoryview(content) as data:
                check_wav(data)
    except OSError as error:
        return f"this file cannot be read ({error.strerror})"
    except SpeechError as error:
        return str(error.args[0])
    return ""


Recordings = Mapping[tuple[Language, str], Recording]


def scan(root: Path, level_lufs: float, known: Recordings) -> tuple[Recordings, list[str]]:
    """The recordings under `root`, and what is wrong with those that cannot be had.

    Only files that changed since `known` are read.
    """
    found: dict[tuple[Language, str], Recording] = {}
    problems: list[str] = []
    for language in Language:
        for path in sorted((root / language).glob("*.[wW][aA][vV]")):
            try:
                status = path.stat()
                signature = (status.st_mtime_ns, status.st_size)
                before = known.get((language, path.stem))
                if before is not None and before.path == path and before.signature == signature:
                    found[language, path.stem] = before
                elif status.st_size > LARGEST:
                    problems.append(f"{path}: larger than {LARGEST // 1_000_000} MB")
                else:
                    content = hashlib.sha256(f"{VERSION} {level_lufs} ".encode() + path.read_bytes())
                    found[language, path.stem] = Recording(path, signature, content.hexdigest()[:40])
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
    return found, problems
