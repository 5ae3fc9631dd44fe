"""Mermaid: a flow's picture as text that wikis and code hosts draw (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

from collections.abc import Iterator

from ivr.flow.picture import Box, Picture


def mermaid(shown: Picture) -> str:
    """A flowchart, from top to bottom."""
    return "\n".join(_lines(shown)) + "\n"


def _lines(shown: Picture) -> Iterator[str]:
    ids = {box.name: f"n{number}" for number, box in enumerate(shown.boxes)}
    yield "---"
    yield f"title: {shown.title}"
    yield "---"
    yield "flowchart TD"
    for box in shown.boxes:
        yield f"  {ids[box.name]}{_shape(box)}"
    for arrow in shown.arrows:
        line = "-.->" if arrow.only_errors else "-->"
        label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
        yield f"  {ids[arrow.start]} {line}{label} {ids[arrow.end]}"


def _shape(box: Box) -> str:
    text = "<br/>".join([f"<b>{_escaped(box.name)}</b>", *(_escaped(line) for line in box.lines)])
    if box.outside:
        return f'(("{text}"))'
    return f'(["{text}"])' if box.is_start else f'["{text}"]'


def _escaped(text: str) -> str:
    """A text between quotes, with the entity codes that Mermaid has for what has a meaning there."""
    codes = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;"}
    return "".join(codes.get(letter, letter) for letter in text)
