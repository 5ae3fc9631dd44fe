"""eSpeak NG as a process: one a text, so that nothing it does can hold up or bring down a call."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Sequence
from subprocess import PIPE

from ivr.config.model import Speech
from ivr.domain.language import Language
from ivr.errors import SpeechError
from ivr.speech.sound import Sound
from ivr.speech.synthesis import speakable, voice_of
from ivr.speech.wav import read_wav

INSTALL = "install it: apt-get install espeak-ng"

NICENESS = 10
"""How far it stands back for other processes; see nice(2)."""


class EspeakNg:
    """Speaks by `espeak-ng --stdin --stdout`; the text never meets a shell and never becomes an option."""

    def __init__(self, speech: Speech, *, program: str = "espeak-ng") -> None:
        self._speech = speech
        self._program = program
        self._version = "unknown"

    async def open(self) -> None:
        """Learn the version and see that each voice exists. Raises SpeechError."""
        said = (await self._run("--version")).decode(errors="replace")
        found = re.search(r"\d+(\.\d+)+", said)
        self._version = found[0] if found else "unknown"
        for language in self._speech.voices:
            await self.speak("a", language)

    def identity(self, language: Language) -> str:
        """Engine, version, voice and speed."""
        voice = self._speech.voices.get(language, "")
        return f"espeak-ng {self._version} {voice} {self._speech.words_per_minute}"

    async def speak(self, text: str, language: Language) -> Sound:
        """Speak a text. Raises SpeechError."""
        voice = voice_of(self._speech.voices, language)
        speed = str(self._speech.words_per_minute)
        options = ("-v", voice, "-s", speed, "-b", "1", "-z", "--stdin", "--stdout")
        return read_wav(await self._run(*options, text=speakable(text)))

    async def close(self) -> None:
        """Nothing is kept between texts."""

    async def _run(self, *options: str, text: str = "") -> bytes:
        # Starting a process takes milliseconds, which calls would have to wait for on the event loop.
        code, output, errors = await asyncio.to_thread(self._run_here, options, text)
        if code:
            # A missing voice is the usual reason; what it says of it is safe to show, it never quotes the text.
            reason = " ".join(errors.decode(errors="replace").split())[:200]
            voices = "; `espeak-ng --voices` lists the voices for speech.voices in config.yaml"
            raise SpeechError(f"{self._program} ended with {code}: {reason}{voices}")
        return output

    def _run_here(self, options: Sequence[str], text: str) -> tuple[int, bytes, bytes]:
        try:
            command = (self._program, *options)  # never a shell; the text goes by standard input
            process = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE)  # noqa: S603 - see above
        except FileNotFoundError as error:
            raise SpeechError(f"{self._program} is not there; {INSTALL}") from error
        except OSError as error:
            raise SpeechError(f"{self._program} cannot be started: {error.strerror}") from error
        with process:
            # What is spoken later makes room for the calls of this moment.
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
            try:
                output, errors = process.communicate(text.encode(), self._speech.timeout)
            except subprocess.TimeoutExpired as error:
                process.kill()
                raise SpeechError(f"{self._program} was not done after {self._speech.timeout:g} s") from error
        return process.returncode, output, errors
