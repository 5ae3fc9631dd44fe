"""SVG: a flow's picture as an image that any browser shows."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from ivr.flow.layers import Layers, Spot, layers
from ivr.flow.picture import Box, Picture

LETTER, SMALL_LETTER, LINE, PADDING = 7.2, 6.6, 17.0, 12.0
"""The width of a letter in a box and on a way, the height of a line, and the room around a text, in pixels."""
BETWEEN, MARGIN, LOOP, ASIDE = 92.0, 30.0, 34.0, 16.0

PARTS = (0.5, 0.35, 0.65, 0.22, 0.8, 0.12, 0.9)
"""How far along a way its label may stand, in the order that they are tried."""

STYLE = """
text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #1c2733; }
.name { font-weight: bold; }
.box { fill: #f3f7fb; stroke: #4a6a8a; } .start { stroke-width: 3; } .outside { fill: #fdf3e1; stroke: #b07a1e; }
.way { fill: none; stroke: #4a6a8a; } .error { stroke: #b3261e; stroke-dasharray: 5 4; }
.label { font-size: 11px; fill: #33475b; paint-order: stroke; stroke: white; stroke-width: 4px; }
"""


def svg(shown: Picture) -> str:
    """A drawing with blocks in layers, those that come first on top."""
    widths = {box.name: _width(box) for box in shown.boxes}
    made = layers(shown, widths)
    boxes = {box.name: box for box in shown.boxes}
    heights = [max(_height(boxes.get(spot[0])) for spot in row) for row in made.rows]
    tops = [MARGIN + LINE * 2 + sum(heights[:row]) + BETWEEN * row for row in range(len(heights))]
    rows = {spot: (tops[row], tops[row] + heights[row]) for row, spots in enumerate(made.rows) for spot in spots}
    right = max(made.x[spot] + widths.get(spot[0], 0) / 2 for spots in made.rows for spot in spots)
    width, height = right + MARGIN * 2 + LOOP * 2, tops[-1] + heights[-1] + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<title>{escape(shown.title)}</title><style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#4a6a8a"/></marker></defs>',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text class="name" x="{MARGIN}" y="{MARGIN}">{escape(shown.title)}</text>',
        f'<g transform="translate({MARGIN} 0)">',
        *_ways(shown, made, rows, boxes),
        *(line for box in shown.boxes for line in _box(box, made.x[box.name, 0], sum(rows[box.name, 0]) / 2)),
        "</g></svg>",
    ]
    return "\n".join(lines) + "\n"


def _width(box: Box) -> float:
    return max(len(text) for text in (box.name, *box.lines)) * LETTER + PADDING * 2


def _height(box: Box | None) -> float:
    return (len(box.lines) + 1) * LINE + PADDING if box else 0.0


def _box(box: Box, x: float, y: float) -> Iterator[str]:
    width, height = _width(box), _height(box)
    kind = "box outside" if box.outside else "box start" if box.is_start else "box"
    left, top = x - width / 2, y - height / 2
    yield f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="8"/>'
    for number, text in enumerate((box.name, *box.lines)):
        style = ' class="name"' if number == 0 else ""
        baseline = top + PADDING / 2 + LINE * (number + 0.75)
        yield f'<text{style} x="{left + PADDING:.1f}" y="{baseline:.1f}">{escape(text)}</text>'


def _ways(shown: Picture, made: Layers, rows: dict[Spot, tuple[float, float]], boxes: dict[str, Box]) -> Iterator[str]:
    labels = _Labels()
    for number, arrow in enumerate(shown.arrows):
        style = "way error" if arrow.only_errors else "way"
        if arrow.start == arrow.end:
            x = made.x[arrow.start, 0] + _width(boxes[arrow.start]) / 2
            y = sum(rows[arrow.start, 0]) / 2
            path = f"M{x:.1f} {y - 8:.1f} c{LOOP} -14 {LOOP} 30 0 16"
            labels.add(arrow.label, (x + LOOP, y - LINE), (x + LOOP, y + LINE))
        else:
            points = _points(made.bends[number], made, rows, boxes)
            if number in made.turned:  # beside a way down between the same boxes, not on it
                points = [(x + ASIDE, y) for x, y in reversed(points)]
            path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
            for (x1, y1), (x2, y2) in pairwise(points):
                half = (y1 + y2) / 2
                path += f" C{x1:.1f} {half:.1f} {x2:.1f} {half:.1f} {x2:.1f} {y2:.1f}"
            labels.add(arrow.label, *points[:2])
        yield f'<path class="{style}" d="{path}" marker-end="url(#tip)"/>'
    yield from labels.drawn


class _Labels:
    """The words on ways, each where no other lies as far as there is room."""

    def __init__(self) -> None:
        self.drawn: list[str] = []
        self._taken: list[tuple[float, float, float, float]] = []

    def add(self, label: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Put a label on the way from one point to another."""
        if not label:
            return
        half = len(label) * SMALL_LETTER / 2
        spots = [_on_curve(start, end, part) for part in PARTS]
        x, y = next((spot for spot in spots if self._is_free(*spot, half)), spots[0])
        self._taken.append((x - half, y - LINE, x + half, y))
        self.drawn.append(f'<text class="label" text-anchor="middle" x="{x:.1f}" y="{y:.1f}">{escape(label)}</text>')

    def _is_free(self, x: float, y: float, half: float) -> bool:
        return not any(
            left < x + half and x - half < right and top < y and y - LINE < bottom
            for left, top, right, bottom in self._taken
        )


def _on_curve(start: tuple[float, float], end: tuple[float, float], part: float) -> tuple[float, float]:
    """A point of the Bézier curve that a way is between two points, its ends upright."""
    left = 1 - part
    x = start[0] * (left**3 + 3 * left**2 * part) + end[0] * (part**3 + 3 * left * part**2)
    middle = (start[1] + end[1]) / 2
    y = start[1] * left**3 + 3 * middle * (left**2 * part + left * part**2) + end[1] * part**3
    return x, y + LINE / 4


def _points(
    spots: list[Spot], made: Layers, rows: dict[Spot, tuple[float, float]], boxes: dict[str, Box]
) -> list[tuple[float, float]]:
    """Where a way goes, from the lower edge of the upper box, straight down past other boxes, to the lower one."""
    upper, lower = spots[0], spots[-1]
    points = [(made.x[upper], sum(rows[upper]) / 2 + _height(boxes[upper[0]]) / 2)]
    for spot in spots[1:-1]:
        points += [(made.x[spot], edge) for edge in rows[spot]]
    return [*points, (made.x[lower], sum(rows[lower]) / 2 - _height(boxes[lower[0]]) / 2)]
