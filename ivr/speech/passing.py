"""Sounds with customers' data: in a folder of this process only, for as long as a call may need them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from ivr.errors import SpeechError
from ivr.speech.folder import SoundFolder
from ivr.speech.g711 import Pcm

FOLDER_MODE = 0o750  # the group may be Asterisk's; others never
FILE_MODE = 0o640


class PassingSounds:
    """Sounds that are removed after `seconds` without use, when there are more than `most`, and at the end.

    Keys are keyed hashes with a secret of this process, so that a file's name says nothing
    of its text and cannot be guessed. `open`, `write`, `remove` and `close` work on the disk,
    in any thread; the others on the memory, in one.
    """

    def __init__(self, root: Path, formats: Sequence[str], *, most: int = 2048, seconds: float = 900.0) -> None:
        self._root = root
        self._formats = formats
        self._most = most
        self._seconds = seconds
        self._secret = secrets.token_bytes(32)
        self._used: OrderedDict[str, float] = OrderedDict()
        self._lock: int | None = None
        self._opening = threading.Lock()
        self.folder = SoundFolder(root, formats, file_mode=FILE_MODE)

    def key(self, content: str) -> str:
        """The name of what has this content."""
        return hashlib.blake2b(content.encode(), key=self._secret, digest_size=20).hexdigest()

    def get(self, key: str, now: float) -> float | None:
        """The length of a sound that is there; it then stays for another while. `now` is monotonic."""
        seconds = self.folder.seconds.get(key)
        if seconds is not None:
            self._used[key] = now
            self._used.move_to_end(key)
        return seconds

    def open(self) -> None:
        """Make the folder, and remove those of processes that are no more.

        Raises:
            SpeechError: it cannot be made.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            for left in self._root.iterdir():
                _remove_if_abandoned(left)
            # Under its final name a folder is always locked, so nobody takes a new one for an abandoned one.
            name = secrets.token_hex(8)
            starting = self._root / f".{name}"
            starting.mkdir(mode=FOLDER_MODE)
            self._lock = os.open(starting, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            starting.rename(self._root / name)
        except OSError as error:
            raise SpeechError(f"{self._root} cannot be written: {error.strerror}") from error
        self.folder = SoundFolder(self._root / name, self._formats, file_mode=FILE_MODE)

    def write(self, key: str, samples: Pcm) -> float:
        """Store a sound; its length in seconds. Raises SpeechError."""
        with self._opening:
            if self._lock is None:
                self.open()
        return self.folder.write(key, samples)

    def put(self, key: str, seconds: float, now: float) -> None:
        """Remember a sound that was written."""
        self.folder.seconds[key] = seconds
        self._used[key] = now

    def expired(self, now: float) -> Sequence[str]:
        """Forget the sounds whose time is over; these are to be removed."""
        surplus = len(self._used) - self._most
        over = [key for at, (key, used) in enumerate(self._used.items()) if at < surplus or now - used > self._seconds]
        for key in over:
            del self._used[key]
            self.folder.seconds.pop(key, None)
        return over

    def remove(self, keys: Sequence[str]) -> None:
        """Take these sounds' files away."""
        for key in keys:
            self.folder.remove(key)

    def close(self) -> None:
        """Remove everything."""
        if self._lock is not None:
            shutil.rmtree(self.folder.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = None
        self._used.clear()
        self.folder.seconds.clear()


def _remove_if_abandoned(folder: Path) -> None:
    """A living process holds the lock on its folder."""
    if folder.name.startswith(".") or not folder.is_dir():
        return
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(lock)
