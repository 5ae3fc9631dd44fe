"""A transcript: what one simulated call wrote down, in the order it happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ivr.domain.contact import EventKind, Json
from ivr.ports import Clock


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that happened."""

    at: datetime
    kind: EventKind
    step: str
    detail: dict[str, Json]


@dataclass
class Transcript:
    """Keeps what is noted (an `ivr.ports.CallLog`). `also` is told of it too."""

    clock: Clock
    events: list[Noted] = field(default_factory=list)
    also: Callable[[Noted], None] = lambda noted: None

    def note(self, kind: EventKind, step: str = "", **detail: Json) -> None:
        """Write down that something happened, now."""
        self.events.append(Noted(self.clock.now(), kind, step, detail))
        self.also(self.events[-1])

    def kinds(self) -> list[EventKind]:
        """What happened, without the particulars."""
        return [event.kind for event in self.events]

    def of(self, *kinds: EventKind) -> Iterable[Noted]:
        """The events of some kinds."""
        return [event for event in self.events if event.kind in kinds]
