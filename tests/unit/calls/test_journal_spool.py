"""The spool on disk."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.calls.entries import encode
from ivr.calls.spool import Spool
from ivr.domain.contact import Contact, ContactId
from ivr.errors import SetupError

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def contact(number: int) -> Contact:
    return Contact(ContactId(str(number)), START)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    opened = Spool(tmp_path / "spool")
    assert opened.open() == []
    return opened


def test_lines_are_left_for_the_next_owner_in_order(spool: Spool, tmp_path: Path) -> None:
    for number in range(12):
        spool.append(encode(contact(number)))
        spool.roll()
    spool.close()
    successor = Spool(tmp_path / "spool")
    left = successor.open()
    assert [entry for segment in left for entry in successor.read(segment)] == [contact(n) for n in range(12)]
    assert successor.segment not in left


def test_a_line_that_was_cut_off_is_passed_over(spool: Spool) -> None:
    spool.append(encode(contact(1)))
    spool.append(encode(contact(2))[:-7])
    assert spool.read(spool.roll()) == [contact(1)]


def test_a_damaged_line_is_put_aside_and_the_others_are_read(spool: Spool, tmp_path: Path) -> None:
    spool.append(encode(contact(1)))
    spool.append(b"what is this\n")
    spool.append(encode(contact(2)))
    assert spool.read(spool.roll()) == [contact(1), contact(2)]
    assert (tmp_path / "spool" / "refused.jsonl").read_bytes() == b"what is this\n"


def test_a_line_after_one_that_the_disk_cut_off_is_whole(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def full(file: int, line: bytes) -> int:
        write(file, line[:9])
        raise OSError(errno.ENOSPC, "No space left on device")

    spool.append(encode(contact(1)))
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            spool.append(encode(contact(2)))
    spool.append(encode(contact(3)))
    assert spool.read(spool.roll()) == [contact(1), contact(3)]


def test_only_the_owner_may_read_it(spool: Spool, tmp_path: Path) -> None:
    spool.append(encode(contact(1)))
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "spool", spool.segment)]
    assert modes == [0o700, 0o600]


def test_two_processes_never_share_a_spool(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="another Klantlijn"):
        Spool(tmp_path / "spool").open()
    spool.close()
    Spool(tmp_path / "spool").open()


def test_a_folder_that_cannot_be_used_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be used"):
        Spool(tmp_path / "file" / "spool").open()


def test_what_lines_still_go_to_has_to_be_synced_again(spool: Spool) -> None:
    spool.append(encode(contact(1)))
    ended = spool.roll()
    spool.append(encode(contact(2)))
    assert set(spool.unsynced()) == {ended, spool.segment}
    spool.sync(spool.unsynced())
    spool.note_synced(spool.unsynced())
    assert spool.unsynced() == (spool.segment,)


def test_a_segment_is_put_in_the_place_of_a_damaged_one(spool: Spool) -> None:
    spool.append(b"half a li")
    ended = spool.roll()
    spool.rewrite(ended, encode(contact(1)) + encode(contact(2)))
    assert spool.read(ended) == [contact(1), contact(2)]
