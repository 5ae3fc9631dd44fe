"""The folder of recordings and what the database knows of them, on each kind of database."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from ivr.config.model import Recordings
from ivr.domain.contact import Contact, ContactId
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.domain.recording import Purpose, RecordingId, Take, Tape
from ivr.errors import RecordingFailed, StoreUnavailable
from ivr.simulation.manual_clock import ManualClock
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database
from ivr.store.recording_folder import CLOSED_WITHIN, QUIET, RecordingFolder
from ivr.store.recordings import StoredRecordings

CALL = ContactId("klantlijn-1790000000.1")
SPEECH = (np.sin(np.arange(8000 * 3)) * 8000).astype("<i2").tobytes()
HUSH = bytes(8000 * 2 * 2)


class Shelf:
    """A folder of recordings, its database, and an Asterisk that writes there."""

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path / "recordings"
        self.clock = ManualClock()
        self.store = StoredRecordings(database)
        self.contacts = StoredContacts(database)
        self.folder = self.again()

    def again(self) -> RecordingFolder:
        """The folder as another process has it."""
        return RecordingFolder(Recordings(path=self.path, keep_days=30), self.store, self.clock)

    async def tape(self, purpose: Purpose = Purpose.VOICEMAIL, least: float = 1.0) -> Tape:
        return await self.folder.tape(
            purpose, CALL, step="night.voicemail", language=Language.NL, box="support", least=least
        )

    def record(self, tape: Tape, sound: bytes = SPEECH, *, ago: float = 0.0) -> None:
        """What Asterisk does: open the file that is there, and write a header and samples."""
        path = Path(f"{tape.ref}.wav")
        with path.open("r+b") as file:
            file.write(bytes(44) + sound)
        written = self.clock.now().timestamp() - ago
        os.utime(path, (written, written))

    async def known(self, purpose: Purpose = Purpose.VOICEMAIL) -> list[tuple[str, float]]:
        found = await self.store.recordings(purpose, heard=True)
        return [(spoken.recording.id, spoken.recording.seconds) for spoken in found]

    def files(self) -> set[str]:
        return {path.name for path in self.path.iterdir()}


@pytest.fixture
async def shelf(tmp_path: Path, database: Database) -> Shelf:
    made = Shelf(tmp_path, database)
    await made.folder.open()
    return made


async def test_a_recording_that_is_kept_is_in_the_database_as_it_was_made(shelf: Shelf) -> None:
    number = PhoneNumber("+31612345678")
    await shelf.contacts.write([Contact(CALL, shelf.clock.now(), number=number)], [], [])
    tape = await shelf.tape()
    shelf.record(tape)
    assert await shelf.folder.sounding(tape, Take(3.0)) == pytest.approx(3.0)
    shelf.folder.keep(tape)
    await shelf.folder.settle()
    (spoken,) = await shelf.store.recordings(Purpose.VOICEMAIL, heard=False)
    made = spoken.recording
    assert spoken.number == number
    assert (made.id, made.contact_id, made.made_at, made.box) == (tape.id, CALL, shelf.clock.now(), "support")
    assert (made.step, made.language, made.seconds) == ("night.voicemail", Language.NL, 3.0)
    assert shelf.files() == {made.file}
    assert Path(f"{tape.ref}.wav") == shelf.path / made.file


async def test_nothing_is_stored_while_somebody_may_still_speak(shelf: Shelf) -> None:
    shelf.record(await shelf.tape())
    await shelf.folder.settle()
    assert await shelf.known() == []


async def test_what_is_discarded_is_gone(shelf: Shelf) -> None:
    tape = await shelf.tape()
    shelf.record(tape)
    shelf.folder.discard(tape)
    await shelf.folder.settle()
    assert (await shelf.known(), shelf.files()) == ([], set())


async def test_what_is_discarded_after_it_was_stored_is_gone_too(shelf: Shelf) -> None:
    """A caller may think for long about what to do with their message."""
    tape = await shelf.tape()
    shelf.record(tape, ago=QUIET + 1)
    await shelf.folder.settle()
    assert await shelf.known() == [(tape.id, 3.0)]
    shelf.folder.discard(tape)
    await shelf.folder.settle()
    assert (await shelf.known(), shelf.files()) == ([], set())


async def test_the_message_of_a_process_that_died_is_kept_by_the_next(shelf: Shelf) -> None:
    spoken, silent = await shelf.tape(), await shelf.tape()
    shelf.record(spoken, ago=QUIET + 1)
    shelf.record(silent, HUSH, ago=QUIET + 1)
    after = shelf.again()
    await after.open()
    await after.settle()
    assert await shelf.known() == [(spoken.id, 3.0)]
    assert shelf.files() == {f"{spoken.id}.wav"}


async def test_a_database_that_is_away_loses_nothing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("gone")

    tape = await shelf.tape()
    shelf.record(tape)
    with monkeypatch.context() as patch:
        patch.setattr(shelf.store, "keep", away)
        shelf.folder.keep(tape)
        await shelf.folder.settle()
    assert shelf.files() == {f"{tape.id}.wav", f"{tape.id}.json"}
    await shelf.folder.settle()
    assert await shelf.known() == [(tape.id, 3.0)]


async def test_a_recording_of_a_call_grows_until_it_is_quiet(shelf: Shelf) -> None:
    tape = await shelf.tape(Purpose.CALL, least=0)
    assert tape.id == CALL
    shelf.record(tape, ago=CLOSED_WITHIN + 1)
    await shelf.folder.settle()
    assert await shelf.known(Purpose.CALL) == []
    shelf.folder.keep(tape)
    await shelf.folder.settle()
    assert await shelf.known(Purpose.CALL) == [(tape.id, 3.0)]
    # It goes on after all: the same tape, with what is on it.
    assert await shelf.tape(Purpose.CALL, least=0) == tape
    shelf.record(tape, SPEECH + SPEECH, ago=QUIET + 1)
    await shelf.folder.settle()
    assert await shelf.known(Purpose.CALL) == [(tape.id, 6.0)]


async def test_asterisk_may_still_write_the_end_of_a_call_whose_recording_was_stopped(shelf: Shelf) -> None:
    tape = await shelf.tape(Purpose.CALL, least=0)
    shelf.folder.keep(tape)
    shelf.record(tape, b"")
    await shelf.folder.settle()
    assert f"{tape.id}.wav" in shelf.files()


async def test_others_have_no_rights_whatever_the_folder_and_umask_were(tmp_path: Path, database: Database) -> None:
    shelf = Shelf(tmp_path, database)
    shelf.path.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        await shelf.folder.open()
        tape = await shelf.tape()
    finally:
        os.umask(before)
    for path in (shelf.path, *shelf.path.iterdir()):
        assert path.stat().st_mode & 0o007 == 0, path
    assert modes(Path(f"{tape.ref}.wav"), Path(f"{tape.ref}.json")) == [0o660, 0o600]


async def test_a_name_cannot_lead_out_of_the_folder(shelf: Shelf) -> None:
    tape = await shelf.folder.tape(Purpose.CALL, ContactId("../../x,y${z}"), step="", language=Language.NL)
    assert Path(tape.ref).parent == shelf.path
    assert not set(tape.id) & set("/,${}")


async def test_an_asterisk_that_writes_elsewhere_is_noticed(shelf: Shelf) -> None:
    tape = await shelf.tape()
    with pytest.raises(RecordingFailed, match="same disk"):
        await shelf.folder.sounding(tape, Take(5.0))
    assert await shelf.folder.sounding(tape, Take(0.0)) == 0


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, database: Database) -> None:
    shelf = Shelf(tmp_path, database)
    with pytest.raises(RecordingFailed, match="cannot be written"):
        await shelf.tape()


async def test_a_damaged_note_holds_nothing_up(shelf: Shelf) -> None:
    (shelf.path / "half.json").write_text('{"contact_id": "1"')
    tape = await shelf.tape()
    shelf.record(tape)
    shelf.folder.keep(tape)
    await shelf.folder.settle()
    assert await shelf.known() == [(tape.id, 3.0)]


async def test_what_is_too_old_is_removed_from_folder_and_database(shelf: Shelf) -> None:
    old = await shelf.tape()
    shelf.record(old)
    shelf.folder.keep(old)
    await shelf.folder.settle()
    await shelf.clock.advance(timedelta(days=29).total_seconds())
    new = await shelf.tape()
    shelf.record(new)
    shelf.folder.keep(new)
    await shelf.folder.settle()
    await shelf.folder.remove_old()
    assert {name for name, _ in await shelf.known()} == {old.id, new.id}
    await shelf.clock.advance(timedelta(days=2).total_seconds())
    await shelf.folder.remove_old()
    assert (await shelf.known(), shelf.files()) == ([(new.id, 3.0)], {f"{new.id}.wav"})


async def test_who_heard_a_recording_first_counts(shelf: Shelf) -> None:
    tape = await shelf.tape()
    shelf.record(tape)
    shelf.folder.keep(tape)
    await shelf.folder.settle()
    first = shelf.clock.now()
    assert await shelf.store.mark_heard(tape.id, first)
    assert await shelf.store.mark_heard(tape.id, first + timedelta(hours=1))
    assert not await shelf.store.mark_heard(RecordingId("nothing"), first)
    assert await shelf.store.recordings(Purpose.VOICEMAIL, heard=False) == []
    (spoken,) = await shelf.store.recordings(Purpose.VOICEMAIL, heard=True)
    assert spoken.recording.heard_at == first


async def test_what_is_kept_is_stored_at_once_by_what_runs_in_the_background(shelf: Shelf) -> None:
    tape = await shelf.tape()
    shelf.record(tape)
    running = asyncio.create_task(shelf.folder.run())
    await shelf.clock.settle()
    shelf.folder.keep(tape)
    stored = shelf.path / f"{tape.id}.json"
    assert await asyncio.to_thread(is_gone, stored)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await shelf.known() == [(tape.id, 3.0)]


def is_gone(path: Path, limit: float = 5.0) -> bool:
    """Wait until a file is not there any more."""
    last = time.monotonic() + limit
    while path.exists() and time.monotonic() < last:
        time.sleep(0.01)
    return not path.exists()


def modes(*paths: Path) -> list[int]:
    return [path.stat().st_mode & 0o777 for path in paths]
