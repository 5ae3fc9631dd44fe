"""A file of separated values: its bytes, encoding and lines, and what is wrong with them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from ivr.errors import ConnectorRefused, ConnectorUnavailable

MOST_BYTES = 256 * 1024 * 1024
"""The largest file that is read: more than two million people."""

BOM = b"\xef\xbb\xbf"
DELIMITERS = (",", ";", "\t", "|")

Stamp = tuple[int, int, int, int]
"""When a file was written and changed, how large it is, and which it is: another content has another stamp."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as read. `digest` stands for its bytes; a line's number is that of its end, counted from 1."""

    digest: str
    lines: Sequence[tuple[int, Sequence[str]]]


def stamp_of(path: Path) -> Stamp:
    """Raises ConnectorUnavailable when there is no such file now."""
    try:
        found = path.stat()
    except OSError as error:
        raise ConnectorUnavailable(f"{path.name}: {error.strerror}") from error
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def read_sheet(path: Path, *, delimiter: str | None = None, encoding: str | None = None) -> Sheet:
    """Read a file; None means that the delimiter or the encoding is found out.

    Raises:
        ConnectorUnavailable: it cannot be read now.
        ConnectorRefused: it is too large, or not what it must be; the message names the line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConnectorUnavailable(f"{path.name}: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise ConnectorRefused(f"{path.name} is larger than {MOST_BYTES // 1024**2} MB")
    text = _decoded(content, encoding)
    return Sheet(blake2b(content, digest_size=16).hexdigest(), list(_lines(text, delimiter or _likely_delimiter(text))))


def _decoded(content: bytes, encoding: str | None) -> str:
    if encoding is not None:
        return _strictly(content, encoding)
    if content.startswith(BOM):
        return _strictly(content, "utf-8-sig")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _strictly(content, "cp1252")  # what Excel writes in Western Europe


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConnectorRefused(f"line {line}: this is not {encoding}; set encoding") from error


def _likely_delimiter(text: str) -> str:
    """The one that makes the most columns of the first line."""
    first = text.split("\n", 1)[0]

    def columns(delimiter: str) -> int:
        return len(next(csv.reader([first], delimiter=delimiter), ()))

    return max(DELIMITERS, key=columns)


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    """The lines that are not empty, each with as many columns as the first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    width = 0
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            width = width or len(cells)
            if len(cells) != width:
                raise ConnectorRefused(f"line {reader.line_num} has {len(cells)} columns, but the first has {width}")
            yield reader.line_num, cells
    except csv.Error as error:
        raise ConnectorRefused(f"line {reader.line_num}: {error}") from error
