"""eSpeak NG as a process: one a text, so that nothing it does can hold up or bring down a call."""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE

from ivr.config.model import Speech
from ivr.domain.language import Language
from ivr.errors import SpeechError
from ivr.speech.sound import Sound
from ivr.speech.synthesis import speakable, voice_of
from ivr.speech.wav import read_wav

INSTALL = "install it: apt-get install espeak-ng"


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
        try:
            process = await asyncio.create_subprocess_exec(
                self._program, *options, stdin=PIPE if text else DEVNULL, stdout=PIPE, stderr=PIPE
            )
        except FileNotFoundError as error:
            raise SpeechError(f"{self._program} is not there; {INSTALL}") from error
        except OSError as error:
            raise SpeechError(f"{self._program} cannot be started: {error.strerror}") from error
        try:
            async with asyncio.timeout(self._speech.timeout):
                output, errors = await process.communicate(text.encode() if text else None)
        except TimeoutError as error:
            raise SpeechError(f"{self._program} was not done after {self._speech.timeout:g} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            # A missing voice is the usual reason; what it says of it is safe to show, it never quotes the text.
            reason = " ".join(errors.decode(errors="replace").split())[:200]
            voices = "; `espeak-ng --voices` lists the voices for speech.voices in config.yaml"
            raise SpeechError(f"{self._program} ended with {process.returncode}: {reason}{voices}")
        return output
