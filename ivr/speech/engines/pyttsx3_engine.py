"""pyttsx3 behind one process of its own, inside the guards it needs.

Asked for two files at once it writes one, two of its engines block each other for good, an unknown voice is silently
another one, and a path it cannot write is no error. It returns while eSpeak's thread is still at work, and what is
asked then is cut short, empty, or spoken at another speed. Hence `pyttsx3_worker`: one text at a time, its file
looked at afterwards, the voice compared, and the process killed and started anew when it hangs or a file is empty.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ivr.config.model import Speech
from ivr.domain.language import Language
from ivr.errors import SpeechError
from ivr.speech.engines import pyttsx3_worker
from ivr.speech.sound import Sound
from ivr.speech.synthesis import speakable, voice_of
from ivr.speech.wav import read_wav

LONGEST_LINE = 1 << 20  # bytes; a system's list of voices is about 30 KB
TRIES = 3  # for a text that comes out empty
INSTALL = "install what it speaks with: apt-get install espeak-ng"


class Voice(BaseModel):
    """A voice as pyttsx3 lists it."""

    id: str
    name: str
    languages: list[str] = []


class Answer(BaseModel):
    """A line from the worker."""

    error: str = ""
    version: str = ""
    voices: list[Voice] = []


class Pyttsx3:
    """Speaks by pyttsx3, one text at a time."""

    def __init__(self, speech: Speech, *, worker: tuple[str, ...] = ("-I", pyttsx3_worker.__file__)) -> None:
        self._speech = speech
        self._command = (sys.executable, *worker)
        self._one_at_a_time = asyncio.Lock()
        self._process: Process | None = None
        self._version = "unknown"
        self._voices: dict[Language, str] = {}

    async def open(self) -> None:
        """Start the worker and find the voices. Raises SpeechError."""
        async with self._one_at_a_time:
            await self._running()

    def identity(self, language: Language) -> str:
        """Engine, version, voice and speed."""
        voice = self._voices.get(language, self._speech.voices.get(language, ""))
        return f"pyttsx3 {self._version} {voice} {self._speech.words_per_minute}"

    async def speak(self, text: str, language: Language) -> Sound:
        """Speak a text. Raises SpeechError."""
        voice_of(self._speech.voices, language)
        words = speakable(text)
        async with self._one_at_a_time:
            for _ in range(TRIES):
                sound = await self._saved(words, language)
                if sound.samples.any():
                    return sound
                # What it still holds of this text must not end up in the next one.
                await self._kill()
        raise SpeechError(f"pyttsx3 wrote {TRIES} empty files")

    async def close(self) -> None:
        """End the worker."""
        async with self._one_at_a_time:
            await self._kill()

    async def _saved(self, words: str, language: Language) -> Sound:
        process = await self._running()
        path = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="klantlijn-"), "speech.wav")
        request = {
            "text": words,
            "voice": self._voices[language],
            "rate": self._speech.words_per_minute,
            "path": str(path),
        }
        try:
            await self._ask(process, json.dumps(request))
            return read_wav(await asyncio.to_thread(path.read_bytes))
        except FileNotFoundError as error:
            raise SpeechError("pyttsx3 wrote no file") from error
        except OSError as error:
            raise SpeechError(f"what pyttsx3 wrote cannot be read: {error.strerror}") from error
        finally:
            await asyncio.to_thread(_remove, path)

    async def _running(self) -> Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=LONGEST_LINE
            )
        except OSError as error:
            raise SpeechError(f"pyttsx3's process cannot be started: {error.strerror}") from error
        self._process = process
        try:
            greeting = await self._ask(process, "")
        except SpeechError as error:
            await self._kill()
            raise SpeechError(f"pyttsx3 cannot speak here; {INSTALL}. {error.args[0]}") from error
        try:
            self._voices = {language: _voice(name, greeting.voices) for language, name in self._speech.voices.items()}
        except SpeechError:
            await self._kill()
            raise
        self._version = greeting.version
        return process

    async def _ask(self, process: Process, line: str) -> Answer:
        """Send a line (none when empty) and read the answer; whatever goes wrong ends the worker."""
        if process.stdin is None or process.stdout is None:
            raise SpeechError("pyttsx3's process has no pipes")
        answered = False
        try:
            async with asyncio.timeout(self._speech.timeout):
                if line:
                    process.stdin.write(line.encode() + b"\n")
                    await process.stdin.drain()
                answer = Answer.model_validate_json(await process.stdout.readline())
            answered = True
        except TimeoutError as error:
            raise SpeechError(f"pyttsx3 was not done after {self._speech.timeout:g} s") from error
        except (ConnectionError, ValidationError, ValueError) as error:
            raise SpeechError("pyttsx3's process ended") from error
        finally:
            # Also when we are cancelled: its answer would be taken for the next one's.
            if not answered:
                await self._kill()
        if answer.error:
            raise SpeechError(f"pyttsx3: {answer.error[:200]}")
        return answer

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


def _voice(wanted: str, voices: list[Voice]) -> str:
    """The id of the voice with this id, language or name."""
    for voice in voices:
        if wanted.lower() in (voice.id.lower(), voice.name.lower(), *(name.lower() for name in voice.languages)):
            # Its files say 22,050 Hz while MBROLA speaks at 16,000: too fast and too high.
            if "mb-" in voice.id.lower():
                break
            return voice.id
    raise SpeechError(
        f"pyttsx3 has no voice '{wanted}'; choose another under speech.voices in config.yaml "
        "(`espeak-ng --voices` lists them; MBROLA's do not work with pyttsx3)"
    )


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.parent.rmdir()
