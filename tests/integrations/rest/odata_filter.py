"""The part of OData's $filter that contracts here know: comparisons of fields, `and`, `or` and brackets."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<guid>guid'[0-9a-fA-F-]{36}')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<bare>[0-9a-fA-F]{8}-[0-9a-fA-F-]{27})|(?P<long>\d+L)|(?P<number>\d+)|(?P<word>\$?[A-Za-z_]\w*(?:\(\w+\))?))"
)
COMPARE = {"eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge}


class BadFilter(Exception):
    """What a server answers 400 to."""


class ODataFilter:
    """A filter that tells which records it selects."""

    def __init__(self, text: str, fields: set[str]) -> None:
        self._fields = fields
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            found = TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise BadFilter(f"at {place}: {text[place : place + 20]}")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()
        self._place = 0
        self._test = self._either()
        if self._place != len(self._tokens):
            raise BadFilter(f"'{self._tokens[self._place][1]}' comes after the end")

    def selects(self, record: Mapping[str, Any]) -> bool:
        """Whether it takes this record."""
        return bool(self._test(record))

    def _either(self) -> Any:
        tests = [self._both()]
        while self._next() == ("word", "or"):
            self._place += 1
            tests.append(self._both())
        return lambda record: any(test(record) for test in tests)

    def _both(self) -> Any:
        tests = [self._one()]
        while self._next() == ("word", "and"):
            self._place += 1
            tests.append(self._one())
        return lambda record: all(test(record) for test in tests)

    def _one(self) -> Any:
        kind, text = self._take()
        if kind == "open":
            inside = self._either()
            if self._take()[0] != "close":
                raise BadFilter("a bracket is not closed")
            return inside
        name = re.sub(r"^trim\((\w+)\)$", r"\1", text)
        if kind != "word" or name not in self._fields:
            raise BadFilter(f"no field '{text}'")
        compare = COMPARE.get(self._take()[1])
        kind, literal = self._take()
        if compare is None or kind in ("word", "open", "close"):
            raise BadFilter("no comparison")
        value: Any = literal
        if kind in ("text", "guid"):
            value = literal.removeprefix("guid").strip("'") if kind == "guid" else literal[1:-1].replace("''", "'")
        elif kind in ("long", "number"):
            value = int(literal.rstrip("L"))
        trims = text != name

        def test(record: Mapping[str, Any]) -> bool:
            found = record.get(name)
            found = int(found) if kind == "long" and found is not None else found
            found = found.strip() if trims and isinstance(found, str) else found
            return found is not None and bool(compare(found, value))

        return test

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._next()
        if token[0] == "end":
            raise BadFilter("it ends too early")
        self._place += 1
        return token
