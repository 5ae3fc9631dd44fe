"""Layers: where the boxes of a picture stand, so that ways go down and cross little (after Sugiyama, 1981)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ivr.flow.picture import Picture

GAP = 36.0
SWEEPS = 12
BEND_WIDTH = 14.0
Spot = tuple[str, int]
"""A box (with 0), or the bend of a way in a layer that it only passes (its name is that of the way)."""


@dataclass
class Layers:
    """The boxes in layers from top to bottom, with the bends of longer ways between them.

    `bends` has the spots of each arrow from its upper to its lower end; `turned` those that go up. `x` is the middle of
    each spot.
    """

    rows: list[list[Spot]]
    bends: dict[int, list[Spot]]
    turned: set[int]
    x: dict[Spot, float] = field(default_factory=dict)


def layers(shown: Picture, widths: Mapping[str, float]) -> Layers:
    """Places for the boxes of a picture, whose widths are known."""
    turned = _upward(shown)
    depth = _depths(shown, turned)
    rows: list[list[Spot]] = [[] for _ in range(max(depth.values()) + 1)]
    for box in shown.boxes:
        rows[depth[box.name]].append((box.name, 0))
    bends: dict[int, list[Spot]] = {}
    for number, arrow in enumerate(shown.arrows):
        upper, lower = (arrow.end, arrow.start) if number in turned else (arrow.start, arrow.end)
        passed: list[Spot] = [(f"way {number}", row) for row in range(depth[upper] + 1, depth[lower])]
        for spot in passed:
            rows[spot[1]].append(spot)
        bends[number] = [(upper, 0), *passed, (lower, 0)]
    made = Layers(rows, bends, turned)
    neighbours: dict[Spot, list[Spot]] = {}
    for spots in bends.values():
        for above, below in pairwise(spots):
            neighbours.setdefault(above, []).append(below)
            neighbours.setdefault(below, []).append(above)
    _place(made, neighbours, widths)
    return made


def _upward(shown: Picture) -> set[int]:
    """The arrows that have to go up, so that the others make no ring; found depth first from the start."""
    leaving: dict[str, list[tuple[int, str]]] = {}
    for number, arrow in enumerate(shown.arrows):
        leaving.setdefault(arrow.start, []).append((number, arrow.end))
    up: set[int] = set()
    done: set[str] = set()
    for box in sorted(shown.boxes, key=lambda box: not box.is_start):
        if box.name in done:
            continue
        open_, work = {box.name}, [(box.name, iter(leaving.get(box.name, ())))]
        while work:
            name, ways = work[-1]
            number, end = next(ways, (-1, ""))
            if number < 0:
                work.pop()
                open_.discard(name)
                done.add(name)
            elif end in open_:
                up.add(number)
            elif end not in done:
                open_.add(end)
                work.append((end, iter(leaving.get(end, ()))))
    return up


def _depths(shown: Picture, turned: set[int]) -> dict[str, int]:
    """How far down each box stands: below everything that leads to it."""
    down = [
        (arrow.end, arrow.start) if number in turned else (arrow.start, arrow.end)
        for number, arrow in enumerate(shown.arrows)
        if arrow.start != arrow.end
    ]
    above = {box.name: 0 for box in shown.boxes}
    for _, end in down:
        above[end] += 1
    depth = {box.name: 0 for box in shown.boxes}
    ready = [name for name, count in above.items() if count == 0]
    while ready:
        name = ready.pop()
        for start, end in down:
            if start == name:
                depth[end] = max(depth[end], depth[name] + 1)
                above[end] -= 1
                if above[end] == 0:
                    ready.append(end)
    return depth


def _place(made: Layers, neighbours: Mapping[Spot, Sequence[Spot]], widths: Mapping[str, float]) -> None:
    """Draw each spot towards what it is joined to, again and again, and push apart what would lie on each other."""

    def width(spot: Spot) -> float:
        return widths.get(spot[0], BEND_WIDTH)

    for row in made.rows:
        _apart(made.x, row, {spot: float(place) for place, spot in enumerate(row)}, width)
    for sweep in range(SWEEPS):
        for row in made.rows if sweep % 2 == 0 else reversed(made.rows):
            wanted = {}
            for spot in row:
                joined = [made.x[other] for other in neighbours.get(spot, ())] or [made.x[spot]]
                wanted[spot] = sum(joined) / len(joined)
            row.sort(key=wanted.__getitem__)
            _apart(made.x, row, wanted, width)
    left = min(made.x[spot] - width(spot) / 2 for row in made.rows for spot in row)
    for spot in made.x:
        made.x[spot] -= left


def _apart(
    x: dict[Spot, float], row: Sequence[Spot], wanted: Mapping[Spot, float], width: Callable[[Spot], float]
) -> None:
    """Give the spots of a row, in their order, places near those they want, with room between them."""
    edge = float("-inf")
    for spot in row:
        x[spot] = max(wanted[spot], edge + width(spot) / 2)
        edge = x[spot] + width(spot) / 2 + GAP
    shift = sum(wanted[spot] - x[spot] for spot in row) / len(row) if row else 0.0
    for spot in row:
        x[spot] += shift
