"""The folder of recordings: sounds that Asterisk writes, each with a note until the database knows of it.

Beside `<id>.wav` lies `<id>.json`: what the sound is. The note is there before anybody speaks, so that neither a
database that is away nor our own end loses a recording, and it goes when the row is stored. Both files are made here
and Asterisk writes into the one that is there: so their rights are ours, whatever Asterisk's umask is.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from structlog.stdlib import get_logger

from ivr.config.model import Recordings
from ivr.domain.contact import ContactId
from ivr.domain.language import Language
from ivr.domain.recording import Purpose, Recording, RecordingId, Take, Tape
from ivr.errors import RecordingFailed, SetupError, StoreError
from ivr.ports import Clock
from ivr.store.recordings import StoredRecordings

FOLDER_MODE = 0o2750  # the group may be Asterisk's, also that of what is made in it; others never
SOUND_MODE = 0o660
NOTE_MODE = 0o600
OTHERS = 0o007

RATE, HEADER, SAMPLE = 8000, 44, 2
"""Asterisk's format `wav`: 16-bit samples behind a header (formats/format_wav.c)."""
FRAME = 160
LOUD = 256
"""Mean amplitude of 20 ms that Asterisk no longer takes for silence (`silencethreshold` in dsp.conf)."""
LOST = 0.5
"""Seconds that Asterisk may say it recorded though the file has none of them."""

LOOKED_AFTER_EACH = 10.0
REMOVED_EACH = 3600.0
"""Seconds."""
QUIET = 15.0
"""Seconds. What nobody wrote to for so long is complete, though nobody said so: its call has ended, or its engine."""
CLOSED_WITHIN = 5.0
"""Seconds that Asterisk may still write to a recording of a call that was stopped."""

log = get_logger()


