"""A cache of what a connected system answered, each answer with an age limit, empty ones with their own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Any

from ivr.ports import Clock

MOST_ENTRIES = 10_000
"""Entries kept at once, the least recently used go first: about 10 MB of customers."""


class AnswerCache:
    """Remembers what was found for `known_for` seconds and that nothing was for `unknown_for` seconds.

    For `kept_for` seconds it still tells what was found last, with its age, for when the
    system gives no answer.
    """

    def __init__(
        self, *, known_for: float, unknown_for: float, kept_for: float, clock: Clock, most: int = MOST_ENTRIES
    ) -> None:
        self._known_for = known_for
        self._unknown_for = unknown_for
        self._kept_for = kept_for
        self._clock = clock
        self._most = most
        self._entries: OrderedDict[Hashable, tuple[float, Sequence[Any], float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Sequence[Any] | None:
        """The answer that was stored, empty when nothing was found; None when there is none young enough."""
        found = self.last(key)
        if found is None:
            return None
        answer, age = found
        return answer if age < self._entries[key][2] else None

    def last(self, key: Hashable) -> tuple[Sequence[Any], float] | None:
        """The answer that was stored last and its age in seconds; None when there is none, or it is too old."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        stored_at, answer, good_for = entry
        age = self._clock.monotonic() - stored_at
        if age >= (max(self._kept_for, good_for) if answer else good_for):
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return answer, age

    def put(self, key: Hashable, answer: Sequence[Any], known_for: float | None = None) -> None:
        """Remember an answer, unless its age limit is 0. `known_for` is another limit for what was found."""
        good_for = (self._known_for if known_for is None else known_for) if answer else self._unknown_for
        if (max(self._kept_for, good_for) if answer else good_for) <= 0:
            return
        self._entries[key] = (self._clock.monotonic(), answer, good_for)
        self._entries.move_to_end(key)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
