"""The prompt library: whatever is to be said, as sound that Asterisk can play."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from structlog.stdlib import get_logger

from ivr.config.model import Speech
from ivr.domain.speech import Audio, Utterance
from ivr.errors import SpeechError
from ivr.ports import Clock
from ivr.prompts import SHIPPED
from ivr.speech import recordings
from ivr.speech.folder import SoundFolder
from ivr.speech.g711 import Pcm
from ivr.speech.passing import PassingSounds
from ivr.speech.recordings import Recording, Recordings
from ivr.speech.synthesis import Synthesiser, speakable
from ivr.speech.telephony import VERSION, prepare

log = get_logger()
T = TypeVar("T")

AT_ONCE = 4  # renderings
AHEAD_AT_ONCE = 2  # of which for `render_ahead`, so that a call never waits behind it
MOST_KEPT = 5000  # sounds in the cache, about 160 KB each; the oldest go at the next start
ENGINE_REST = 5.0  # seconds before an engine that did not open is tried again

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What `render_ahead` did: how many were made, were there already, and why others failed."""

    made: int
    reused: int
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """A sound on the disk: its key, its path without extension, its length."""

    key: str
    base: Path
    seconds: float


class PromptLibrary:
    """Recordings where there are, speech for everything else (an `ivr.ports.PromptLibrary`).

    A sound is made once, however many ask for it at the same time, and kept under a name
    that follows from all that decides how it sounds. Sounds with customers' data live in
    `PassingSounds`. Opening it never fails: what is wrong shows when something has to be made,
    and in `problems`.
    """

    def __init__(self, speech: Speech, engine: Synthesiser, clock: Clock) -> None:
        formats = ("sln", "ulaw", "alaw") if speech.media == "disk" else ("wav", "sln", "ulaw", "alaw")
        cache = speech.cache.absolute()
        self._speech = speech
        self._engine = engine
        self._clock = clock
        self._kept = SoundFolder(cache / "kept", formats)
        self._passing = PassingSounds(cache / "passing", formats)
        self._recordings: Recordings = {}
        self._shipped: Recordings = {}
        self._unreadable: dict[str, str] = {}  # by the key of a recording that turned out to be none
        self._unscanned: list[str] = []
        self._making: dict[str, asyncio.Task[Ready]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, "speech")
        self._opening = asyncio.Lock()
        self._closed = False
        self._engine_is_open = False
        self._engine_problem = ""
        self._engine_rests_until = 0.0

    async def open(self) -> None:
        """Read what is on the disk and get the engine ready. Never raises."""
        try:
            await self._in_thread(self._make_folder)
            await self._in_thread(lambda: self._kept.remove_oldest(MOST_KEPT))
            await self._in_thread(self._passing.open)
        except (OSError, SpeechError) as error:
            log.error("prompts_cannot_be_kept", reason=str(error))
        level = self._speech.level_lufs
        self._shipped, _ = await self._in_thread(lambda: recordings.scan(SHIPPED, level, {}))
        await self.refresh()
        try:
            await self._open_engine()
        except SpeechError as error:
            log.error("speech_engine_unavailable", reason=str(error))

    async def close(self) -> None:
        """Stop making sounds and remove those with customers' data."""
        if self._closed:
            return
        self._closed = True
        tasks = tuple(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._engine.close()
        await self._in_thread(self._passing.close)
        self._threads.shutdown(wait=False)

    async def audio(self, utterance: Utterance) -> Audio:
        """The sound of an utterance, made if need be.

        Raises:
            SpeechError: it cannot be made in time and there is no recording.
        """
        ready = await self._ready(utterance)
        if self._speech.media == "http":
            return Audio(f"{(self._speech.media_url or '').rstrip('/')}/{ready.key}.wav", ready.seconds)
        return Audio(str(ready.base), ready.seconds)

    async def files(self, utterance: Utterance) -> Path:
        """The path, without extension, of an utterance's `.alaw`, `.ulaw` and `.sln`. Raises SpeechError."""
        return (await self._ready(utterance)).base

    def media_file(self, key: str) -> Path | None:
        """The WAV file that may be served under this key, or None: only what is in memory, so nothing else ever."""
        for folder in (self._kept, self._passing.folder):
            if self._speech.media == "http" and key in folder.seconds:
                return folder.base(key).with_suffix(".wav")
        return None

    async def refresh(self) -> None:
        """Look at the disk: new and changed recordings, a cache that was emptied, personal sounds grown old."""
        known = set(self._kept.seconds)
        found = await self._in_thread(self._kept.scan)
        self._kept.remember(found, known)
        self._recordings, self._unscanned = await self._in_thread(
            lambda: recordings.scan(self._speech.recordings.absolute(), self._speech.level_lufs, self._recordings)
        )
        current = {recording.key for recording in self._recordings.values()}
        self._unreadable = {key: reason for key, reason in self._unreadable.items() if key in current}
        await self._remove_expired()

    async def render_ahead(self, utterances: Iterable[Utterance], progress: Progress | None = None) -> Rendered:
        """Make what will be needed, personal texts excepted. `progress` is told (done, of how many)."""
        await self.refresh()
        waiting = list(
            {(each.language, each.name, each.text): each for each in utterances if not each.personal}.values()
        )
        total, there_before = len(waiting), set(self._kept.seconds)
        keys: list[str] = []
        failed: list[str] = []

        async def work() -> None:
            while waiting:
                utterance = waiting.pop()
                try:
                    keys.append((await self._ready(utterance)).key)
                except SpeechError as error:
                    failed.append(f"{utterance.language}/{utterance.name}: {error.args[0]}")
                if progress:
                    progress(len(keys) + len(failed), total)

        await asyncio.gather(*(work() for _ in range(AHEAD_AT_ONCE)))
        made = len(set(keys) - there_before)
        return Rendered(made, len(keys) - made, (*self._unscanned, *self._unreadable.values(), *sorted(failed)))

    async def problems(self) -> Sequence[str]:
        """What keeps prompts from being made, each with what to do; empty when all is well."""
        found = [*self._unscanned, *self._unreadable.values()]
        try:
            await self._in_thread(self._make_folder)
        except OSError as error:
            found.append(f"speech.cache {self._speech.cache} cannot be written: {error.strerror}")
        try:
            await self._open_engine()
        except SpeechError as error:
            found.append(str(error))
        if self._speech.media == "http" and not self._speech.media_url:
            found.append("speech.media is http, so set speech.media_url: http://THIS-MACHINE:HTTP-PORT/media")
        return found

    # --- finding and making ---------------------------------------------------------------------------------------

    async def _ready(self, utterance: Utterance) -> Ready:
        name = (utterance.language, utterance.name)
        # Those that come with Klantlijn have no text, so a text is the organisation's own.
        recording = self._recordings.get(name) or (None if utterance.text else self._shipped.get(name))
        if recording is not None and recording.key not in self._unreadable:
            try:
                return self._there(recording.key) or await self._once(recording.key, lambda: self._prepared(recording))
            except SpeechError as error:
                # A bad recording must not silence a prompt whose text can be spoken.
                log.error("recording_unusable", prompt=utterance.name, reason=str(error))
        if not self._engine_is_open:
            await self._open_engine()
        words = speakable(utterance.text)
        content = "\0".join(
            (
                str(VERSION),
                f"{self._speech.level_lufs}",
                self._engine.identity(utterance.language),
                utterance.language,
                words,
            )
        )
        if utterance.personal:
            key = self._passing.key(content)
            seconds = self._passing.get(key, self._clock.monotonic())
            if seconds is not None:
                return Ready(key, self._passing.folder.base(key), seconds)
        else:
            key = hashlib.sha256(content.encode()).hexdigest()[:40]
            if ready := self._there(key):
                return ready
        return await self._once(key, lambda: self._spoken(key, utterance))

    def _there(self, key: str) -> Ready | None:
        seconds = self._kept.seconds.get(key)
        return None if seconds is None else Ready(key, self._kept.base(key), seconds)

    async def _once(self, key: str, make: Callable[[], Coroutine[None, None, Ready]]) -> Ready:
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._in_time(make), name=f"speech {key[:8]}")
            self._making[key] = task
            task.add_done_callback(lambda done: self._made(key, done))
        # A caller who hangs up must not take the sound from the others who wait for it.
        return await asyncio.shield(task)

    def _made(self, key: str, task: asyncio.Task[Ready]) -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen, even when everybody who asked has left

    async def _in_time(self, make: Callable[[], Coroutine[None, None, Ready]]) -> Ready:
        try:
            async with asyncio.timeout(self._speech.timeout), self._slots:
                return await make()
        except TimeoutError as error:
            raise SpeechError(f"it was not made within {self._speech.timeout:g} s") from error

    async def _spoken(self, key: str, utterance: Utterance) -> Ready:
        sound = await self._engine.speak(utterance.text, utterance.language)
        level = self._speech.level_lufs
        if not utterance.personal:
            return await self._keep(key, lambda: prepare(sound, level))
        seconds = await self._in_thread(lambda: self._passing.write(key, prepare(sound, level)))
        self._passing.put(key, seconds, self._clock.monotonic())
        await self._remove_expired()
        return Ready(key, self._passing.folder.base(key), seconds)

    async def _prepared(self, recording: Recording) -> Ready:
        key, level = recording.key, self._speech.level_lufs
        try:
            samples = await self._in_thread(lambda: prepare(recording.read(), level))
        except SpeechError as error:
            reason = str(error.args[0])
            self._unreadable[key] = reason if str(recording.path) in reason else f"{recording.path}: {reason}"
            raise SpeechError(self._unreadable[key]) from error
        return await self._keep(key, lambda: samples)

    async def _keep(self, key: str, samples: Callable[[], Pcm]) -> Ready:
        self._kept.seconds[key] = await self._in_thread(lambda: self._kept.write(key, samples()))
        return Ready(key, self._kept.base(key), self._kept.seconds[key])

    async def _remove_expired(self) -> None:
        if expired := self._passing.expired(self._clock.monotonic()):
            await self._in_thread(lambda: self._passing.remove(expired))

    async def _open_engine(self) -> None:
        async with self._opening:
            if self._engine_is_open:
                return
            if self._engine_problem and self._clock.monotonic() < self._engine_rests_until:
                raise SpeechError(self._engine_problem)
            try:
                await self._engine.open()
            except SpeechError as error:
                self._engine_problem = str(error.args[0])
                self._engine_rests_until = self._clock.monotonic() + ENGINE_REST
                raise
            self._engine_is_open = True

    def _make_folder(self) -> None:
        self._kept.path.mkdir(parents=True, exist_ok=True)
        if not os.access(self._kept.path, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
