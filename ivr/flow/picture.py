"""A picture of a flow, before it is drawn: its blocks, the ways between them, and how many callers went each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ivr.flow.ways import FlowMap, Happened, Stop, To, Way, moves

LONGEST_LABEL = 40
A_PERSON = "a person"
LEADING = (To.BLOCK, To.FLOW, To.PERSON, To.ERROR)
"""The ways that leave a block and go on."""


@dataclass(frozen=True, slots=True)
class Box:
    """A block with its steps, one a line; or, with `outside`, somewhere a call goes from here."""

    name: str
    lines: tuple[str, ...] = ()
    outside: bool = False
    is_start: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """The ways from one box to another: what opens them, and the share of callers who went there, if it is known."""

    start: str
    end: str
    label: str
    only_errors: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A flow to be drawn. `title` says what is shown."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


Went = Mapping[tuple[str, str], int]
"""How many calls went from one box to another, by their names; ("", "") is how many calls there were."""


def picture(found: FlowMap, went: Went | None = None) -> Picture:
    """The picture of a flow; with `went` its arrows tell the share of callers."""
    blocks: dict[str, list[Stop]] = {}
    for stop in found.stops.values():
        blocks.setdefault(stop.block, []).append(stop)
    boxes = [
        Box(name, tuple(_lines(found, name, stops)), is_start=name == found.start) for name, stops in blocks.items()
    ]
    ways: dict[tuple[str, str], list[Way]] = {}
    for stop in found.stops.values():
        for way in stop.ways:
            if way.to in LEADING:
                ways.setdefault((stop.block, _end(way)), []).append(way)
    outside = sorted({end for _, end in ways} - blocks.keys())
    arrows = [
        Arrow(start, end, _label(some, (start, end), went), all(way.to is To.ERROR for way in some))
        for (start, end), some in ways.items()
    ]
    calls = f", {went.get(('', ''), 0)} calls" if went is not None else ""
    return Picture(f"{found.flow}{calls}", (*boxes, *(Box(name, outside=True) for name in outside)), tuple(arrows))


def count_calls(found: FlowMap, calls: Iterable[tuple[str, Iterable[Happened]]]) -> Went:
    """How many calls went each way; `calls` are the flow that each began in, and its events."""
    counted: Counter[tuple[str, str]] = Counter()
    for flow, events in calls:
        gone = set(_gone(found, flow, events))
        counted.update(gone)
        counted["", ""] += bool(gone)
    return counted


def _gone(found: FlowMap, flow: str, events: Iterable[Happened]) -> Iterator[tuple[str, str]]:
    """The arrows that a call went along, and its arrival in the flow."""
    for move in moves(events, flow):
        if move.flow != found.flow or move.step not in found.stops:
            continue
        yield "", found.start
        for way in found.taken(move):
            if way.to in LEADING:
                yield found.stops[move.step].block, _end(way)


def _end(way: Way) -> str:
    if way.to is To.FLOW:
        return f"flow {way.target}"
    return A_PERSON if way.to is To.PERSON else way.target


def _lines(found: FlowMap, block: str, stops: Iterable[Stop]) -> Iterator[str]:
    if block == found.on_hangup:
        yield "(the caller hangs up)"
    yield from (_line(stop) for stop in stops if stop.kind != "goto")


def _line(stop: Stop) -> str:
    return f"{stop.kind} {stop.about}".strip()


def _label(ways: Iterable[Way], arrow: tuple[str, str], went: Went | None) -> str:
    words = ", ".join(dict.fromkeys(way.label for way in ways if way.label))
    words = words if len(words) <= LONGEST_LABEL else words[: LONGEST_LABEL - 1] + "…"
    if went is None:
        return words
    count, calls = went.get(arrow, 0), went.get(("", ""), 0)
    share = f"{100 * count / calls:.0f} % ({count})" if count and calls else "none"
    return f"{words}: {share}" if words else share
