"""Hearing: which known prompt sounds on a timeline, from when to when, live (normalised cross-correlation).

A prompt is found by its first 600 ms: coarsely over all prompts at once by Fourier transform, then exactly, sample
by sample, on the few candidates. Prompts that begin alike are kept side by side until the sound tells them apart.
The one that remains is followed to its end, or to where it was cut off; nothing else is searched meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ivr.robot.prompts import COARSE, COARSE_SIZE, OPENING, QUIET, KnownPrompts, Prompt, Reals, thin
from ivr.robot.rtp import RATE, Timeline

CANDIDATE = 0.5
"""Correlation at 2 kHz from which a place is looked at."""
HEARD = 0.75
"""Correlation at 8 kHz from which a prompt is taken as heard. Measured in docs/decisions/0008."""
MISMATCH = 0.6
"""Share of energy that the expected sound leaves unexplained, from which a piece of 40 ms is something else."""
EDGE = RATE * 20 // 1000
"""More than a pitch period."""
PIECE = RATE * 40 // 1000
LOST_AFTER = 3
"""Pieces in a row that must be something else before a prompt counts as cut off."""
NEAR = RATE * 60 // 1000
"""Openings whose starts lie this close compete for one place."""


@dataclass(slots=True)
class Track:
    """A prompt that may be sounding: its sound began at sample `start`, and matched up to `matched`."""

    prompt: Prompt
    start: int
    score: float
    checked: int = 0
    matched: int = 0
    misses: int = 0

    @property
    def stop(self) -> int:
        return self.start + len(self.prompt.sound)

    @property
    def lost(self) -> bool:
        return self.misses >= LOST_AFTER


@dataclass(slots=True)
class Heard:
    """A prompt that was heard: its sound runs from sample `start` to `stop` of the timeline.

    `file_start` is where its file began, silence included. `over` says that it is finished
    or was cut off; `whole` that it reached its end. `confidence` is its correlation, 0 to 1.
    `also` are names that sounded the same as far as it was heard.
    """

    prompt: str
    file_start: int
    start: int
    stop: int
    length: int
    confidence: float
    also: tuple[str, ...] = ()
    over: bool = False
    whole: bool = False

    def is_called(self, name: str) -> bool:
        """Whether this may be the prompt of that name."""
        return name == self.prompt or name in self.also


@dataclass
class Ear:
    """Listens along one timeline. `heard` grows and its last entry changes while it sounds."""

    known: KnownPrompts
    heard: list[Heard] = field(default_factory=list)
    _cursor: int = 0
    _rivals: list[Track] = field(default_factory=list)
    _current: tuple[Track, Heard] | None = None
    _doubtful: Heard | None = None

    def listen(self, timeline: Timeline, until: int) -> bool:
        """Take in the timeline up to sample `until`. Returns whether `heard` changed."""
        changed = False
        while True:
            if self._current is not None:
                over = self._follow(timeline, until)
                changed = changed or over
                if not over:
                    return changed
            elif self._rivals:
                if not self._compare(timeline, until):
                    return changed
                changed = True
            elif not self._search(timeline, until):
                return changed

    def finish(self, timeline: Timeline, until: int) -> None:
        """The call is over: settle what is open. Nothing came after `until`."""
        # What would follow is silence; it decides between rivals and ends what still sounds.
        self.listen(timeline, until + OPENING + PIECE * LOST_AFTER)
        if self._rivals:
            self._settle(self._rivals)
            self.listen(timeline, until + OPENING + PIECE * LOST_AFTER)
        if self._current is not None:
            self._close(timeline, *self._current)

    # --- searching -------------------------------------------------------------------------------------------------

    def _search(self, timeline: Timeline, until: int) -> bool:
        """Look for openings from the cursor on. Returns whether to go on: something was found, or more lies ahead."""
        self._decide()
        if not len(self.known):
            self._cursor = until
            return False
        if until - self._cursor < OPENING + PIECE:
            return False
        size = min(until - self._cursor, COARSE_SIZE * COARSE)
        segment = timeline.samples(self._cursor, self._cursor + size).astype(np.float32)
        tested = size - OPENING
        loud = np.flatnonzero(np.abs(segment) > QUIET)
        if not len(loud):
            self._cursor += tested
            return True
        if loud[0] > NEAR * 2:
            # Only silence until shortly before here: begin there, with a whole segment ahead.
            self._cursor += min(int(loud[0]) - NEAR, tested)
            return True
        found = self._openings(segment, tested)
        tracks = [track for track in (self._exact(timeline, *place) for place in found) if track.score >= HEARD]
        if tracks:
            best = max(tracks, key=lambda track: track.score)
            if best.start > self._cursor + tested - EDGE:
                # A vowel resembles itself one pitch period on: the best place may lie beyond what was tested.
                enough = size == COARSE_SIZE * COARSE
                self._cursor = max(best.start - NEAR, self._cursor) if enough else self._cursor
                return enough
            self._decide(best.start)
            self._rivals = [track for track in tracks if abs(track.start - best.start) <= NEAR]
        else:
            self._cursor += tested
        return True

    def _decide(self, begins: int | None = None) -> None:
        """Settle a doubtful prompt: it was cut off by the prompt that begins at `begins`, or was never what sounded."""
        doubtful = self._doubtful
        if doubtful is None or (begins is None and self._cursor <= doubtful.stop + NEAR):
            return
        self._doubtful = None
        if begins is None or begins > doubtful.stop + NEAR:
            self.heard.remove(doubtful)

    def _openings(self, segment: Reals, tested: int) -> list[tuple[Prompt, int]]:
        """Prompts whose opening may begin in the first `tested` samples, with the place on the timeline, coarsely."""
        coarse = np.zeros(COARSE_SIZE, np.float32)
        thinned = thin(segment)
        coarse[: len(thinned)] = thinned
        lags = max(tested // COARSE, 1)
        products = np.fft.irfft(np.fft.rfft(coarse) * self.known.spectra, COARSE_SIZE, axis=1)[:, :lags]
        energy = np.concatenate([[0.0], np.cumsum(coarse.astype(np.float64) ** 2)])
        places = np.arange(lags)
        ends = np.minimum(places + self.known.lengths[:, None], COARSE_SIZE)
        loudness = np.sqrt(np.maximum(energy[ends] - energy[places], 1.0))
        scores = products / (loudness * self.known.norms[:, None])
        rows = np.flatnonzero(scores.max(axis=1) >= CANDIDATE)
        # A prompt may begin more than once in a segment; the earliest good place of each counts.
        first = [int(np.argmax(scores[row] >= max(CANDIDATE, scores[row].max() * 0.9))) for row in rows]
        peaks = [
            lag + int(np.argmax(scores[row, lag : lag + NEAR // COARSE])) for row, lag in zip(rows, first, strict=True)
        ]
        return [(self.known.prompts[row], self._cursor + lag * COARSE) for row, lag in zip(rows, peaks, strict=True)]

    def _exact(self, timeline: Timeline, prompt: Prompt, place: int) -> Track:
        """The best place within 2 ms, sample by sample, and its correlation there."""
        opening = prompt.sound[:OPENING]
        low = max(place - 16, 0)
        around = timeline.samples(low, place + 16 + len(opening)).astype(np.float32)
        products = np.correlate(around, opening, "valid")
        energy = np.concatenate([[0.0], np.cumsum(around.astype(np.float64) ** 2)])
        loudness = np.sqrt(np.maximum(energy[len(opening) :] - energy[: len(products)], 1.0))
        scores = products / (loudness * float(np.sqrt((opening.astype(np.float64) ** 2).sum())))
        at = int(np.argmax(scores))
        return Track(prompt, low + at, float(scores[at]), checked=low + at, matched=low + at)

    # --- telling apart ---------------------------------------------------------------------------------------------

    def _compare(self, timeline: Timeline, until: int) -> bool:
        """Drop the rivals that the sound contradicts. Returns whether one was settled on."""
        if len(self._rivals) > 1:
            for track in self._rivals:
                _advance(track, timeline, until)
            remaining = [track for track in self._rivals if not track.lost]
            if remaining:
                self._rivals = remaining
            else:
                # All were cut off: the one that held on longest was it, and those that held on as long may be.
                longest = max(track.matched for track in self._rivals)
                self._settle([track for track in self._rivals if track.matched >= longest - PIECE])
                return True
        # Rivals that all reached their ends sound the same from first to last.
        if len(self._rivals) > 1 and any(track.checked < track.stop for track in self._rivals):
            return False
        self._settle(self._rivals)
        return True

    def _settle(self, tracks: list[Track]) -> None:
        best = max(tracks, key=lambda track: track.score)
        names = [best.prompt.name, *best.prompt.twins]
        for track in tracks:
            names += [name for name in (track.prompt.name, *track.prompt.twins) if name not in names]
        prompt = best.prompt
        heard = Heard(
            prompt=names[0],
            also=tuple(names[1:]),
            file_start=best.start - prompt.lead,
            start=best.start,
            stop=best.start + min(OPENING, len(prompt.sound)),
            length=prompt.length,
            confidence=round(best.score, 3),
        )
        self.heard.append(heard)
        self._rivals = []
        self._current = (best, heard)

    # --- following -------------------------------------------------------------------------------------------------

    def _follow(self, timeline: Timeline, until: int) -> bool:
        """Go along with the prompt that sounds. Returns whether it is over."""
        if self._current is None:
            return False
        track, heard = self._current
        _advance(track, timeline, min(until, track.stop))
        heard.stop = max(track.matched, heard.start)
        if not track.lost and track.checked < track.stop - PIECE:
            return False
        self._close(timeline, track, heard)
        return True

    def _close(self, timeline: Timeline, track: Track, heard: Heard) -> None:
        heard.over = True
        heard.whole = track.matched >= track.stop - 2 * PIECE
        heard.stop = track.stop if heard.whole else track.matched
        # The piece in which one prompt gives way to the next may resemble the first: look a little back. Also when it
        # is taken as whole, for a key may have cut off its last 80 ms.
        # Never stay where it began: there it would be found again, and again.
        self._cursor = max(track.matched - 2 * PIECE, track.start + EDGE, self._cursor)
        self._current = None
        if track.lost and track.matched <= track.start + 2 * PIECE:
            # It only resembled the opening on the whole, as music does that is joined halfway.
            self.heard.remove(heard)
            return
        if track.lost and not heard.whole and not _falls_silent(timeline, track.matched - PIECE, track.checked):
            # Speech went on as this prompt does not. Unless a known one cut it off, it was an unknown one, that only
            # begins like it.
            self._doubtful = heard


def _advance(track: Track, timeline: Timeline, until: int) -> None:
    """Compare the pieces up to `until` with what the prompt says there; after its end it says silence."""
    while track.checked + PIECE <= until and not track.lost:
        offset = track.checked - track.start
        expected = np.zeros(PIECE, np.float32)
        piece = track.prompt.sound[offset : offset + PIECE]
        expected[: len(piece)] = piece
        received = timeline.samples(track.checked, track.checked + PIECE).astype(np.float32)
        track.checked += PIECE
        loudness = max(float(np.sqrt((received**2).mean())), float(np.sqrt((expected**2).mean())))
        if loudness < QUIET:
            continue
        if _unexplained(received, expected) > MISMATCH:
            track.misses += 1
        else:
            track.misses = 0
            track.matched = track.checked


def _falls_silent(timeline: Timeline, start: int, stop: int) -> bool:
    """Whether 20 ms in a row of start..stop are silent: a prompt that is cut off leaves at least that gap."""
    received = timeline.samples(start, stop).astype(np.float64)
    frames = np.sqrt((received[: len(received) // 80 * 80].reshape(-1, 80) ** 2).mean(axis=1)) < QUIET
    return bool((frames[1:] & frames[:-1]).any())


def _unexplained(received: Reals, expected: Reals) -> float:
    """Share of the energy of either that the other, made as loud as fits best, does not account for; 0 to 1."""
    product = float(received @ expected)
    energies = float(received @ received) * float(expected @ expected)
    return 1.0 - max(product, 0.0) ** 2 / energies if energies > 0 else 1.0
