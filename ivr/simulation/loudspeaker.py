"""The loudspeaker of this machine: sounds that are played by a program it has."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PLAYERS = {
    "aplay": ("-q",),
    "paplay": (),
    "pw-play": (),
    "ffplay": ("-nodisp", "-autoexit", "-loglevel", "error"),
}
"""Programs that play the WAV file behind these arguments, the first to be looked for first."""
INSTALL = "install one of alsa-utils (aplay), pulseaudio-utils (paplay), pipewire-bin (pw-play), ffmpeg (ffplay)"
LATE = 2.0
"""Seconds that a program may sound longer than the sound is, for it has to be started."""


@dataclass
class Loudspeaker:
    """Plays WAV files, one at a time. Where it cannot, `complain` is told why, once, and all stays silent."""

    complain: Callable[[str], None]

    def __post_init__(self) -> None:
        self._program = next((found for name in PLAYERS if (found := shutil.which(name))), "")
        if not self._program:
            self.complain(f"nothing here plays sound; {INSTALL}. Going on in text")

    @asynccontextmanager
    async def playing(self, wav: bytes, seconds: float) -> AsyncIterator[None]:
        """Sound while this lasts: to its end, or silent at once when it is left before its `seconds` are over."""
        process = await self._start(wav) if self._program else None
        if process is None:
            yield
            return
        clock = asyncio.get_running_loop()
        ends_at = clock.time() + seconds
        watching = asyncio.create_task(self._watch(process, ends_at))
        is_whole = False
        try:
            yield
            is_whole = clock.time() >= ends_at
        finally:
            try:
                if is_whole:
                    await asyncio.wait([watching], timeout=LATE)
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                await watching

    async def _start(self, wav: bytes) -> Process | None:
        """The program, playing a file that has no name, so that nothing of what callers are told is left behind."""
        try:
            with tempfile.TemporaryFile() as file:
                file.write(wav)
                file.seek(0)
                descriptor = file.fileno()
                return await asyncio.create_subprocess_exec(
                    self._program,
                    *PLAYERS[Path(self._program).name],
                    f"/dev/fd/{descriptor}",
                    stdin=DEVNULL,
                    stdout=DEVNULL,
                    stderr=PIPE,
                    pass_fds=(descriptor,),
                    start_new_session=True,  # Ctrl-C is for us, who then end it
                )
        except OSError as error:
            self._give_up(error.strerror or str(error))
            return None

    async def _watch(self, process: Process, ends_at: float) -> None:
        _, written = await process.communicate()
        lines = written.decode(errors="replace").strip().splitlines()
        was_killed = (process.returncode or 0) < 0
        # Some say what is wrong, and that all went well.
        is_early = bool(lines) and asyncio.get_running_loop().time() < ends_at
        if not was_killed and (process.returncode or is_early):
            self._give_up(lines[-1] if lines else f"it ends with {process.returncode}")

    def _give_up(self, reason: str) -> None:
        name = Path(self._program).name
        self.complain(f"{name} cannot play sound here ({reason}); does the sound card work? Going on in text")
        self._program = ""
