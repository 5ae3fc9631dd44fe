"""The spool: journal entries on disk, in order, until the database has them.

A folder of segments, `000000000001.jsonl` and on, an entry a line. A line is handed to the
operating system at once, so it survives the death of this process at any moment; after
`sync` it survives the machine's, too. A line that was cut off while it was written is
passed over. What the database refuses for good is put aside in `refused.jsonl`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from structlog.stdlib import get_logger

from ivr.calls.entries import Entry, decode
from ivr.errors import SetupError

log = get_logger()

APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class Spool:
    """A spool in `folder`, for one process at a time. Only its owner may read it: entries hold numbers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None
        self._file: int | None = None
        self._segment = self._path(1)
        self._is_cut_off = False
        self._unsynced: set[Path] = set()

    @property
    def segment(self) -> Path:
        """The file that the next line goes to."""
        return self._segment

    def open(self) -> Sequence[Path]:
        """Take the folder and return the segments that were left in it, oldest first.

        Raises:
            SetupError: the folder cannot be used, or another process uses it.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left = sorted(path for path in self._folder.glob("*.jsonl") if path.stem.isdigit())
        except BlockingIOError as error:
            self.close()
            raise SetupError(f"another Klantlijn uses {self._folder}; give each its own database.spool") from error
        except OSError as error:
            self.close()
            raise SetupError(f"database.spool {self._folder} cannot be used: {error.strerror}") from error
        self._segment = self._path(int(left[-1].stem) + 1 if left else 1)
        return left

    def append(self, line: bytes) -> None:
        """Add a line to the segment. Raises OSError; then the line may be missing."""
        if self._file is None:
            self._file = os.open(self._segment, APPEND, 0o600)
            self._unsynced.add(self._segment)
        if self._is_cut_off:
            line = b"\n" + line
        self._is_cut_off = True
        if os.write(self._file, line) != len(line):
            raise OSError("the line was cut off")
        self._is_cut_off = False

    def roll(self) -> Path:
        """End the segment, so that the next line begins another; returns the one that ended."""
        ended = self._segment
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._is_cut_off = False
        self._segment = self._path(int(ended.stem) + 1)
        return ended

    def rewrite(self, segment: Path, lines: bytes) -> None:
        """Put other lines in the place of a segment that ended. Raises OSError; then it is as it was."""
        draft = segment.with_suffix(".draft")
        draft.write_bytes(lines)
        draft.chmod(0o600)
        draft.replace(segment)
        self._unsynced.add(segment)

    def read(self, segment: Path) -> Sequence[Entry]:
        """The entries of a segment that ended; damaged lines are put aside. Raises OSError."""
        entries: list[Entry] = []
        *lines, rest = segment.read_bytes().split(b"\n")
        if rest:
            log.warning("journal line was cut off by a crash", segment=segment.name, bytes=len(rest))
        for line in lines:
            if line:
                try:
                    entries.append(decode(line))
                except ValueError as error:
                    log.error("journal line put aside", segment=segment.name, error=str(error))
                    self.put_aside(line + b"\n")
        return entries

    def remove(self, segment: Path) -> None:
        """Forget a segment. Raises OSError."""
        self._unsynced.discard(segment)
        segment.unlink(missing_ok=True)

    def unsynced(self) -> Sequence[Path]:
        """The segments that would not survive the machine yet."""
        return tuple(self._unsynced)

    def note_synced(self, segments: Iterable[Path]) -> None:
        """These were synced; the one that lines still go to has to be again."""
        self._unsynced.difference_update(set(segments) - {self._segment})

    def sync(self, segments: Iterable[Path]) -> None:
        """Make segments survive the machine. May run in a thread. Raises OSError."""
        for path in [*segments, self._folder]:
            try:
                file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                os.fsync(file)
            finally:
                os.close(file)

    def put_aside(self, line: bytes) -> None:
        """Keep a line that the database will never take, for people to look at. Raises OSError."""
        file = os.open(self._folder / "refused.jsonl", APPEND, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)

    def close(self) -> None:
        """End the segment and leave the folder to others."""
        self.roll()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012}.jsonl"
