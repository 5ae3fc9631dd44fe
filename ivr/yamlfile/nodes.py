"""Nodes: the values of a YAML file, every one of them with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ivr.yamlfile.problem import Problem, Severity

Loc = Sequence[str | int]
"""The way to a value: keys and positions, from the top of the file."""

Plain = str | None | list["Plain"] | dict[str, "Plain"]
"""A value without its place. Every scalar is text; None is a value that was left empty."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: its name as it is shown, and its lines."""

    file: str
    lines: tuple[str, ...] = field(repr=False)

    def line(self, number: int) -> str:
        """A line by its number, counted from 1; empty when there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands. Lines and columns count from 1; the end is the first column after it."""

    source: Source = field(repr=False)
    line: int
    column: int
    end_line: int
    end_column: int

    def problem(self, rule: str, message: str, hint: str = "", docs: str = "") -> Problem:
        """A problem at this place."""
        excerpt = self.source.line(self.line)
        end = self.end_column if self.end_line == self.line else len(excerpt.rstrip()) + 1
        return Problem(
            self.source.file, self.line, self.column, max(end, self.column + 1), rule, message, hint, docs, excerpt
        )

    def warning(self, rule: str, message: str, hint: str = "", docs: str = "") -> Problem:
        """A problem at this place that is no reason to refuse the file."""
        return replace(self.problem(rule, message, hint, docs), severity=Severity.WARNING)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A piece of text. `quoted` tells "yes" from yes, and "" from a value that was left empty."""

    place: Place
    text: str
    quoted: bool = False

    @property
    def plain(self) -> Plain:
        """The text; None when nothing was written."""
        return self.text if self.text or self.quoted else None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    place: Place
    items: tuple[Node, ...]

    @property
    def plain(self) -> Plain:
        """The list without its places."""
        return [item.plain for item in self.items]


@dataclass(frozen=True, slots=True)
class Table:
    """Keys and their values, in the order they were written."""

    place: Place
    entries: Mapping[str, tuple[Scalar, Node]]

    @property
    def plain(self) -> Plain:
        """The table without its places."""
        return {key: value.plain for key, (_, value) in self.entries.items()}

    def get(self, key: str) -> Node | None:
        """The value of a key, if it is there."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def key(self, key: str) -> Place:
        """Where a key itself stands."""
        return self.entries[key][0].place


Node = Scalar | Listing | Table


def place_of(node: Node, loc: Loc, *, key: bool = False) -> Place:
    """Where the value at `loc` stands, or the nearest value around it.

    A step of `loc` that is not in the file is passed over: the tags and validators that
    pydantic puts in between, a field that a shorthand fills. With `key` the last key's own
    place is given, when there is one.
    """
    found, last_key = node, None
    for part in loc:
        if isinstance(found, Table) and str(part) in found.entries:
            last_key, found = found.entries[str(part)]
        elif isinstance(found, Listing) and isinstance(part, int) and part < len(found.items):
            last_key, found = None, found.items[part]
    return last_key.place if key and last_key else _head(found, last_key)


def _head(node: Node, key: Scalar | None) -> Place:
    """A short place for a value: a scalar itself; a list or table by its key, else by its start."""
    if isinstance(node, Scalar):
        return key.place if key and not node.text and not node.quoted else node.place
    if key:
        return key.place
    if isinstance(node, Table) and node.entries:
        return next(iter(node.entries.values()))[0].place
    place = node.place
    return Place(place.source, place.line, place.column, place.line, place.column + 1)


def word_place(node: Node, loc: Loc, word: str) -> Place:
    """Where a word stands in the text at `loc`; the whole text when it is not found."""
    place = place_of(node, loc)
    if not word:
        return place
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)" if word.isidentifier() else re.escape(word))
    for number in range(place.line, place.end_line + 1):
        start = place.column - 1 if number == place.line else 0
        found = pattern.search(place.source.line(number), start)
        if found:
            return Place(place.source, number, found.start() + 1, number, found.end() + 1)
    return place
