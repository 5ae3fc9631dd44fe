"""Facts about sound on this machine, with programs for it that write down what they are given."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from ivr.simulation import loudspeaker
from ivr.simulation.loudspeaker import Loudspeaker

WAV = b"RIFF" + bytes(100)


class Room:
    """A folder of programs, what was played by them, and what was complained of."""

    def __init__(self, path: Path) -> None:
        self.path, self.complaints, self.complained = path, list[str](), asyncio.Event()

    def has(self, name: str, then: str) -> None:
        """A program that writes down what it is given, and its process, and then does something."""
        program = self.path / name
        written = 'eval "file=\\${$#}"; /bin/cat "$file" > "$0.wav"; echo "$@" > "$0.arguments"; echo $$ > "$0.pid"'
        program.write_text(f"#!/bin/sh\n{written}\n{then}\n")
        program.chmod(0o755)

    def loudspeaker(self) -> Loudspeaker:
        def complain(what: str) -> None:
            self.complaints.append(what)
            self.complained.set()

        return Loudspeaker(complain)

    async def playing(self, name: str) -> int:
        """The process of a program, once it plays."""
        path, ends_at = self.path / f"{name}.pid", time.monotonic() + 10

        def wait() -> int:
            while not (path.exists() and path.read_text()):
                assert time.monotonic() < ends_at
                time.sleep(0.01)
            return int(path.read_text())

        return await asyncio.to_thread(wait)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("PATH", str(tmp_path))
    return Room(tmp_path)


def runs(process: int) -> bool:
    """Whether a process is there; one that was ended and waited for is not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("name", loudspeaker.PLAYERS)
async def test_any_of_the_programs_is_given_the_whole_sound(room: Room, name: str) -> None:
    room.has(name, "exit 0")
    async with room.loudspeaker().playing(WAV, 0.0):
        await room.playing(name)
    assert (room.path / f"{name}.wav").read_bytes() == WAV
    arguments = (room.path / f"{name}.arguments").read_text().split()
    assert tuple(arguments[:-1]) == loudspeaker.PLAYERS[name]
    assert room.complaints == []


async def test_a_sound_that_is_left_early_is_silent_at_once(room: Room) -> None:
    room.has("aplay", "/bin/sleep 60")
    async with asyncio.timeout(10), room.loudspeaker().playing(WAV, 60.0):
        process = await room.playing("aplay")
        assert runs(process)
    assert not runs(process)
    assert room.complaints == []


async def test_a_sound_that_began_late_is_heard_to_its_end_but_not_waited_for_long(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.has("aplay", '/bin/sleep 0.2; echo done > "$0.done"')
    async with room.loudspeaker().playing(WAV, 0.0):
        pass
    assert (room.path / "aplay.done").exists()
    monkeypatch.setattr(loudspeaker, "LATE", 0.1)
    room.has("aplay", "/bin/sleep 60")
    async with asyncio.timeout(10), room.loudspeaker().playing(WAV, 0.0):
        process = await room.playing("aplay")
    assert not runs(process)


async def test_a_call_that_is_broken_off_leaves_no_program_behind(room: Room) -> None:
    room.has("aplay", "/bin/sleep 60")

    async def hear() -> None:
        async with room.loudspeaker().playing(WAV, 60.0):
            await asyncio.sleep(60)

    hearing = asyncio.create_task(hear())
    process = await room.playing("aplay")
    hearing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hearing
    assert not runs(process)


@pytest.mark.parametrize("code", [0, 1])
async def test_a_program_that_fails_is_told_of_once_and_not_tried_again(room: Room, code: int) -> None:
    """Some end with 0 all the same."""
    room.has("aplay", f'echo first line >&2; echo "no such card" >&2; exit {code}')
    speaker = room.loudspeaker()
    async with asyncio.timeout(10), speaker.playing(WAV, 60.0):
        await room.complained.wait()
    (room.path / "aplay.wav").unlink()
    async with speaker.playing(WAV, 60.0):
        pass
    assert not (room.path / "aplay.wav").exists()
    assert room.complaints == [
        "aplay cannot play sound here (no such card); does the sound card work? Going on in text"
    ]


async def test_without_a_program_it_is_said_what_to_install(room: Room) -> None:
    async with room.loudspeaker().playing(WAV, 60.0):
        pass
    assert len(room.complaints) == 1
    assert "alsa-utils (aplay)" in room.complaints[0]


async def test_a_program_that_cannot_be_started_is_told_of(room: Room) -> None:
    program = room.path / "aplay"
    program.write_text("#!/no/such/shell\n")
    program.chmod(0o755)
    async with room.loudspeaker().playing(WAV, 60.0):
        pass
    assert "aplay cannot play sound here (No such file or directory)" in room.complaints[0]
