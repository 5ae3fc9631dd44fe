"""An engine that hums: as quick as needed, and failing on request."""

from __future__ import annotations

import asyncio

import numpy as np

from ivr.domain.language import Language
from ivr.errors import SpeechError
from ivr.speech.sound import Sound


def tone(seconds: float, *, rate: int = 22050, amplitude: float = 0.1, hertz: float = 440.0) -> Sound:
    """A sine."""
    at = np.arange(round(seconds * rate)) / rate
    return Sound((amplitude * np.sin(2 * np.pi * hertz * at)).astype(np.float32), rate)


class ToneEngine:
    """Hums as long as the text is: 20 ms a character."""

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.opened = 0
        self.refuses_to_open = ""
        self.fails = ""
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self.changed = asyncio.Condition()
        self.speaking = 0
        self.most_at_once = 0
        self.version = "1"
        self.closed = False

    async def open(self) -> None:
        self.opened += 1
        if self.refuses_to_open:
            raise SpeechError(self.refuses_to_open)

    def identity(self, language: Language) -> str:
        return f"tone {self.version} {language}"

    async def speak(self, text: str, language: Language) -> Sound:
        self.spoken.append(text)
        self.speaking += 1
        self.most_at_once = max(self.most_at_once, self.speaking)
        async with self.changed:
            self.changed.notify_all()
        try:
            await self.may_finish.wait()
        finally:
            self.speaking -= 1
        if self.fails:
            raise SpeechError(self.fails)
        return tone(0.02 * len(text))

    async def is_speaking(self, texts: int) -> None:
        """Wait until it is busy with so many at once."""
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(lambda: self.speaking >= texts)

    async def close(self) -> None:
        self.closed = True
