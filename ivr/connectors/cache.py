"""A cache of look-ups by number, each with an age limit, unknown numbers with their own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from ivr.domain.caller import Customer
from ivr.domain.line import PhoneNumber
from ivr.ports import Clock

MOST_ENTRIES = 10_000
"""Entries kept at once, the least recently used go first: about 10 MB of customers."""


class AnswerCache:
    """Remembers who was found for `known_for` seconds and that nobody was for `unknown_for` seconds."""

    def __init__(self, *, known_for: float, unknown_for: float, clock: Clock, most: int = MOST_ENTRIES) -> None:
        self._known_for = known_for
        self._unknown_for = unknown_for
        self._clock = clock
        self._most = most
        self._entries: OrderedDict[PhoneNumber, tuple[float, Sequence[Customer]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, number: PhoneNumber) -> Sequence[Customer] | None:
        """The answer that was stored, empty when nobody has the number; None when there is none young enough."""
        entry = self._entries.get(number)
        if entry is None:
            return None
        stale_at, customers = entry
        if self._clock.monotonic() >= stale_at:
            del self._entries[number]
            return None
        self._entries.move_to_end(number)
        return customers

    def put(self, number: PhoneNumber, customers: Sequence[Customer]) -> None:
        """Remember an answer. An age limit of 0 keeps nothing."""
        age = self._known_for if customers else self._unknown_for
        if age <= 0:
            return
        self._entries[number] = (self._clock.monotonic() + age, customers)
        self._entries.move_to_end(number)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
