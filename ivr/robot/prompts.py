"""The prompts that a robot knows by ear, and what is needed to find them quickly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog

from ivr.errors import RobotError
from ivr.robot.g711 import Samples
from ivr.robot.rtp import RATE
from ivr.robot.sound_file import read_sound

log = structlog.get_logger()

OPENING = RATE * 6 // 10
"""Samples (600 ms) of a prompt by which it is found. A prompt that sounds shorter is found by all it has."""
SHORTEST = RATE // 4
"""A prompt that sounds less than 250 ms cannot be told from others."""
COARSE = 4
"""The first search goes over one sample in four, 2 kHz: pitch and vowels suffice to find candidates."""
COARSE_SIZE = 2048
"""Coarse samples in one search, a power of two for the transform: 1.024 s."""
QUIET = 104.0
"""Root mean square of -50 dBFS: what is below is silence."""

Reals = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A known prompt. `sound` is the file without the silence at its ends, `lead` how many samples were before it.

    `twins` are other names of the very same sound.
    """

    name: str
    twins: tuple[str, ...]
    sound: Reals
    lead: int
    length: int


class KnownPrompts:
    """A set of prompts, and their openings as spectra for the search.

    `refresh` names more files when called, such as those a speech engine makes during a
    call; it is asked at most once each `interval` by `renew`.
    """

    def __init__(
        self, files: Mapping[str, Path], refresh: Callable[[], Mapping[str, Path]] | None = None, interval: float = 0.5
    ) -> None:
        self._refresh = refresh
        self._interval = interval
        self._asked = float("-inf")
        self._unusable: set[Path] = set()
        self._by_sound: dict[bytes, Prompt] = {}
        self._names: set[str] = set()
        self.prompts: list[Prompt] = []
        self.spectra: npt.NDArray[np.complex64] = np.zeros((0, COARSE_SIZE // 2 + 1), np.complex64)
        self.lengths: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.norms: Reals = np.zeros(0, np.float32)
        self._learn(files)

    def __len__(self) -> int:
        return len(self.prompts)

    @property
    def names(self) -> frozenset[str]:
        """Every name, twins too."""
        return frozenset(self._names)

    def renew(self, now: float) -> None:
        """Learn the files that came since; `now` is in seconds."""
        if self._refresh is not None and now - self._asked >= self._interval:
            self._asked = now
            try:
                self._learn(self._refresh())
            except (OSError, RobotError) as error:
                # Files that others make and remove may vanish while they are read; the next look finds the rest.
                log.debug("prompts not all read", error=str(error))

    def _learn(self, files: Mapping[str, Path]) -> None:
        fresh = {name: path for name, path in files.items() if name not in self._names and path not in self._unusable}
        for name, path in sorted(fresh.items()):
            samples = read_sound(path)
            bounds = sounding(samples)
            if bounds is None:
                # Too short to be told apart, or not written to its end yet; the file is looked at once.
                self._unusable.add(path)
                continue
            self._names.add(name)
            start, stop = bounds
            key = samples[start:stop].tobytes()
            twin = self._by_sound.get(key)
            first, twins = (twin.name, (*twin.twins, name)) if twin else (name, ())
            self._by_sound[key] = Prompt(first, twins, samples[start:stop].astype(np.float32), start, len(samples))
        if fresh:
            self._prepare()

    def _prepare(self) -> None:
        self.prompts = list(self._by_sound.values())
        openings = np.zeros((len(self.prompts), COARSE_SIZE), np.float32)
        self.lengths = np.zeros(len(self.prompts), np.int64)
        for row, prompt in enumerate(self.prompts):
            opening = thin(prompt.sound[:OPENING])
            openings[row, : len(opening)] = opening
            self.lengths[row] = len(opening)
        self.norms = np.sqrt((openings**2).sum(axis=1))
        self.spectra = np.conj(np.fft.rfft(openings, axis=1)).astype(np.complex64)


def thin(samples: npt.NDArray[np.float32]) -> Reals:
    """One sample in four, after a filter that keeps what is below 1 kHz."""
    thinned: Reals = np.convolve(samples, _LOW_PASS, "same")[::COARSE].astype(np.float32)
    return thinned


def _low_pass(taps: int = 31) -> Reals:
    """A windowed sinc with its edge at 900 Hz."""
    time = np.arange(taps) - (taps - 1) / 2
    filtering: Reals = (np.sinc(2 * 900 / RATE * time) * np.hamming(taps) * 2 * 900 / RATE).astype(np.float32)
    return filtering


_LOW_PASS = _low_pass()


def sounding(samples: Samples) -> tuple[int, int] | None:
    """Where a sound begins and ends (samples, to 10 ms), or None when there is too little of it to know it by."""
    frames = len(samples) // 80
    levels = np.sqrt((samples[: frames * 80].astype(np.float64).reshape(frames, 80) ** 2).mean(axis=1))
    loud = np.flatnonzero(levels > QUIET)
    if not len(loud) or (loud[-1] + 1 - loud[0]) * 80 < SHORTEST:
        return None
    return int(loud[0]) * 80, int(loud[-1] + 1) * 80
