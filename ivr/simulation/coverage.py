"""Coverage: which steps of the flows calls came to, which ways out of them they took, and which nobody did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ivr.flow.ways import FlowMap, Happened, Stop, To, Way, moves


@dataclass(frozen=True, slots=True)
class Missing:
    """A step or a way that no call took."""

    file: str
    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of one flow was come through: steps, and ways out of those steps that have more than one."""

    flow: str
    steps: int
    all_steps: int
    branches: int
    all_branches: int
    missing: Sequence[Missing]

    @property
    def percent(self) -> int:
        """Whole percents of steps and branches together; 100 only when nothing is missing."""
        every = self.all_steps + self.all_branches
        return 100 * (self.steps + self.branches) // every if every else 100


@dataclass
class Coverage:
    """Counts calls through flows. `maps` are the flows by name."""

    maps: Mapping[str, FlowMap]
    _steps: set[tuple[str, str]] = field(default_factory=set)
    _ways: set[tuple[str, str, Way]] = field(default_factory=set)

    def add(self, events: Iterable[Happened], flow: str) -> None:
        """Count a call that began in a flow."""
        for move in moves(events, flow):
            found = self.maps.get(move.flow)
            if found is not None:
                self._steps.add((move.flow, move.step))
                self._ways.update((move.flow, move.step, way) for way in found.taken(move))

    def of(self, flow: str) -> Covered:
        """How much of a flow the calls came through."""
        found = self.maps[flow]
        branches = [(stop, way) for stop in found.stops.values() if len(stop.ways) > 1 for way in stop.ways]
        taken = [(stop, way) for stop, way in branches if (flow, stop.label, way) in self._ways]
        steps = [stop for stop in found.stops.values() if (flow, stop.label) in self._steps]
        missing = tuple(self._missing(found))
        return Covered(flow, len(steps), len(found.stops), len(taken), len(branches), missing)

    def _missing(self, found: FlowMap) -> Iterator[Missing]:
        """What is missing, in the order it is written; of a step that is missing itself no ways are told."""
        for stop in found.stops.values():
            if (found.flow, stop.label) not in self._steps:
                yield Missing(found.file, stop.line, f"step {stop.label}")
                continue
            for way in stop.ways if len(stop.ways) > 1 else ():
                if (found.flow, stop.label, way) not in self._ways:
                    yield Missing(found.file, way.line, f"{stop.label} → {_told(stop, way)}")


def _told(stop: Stop, way: Way) -> str:
    """A way in words: what opens it, and where it leads."""
    where = {To.NEXT: "the next step", To.PERSON: "a person", To.END: "the end"}.get(way.to, way.target)
    return f"{where} ({way.label})" if way.label and way.label != stop.kind else where
