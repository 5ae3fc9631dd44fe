"""Dead air: stretches in which a caller hears nothing, why, and whether that was the caller's own turn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ivr.robot.hearing import Heard
from ivr.robot.prompts import QUIET
from ivr.robot.rtp import RATE, Timeline

FRAME = RATE // 100
"""Silence is measured in frames of 10 ms."""
LIMIT_MS = 300
"""What a caller may meet at most (DESIGN section 1)."""


class Silence(StrEnum):
    """Why nothing was heard: packets came and were silent, none came, or some of each."""

    SILENT_PACKETS = "silent_packets"
    NO_PACKETS = "no_packets"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class DeadAir:
    """A stretch below -50 dBFS, in milliseconds since the answer. `missing_ms` of it no packet covered."""

    from_ms: int
    to_ms: int
    kind: Silence
    missing_ms: int

    @property
    def ms(self) -> int:
        """How long it lasted."""
        return self.to_ms - self.from_ms


def stretches(timeline: Timeline, start: int, stop: int, *, limit_ms: int = LIMIT_MS) -> list[DeadAir]:
    """Every stretch longer than the limit between samples start and stop of a timeline; times count from start."""
    frames = max(stop - start, 0) // FRAME
    sound = timeline.samples(start, start + frames * FRAME).astype(np.float64).reshape(frames, FRAME)
    quiet = np.sqrt((sound**2).mean(axis=1)) < QUIET
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    found = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        begin, end = int(first) * FRAME, int(last) * FRAME
        if (end - begin) * 1000 // RATE <= limit_ms:
            continue
        received = timeline.received(start + begin, start + end)
        # A packet at an edge does not make a gap mixed: what counts is what most of it was.
        kind = Silence.SILENT_PACKETS if received > 0.9 else Silence.NO_PACKETS if received < 0.1 else Silence.MIXED
        missing = round((1 - received) * (end - begin) * 1000 / RATE)
        found.append(DeadAir(begin * 1000 // RATE, end * 1000 // RATE, kind, missing))
    return found


def judged(
    raw: Sequence[DeadAir],
    heard: Sequence[Heard],
    keys: Sequence[tuple[float, float]],
    *,
    origin: int,
    waits_after: Collection[str],
    limit_ms: int = LIMIT_MS,
) -> list[DeadAir]:
    """The dead air that is our fault: what remains of each stretch, when that is still longer than the limit.

    Left out are the pauses inside a prompt that was recognised, the time from the end of a
    prompt in `waits_after` to the caller's last key before the next prompt (or to that
    prompt, when the caller pressed nothing), and everything after the last prompt.
    `keys` are when each was pressed and let go, in seconds since the answer; `origin` is the
    sample of the answer.
    """
    if not heard:
        return list(raw)
    spans = [(_ms(entry.start - origin), _ms(entry.stop - origin)) for entry in heard]
    excused = [*spans, (spans[-1][1], 10**9)]
    for index, entry in enumerate(heard):
        if not any(entry.is_called(name) for name in waits_after):
            continue
        begin = spans[index][1]
        following = spans[index + 1][0] if index + 1 < len(spans) else 10**9
        # A key works when it is let go: until then it is still the caller's turn.
        released = [round(end * 1000) for _, end in keys if begin <= end * 1000 <= following]
        # A key before the prompt's end interrupted it: nobody was being waited for.
        early = any(spans[index][0] <= at * 1000 < begin for at, _ in keys)
        if released:
            excused.append((begin, max(released)))
        elif not early:
            excused.append((begin, following))
    remaining = []
    for stretch in raw:
        for begin, end in _without(stretch.from_ms, stretch.to_ms, excused):
            if end - begin > limit_ms:
                share = (end - begin) / stretch.ms
                remaining.append(DeadAir(begin, end, stretch.kind, round(stretch.missing_ms * share)))
    return remaining


def _without(begin: int, end: int, excused: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of begin..end."""
    parts = [(begin, end)]
    for low, high in excused:
        cut = []
        for first, last in parts:
            cut += [(first, min(last, low)), (max(first, high), last)]
        parts = [(first, last) for first, last in cut if first < last]
    return sorted(parts)


def _ms(samples: int) -> int:
    return round(samples * 1000 / RATE)
