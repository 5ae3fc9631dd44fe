"""Sounds with customers' data."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ivr.errors import SpeechError
from ivr.speech.passing import PassingSounds
from ivr.speech.telephony import prepare
from tests.unit.speech.tone_engine import tone

SAMPLES = prepare(tone(0.1), -19)


def passing_at(root: Path, **limits: float) -> PassingSounds:
    return PassingSounds(root, ("sln", "alaw"), most=int(limits.get("most", 9)), seconds=limits.get("seconds", 900.0))


def store(passing: PassingSounds, content: str, now: float) -> str:
    key = passing.key(content)
    passing.put(key, passing.write(key, SAMPLES), now)
    return key


def test_names_say_nothing_and_differ_between_processes(tmp_path: Path) -> None:
    one, other = passing_at(tmp_path), passing_at(tmp_path)
    assert one.key("mevrouw Jansen") == one.key("mevrouw Jansen")
    assert one.key("mevrouw Jansen") != other.key("mevrouw Jansen")


def test_others_on_the_machine_cannot_look(tmp_path: Path) -> None:
    passing = passing_at(tmp_path)
    key = store(passing, "x", 0)
    folder = passing.folder.path
    assert stat.S_IMODE(folder.stat().st_mode) & 0o007 == 0
    assert stat.S_IMODE((folder / f"{key}.alaw").stat().st_mode) & 0o007 == 0
    passing.close()


def test_they_go_when_unused_for_a_while(tmp_path: Path) -> None:
    passing = passing_at(tmp_path, seconds=60)
    old, used = store(passing, "old", 0), store(passing, "used", 0)
    assert passing.get(used, 50) is not None
    assert passing.expired(61) == [old]
    passing.remove([old])
    assert passing.get(old, 61) is None
    assert {path.stem for path in passing.folder.path.iterdir()} == {used}
    passing.close()


def test_the_longest_unused_go_when_there_are_too_many(tmp_path: Path) -> None:
    passing = passing_at(tmp_path, most=2)
    first, second, third = (store(passing, name, 0) for name in "abc")
    assert passing.expired(0) == [first]
    assert passing.get(second, 0)
    assert passing.get(third, 0)
    passing.close()


def test_at_the_end_nothing_is_left(tmp_path: Path) -> None:
    passing = passing_at(tmp_path)
    store(passing, "x", 0)
    passing.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_crash_left_is_removed_and_a_living_process_is_left_alone(tmp_path: Path) -> None:
    living = passing_at(tmp_path)
    key = store(living, "x", 0)
    crashed = tmp_path / "0123456789abcdef"
    crashed.mkdir()
    (crashed / "left.alaw").write_bytes(b"x")
    starting = passing_at(tmp_path)
    starting.open()
    assert not crashed.exists()
    assert (living.folder.path / f"{key}.alaw").exists()
    starting.close()
    living.close()


def test_a_place_that_cannot_be_written_is_said_and_tried_again(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    root.write_bytes(b"a file is in the way")
    passing = passing_at(root / "passing")
    with pytest.raises(SpeechError, match="cannot be written"):
        passing.open()
    root.unlink()
    assert store(passing, "x", 0)
    passing.close()