class RecordingFolder:
    """Keeps recordings (an `ivr.ports.RecordingShelf`). `run` looks after what was spoken."""

    def __init__(self, config: Recordings, store: StoredRecordings, clock: Clock) -> None:
        self._path = config.path.absolute()
        self._keep_for = timedelta(days=config.keep_days)
        self._store = store
        self._clock = clock
        self._kept: set[RecordingId] = set()
        self._discarded: set[RecordingId] = set()
        self._news = asyncio.Event()

    async def open(self) -> None:
        """Make the folder, and see that others cannot look into it. Raises SetupError."""
        await asyncio.to_thread(self._open)

    # --- what flows ask (RecordingShelf) ---

    async def tape(
        self, purpose: Purpose, contact_id: ContactId, *, step: str, language: Language, box: str = "", least: float = 0
    ) -> Tape:
        """An empty tape; for a recording of the call the one that this contact has already. Raises RecordingFailed."""
        # An id becomes the name of a file, and Asterisk's may hold the name of a system.
        base = re.sub(r"[^A-Za-z0-9._-]", "_", contact_id).lstrip(".") or "call"
        name = base if purpose is Purpose.CALL else f"{base}-{secrets.token_hex(4)}"
        made = Recording(RecordingId(name), contact_id, self._clock.now(), purpose, step, language, box)
        try:
            await asyncio.to_thread(self._make, made, least)
        except OSError as error:
            raise RecordingFailed(f"{self._path} cannot be written ({error.strerror})") from error
        self._kept.discard(made.id)
        return Tape(made.id, str(self._path / made.id))

    async def sounding(self, tape: Tape, take: Take) -> float:
        """How many seconds of a take hold sound. Raises RecordingFailed."""
        try:
            long, loud = await asyncio.to_thread(_measured, self._sound(tape.id))
        except OSError as error:
            raise RecordingFailed(f"{self._sound(tape.id)} cannot be read ({error.strerror})") from error
        if take.seconds > LOST and not long:
            raise RecordingFailed(
                f"Asterisk recorded {take.seconds:.1f} s, and {self._sound(tape.id)} is empty; "
                "it has to write to the same disk (docs/recordings.md)"
            )
        return loud

    def keep(self, tape: Tape) -> None:
        """The recording is complete."""
        self._kept.add(tape.id)
        self._news.set()

    def discard(self, tape: Tape) -> None:
        """The recording is not wanted."""
        self._kept.discard(tape.id)
        self._discarded.add(tape.id)
        self._news.set()

    # --- what is done in the background ---

    async def run(self) -> None:
        """Store what was recorded and remove what is too old, until cancelled."""
        removed_at = -REMOVED_EACH
        while True:
            self._news.clear()
            await self.settle()
            if self._clock.monotonic() - removed_at >= REMOVED_EACH:
                removed_at = self._clock.monotonic()
                await self.remove_old()
            await self._something_new()

    async def settle(self) -> None:
        """Bring the database in step with the folder, as far as it can be reached."""
        try:
            for recording_id in list(self._discarded):
                await self._remove(recording_id)
                self._discarded.discard(recording_id)
            for recording, least in await asyncio.to_thread(lambda: list(self._notes())):
                if await asyncio.to_thread(self._is_complete, recording):
                    await self._store_or_drop(recording, least)
                    self._kept.discard(recording.id)
        except (StoreError, OSError) as error:
            # What was recorded stays where it is, and its note with it.
            log.warning("recordings are not in the database yet", error=str(error))

    async def remove_old(self) -> None:
        """Remove what was kept for long enough: from this folder by its age, and from the database."""
        before = self._clock.now() - self._keep_for
        try:
            gone = await asyncio.to_thread(self._remove_files, before)
            await self._store.forget_before(before)
        except (StoreError, OSError) as error:
            log.warning("old recordings could not be removed", error=str(error))
        else:
            log.info("old recordings removed", sounds=gone) if gone else None

    async def _something_new(self) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(LOOKED_AFTER_EACH))
        told = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait({sleeping, told}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            told.cancel()

    async def _store_or_drop(self, recording: Recording, least: float) -> None:
        long, loud = await asyncio.to_thread(_measured, self._sound(recording.id))
        if not long or loud < least:
            await self._remove(recording.id)
            return
        stored = Recording(
            recording.id,
            recording.contact_id,
            recording.made_at,
            recording.purpose,
            recording.step,
            recording.language,
            recording.box,
            round(long, 1),
        )
        await self._store.keep(stored)
        await asyncio.to_thread(self._note(recording.id).unlink, missing_ok=True)

    async def _remove(self, recording_id: RecordingId) -> None:
        note, sound = self._note(recording_id), self._sound(recording_id)
        stored = not await asyncio.to_thread(note.exists)
        for path in (sound, note):
            await asyncio.to_thread(path.unlink, missing_ok=True)
        if stored:
            await self._store.forget(recording_id)

    # --- on the disk ---

    def _sound(self, recording_id: RecordingId) -> Path:
        return self._path / f"{recording_id}.wav"

    def _note(self, recording_id: RecordingId) -> Path:
        return self._path / f"{recording_id}.json"

    def _open(self) -> None:
        try:
            if not self._path.is_dir():
                self._path.mkdir(parents=True)
                self._path.chmod(FOLDER_MODE)
            mode = self._path.stat().st_mode
            if mode & OTHERS:
                self._path.chmod(mode & 0o7777 & ~OTHERS)
        except OSError as error:
            raise SetupError(
                f"the folder {self._path} cannot be made, or closed to others ({error.strerror}); "
                "see recordings.path in config.yaml"
            ) from error

    def _make(self, recording: Recording, least: float) -> None:
        note = {
            "contact_id": recording.contact_id,
            "made_at": recording.made_at.isoformat(),
            "purpose": recording.purpose.value,
            "step": recording.step,
            "language": recording.language.value,
            "box": recording.box,
            "least": least,
        }
        # Of a call that goes on being recorded both are there already.
        _write(self._note(recording.id), json.dumps(note).encode(), NOTE_MODE, os.O_TRUNC)
        _write(self._sound(recording.id), b"", SOUND_MODE, os.O_APPEND)

    def _notes(self) -> Iterator[tuple[Recording, float]]:
        for path in self._path.glob("*.json"):
            try:
                told = json.loads(path.read_bytes())
                yield (
                    Recording(
                        RecordingId(path.stem),
                        ContactId(told["contact_id"]),
                        datetime.fromisoformat(told["made_at"]),
                        Purpose(told["purpose"]),
                        told["step"],
                        Language(told["language"]),
                        told["box"],
                    ),
                    float(told["least"]),
                )
            except FileNotFoundError:
                continue
            except (ValueError, KeyError, TypeError) as error:
                # Half a note is one that was cut off before anybody spoke.
                log.warning("a recording's note cannot be read", note=path.name, error=str(error))

    def _is_complete(self, recording: Recording) -> bool:
        kept = recording.id in self._kept
        if kept and recording.purpose is not Purpose.CALL:
            return True
        try:
            written = self._sound(recording.id).stat().st_mtime
        except FileNotFoundError:
            return True
        return self._clock.now().timestamp() - written > (CLOSED_WITHIN if kept else QUIET)

    def _remove_files(self, before: datetime) -> int:
        gone = 0
        for path in [*self._path.glob("*.wav"), *self._path.glob("*.json")]:
            if path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)
                gone += path.suffix == ".wav"
        return gone


def _write(path: Path, content: bytes, mode: int, how: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | how, mode), "wb") as file:
        # The mode at opening is less than what the umask takes away.
        os.fchmod(file.fileno(), mode)
        file.write(content)


def _measured(sound: Path) -> tuple[float, float]:
    """The length of a sound and how much of it is not silence, in seconds; 0, 0 when there is none.

    By its size and not by its header, which Asterisk writes last. Raises OSError.
    """
    try:
        content = sound.read_bytes()[HEADER:]
    except FileNotFoundError:
        return 0.0, 0.0
    samples = np.frombuffer(content[: len(content) // SAMPLE * SAMPLE], "<i2")
    whole = samples[: len(samples) // FRAME * FRAME].astype(np.int32).reshape(-1, FRAME)
    loud = int((np.abs(whole).mean(axis=1) > LOUD).sum()) if len(whole) else 0
    return len(samples) / RATE, loud * FRAME / RATE
