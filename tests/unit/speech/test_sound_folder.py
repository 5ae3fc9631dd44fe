"""The folder of ready sounds and its memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ivr.errors import SpeechError
from ivr.speech.folder import SoundFolder
from ivr.speech.telephony import prepare
from tests.unit.speech.tone_engine import tone

KEY = "a" * 40
FORMATS = ("sln", "ulaw", "alaw")


def folder_at(path: Path, formats: tuple[str, ...] = FORMATS) -> SoundFolder:
    return SoundFolder(path, formats)


def test_what_is_written_is_found_again(tmp_path: Path) -> None:
    seconds = folder_at(tmp_path).write(KEY, prepare(tone(1), -19))
    assert folder_at(tmp_path).scan() == {KEY: seconds}
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{KEY}.{name}" for name in ("alaw", "sln", "ulaw")]


def test_a_sound_with_a_missing_or_a_cut_file_is_not_there(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    folder.write(KEY, prepare(tone(1), -19))
    (tmp_path / f"{KEY}.sln").write_bytes(b"ab")
    assert folder.scan() == {}
    (tmp_path / f"{KEY}.sln").unlink()
    assert folder.scan() == {}


def test_a_sound_made_for_a_shared_disk_is_not_there_over_http(tmp_path: Path) -> None:
    folder_at(tmp_path).write(KEY, prepare(tone(1), -19))
    assert folder_at(tmp_path, ("wav", *FORMATS)).scan() == {}


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.alaw").write_bytes(b"x")
    folder = folder_at(tmp_path)
    assert folder.scan() == {}
    folder.remove(KEY)
    assert (tmp_path / "notes.alaw").exists()


def test_a_folder_that_is_not_there_is_empty_and_cannot_be_written(tmp_path: Path) -> None:
    folder = folder_at(tmp_path / "gone")
    assert folder.scan() == {}
    with pytest.raises(SpeechError, match="cannot be written: No such file"):
        folder.write(KEY, prepare(tone(1), -19))


def test_a_full_disk_leaves_no_half_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SpeechError, match="No space left on device"):
        folder_at(tmp_path).write(KEY, prepare(tone(1), -19))
    assert list(tmp_path.iterdir()) == []


def test_the_memory_follows_the_disk_but_keeps_what_was_written_meanwhile(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    folder.seconds = {"vanished": 1.0, "just written": 2.0}
    folder.remember({"found": 3.0}, known_before={"vanished"})
    assert folder.seconds == {"just written": 2.0, "found": 3.0}


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    samples = prepare(tone(0.1), -19)
    for age, sign in enumerate("abc"):
        folder.write(sign * 40, samples)
        os.utime(tmp_path / f"{sign * 40}.alaw", (1000 - age, 1000 - age))
    folder.remove_oldest(2)
    assert set(folder.scan()) == {"a" * 40, "b" * 40}
