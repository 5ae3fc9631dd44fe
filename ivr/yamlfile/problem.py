"""A problem: one mistake in a file, with its place and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from ivr.errors import InvalidFiles

SHOWN_WIDTH = 110
PAGE = "docs/problems.md"
"""The page that explains every rule, each under its name."""


class Severity(StrEnum):
    """Whether files with such a problem are refused, or only frowned upon."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A mistake. Lines and columns count from 1; `end_column` is the first column after it.

    `excerpt` is the whole line it stands on. `rule` names the kind of mistake, which has its place on the page with
    problems; `docs` is where it is told what to write. Problems sort by place.
    """

    file: str
    line: int
    column: int
    end_column: int
    rule: str
    message: str
    hint: str = ""
    docs: str = ""
    excerpt: str = field(default="", compare=False)
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """Whether the files are refused for it."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        """The problem as an admin sees it: place, message, the line itself, a caret, the suggestion."""
        mark = "" if self.is_error else f"{self.severity}: "
        head = f"{self.file}:{self.line}:{self.column}: {mark}{self.message}"
        advice = "   ".join(part for part in (self.hint, self.docs, f"{PAGE}#{self.rule}") if part)
        if not self.excerpt.strip():
            return f"{head}\n    {advice}"
        shown, start, end = self._window()
        number = str(self.line)
        caret = " " * start + "^" * max(1, end - start)
        return "\n".join((head, f"  {number} | {shown}", f"  {' ' * len(number)} | {caret} {advice}"))

    def as_json(self) -> dict[str, str | int]:
        """The stable shape of `ivr check --json`."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "rule": self.rule,
            "message": self.message,
            "hint": self.hint,
            "severity": self.severity.value,
        }

    def _window(self) -> tuple[str, int, int]:
        """The part of the line that is shown, and where the caret starts and ends in it."""
        text = "".join(letter if letter.isprintable() else " " for letter in self.excerpt)
        start = min(self.column - 1, len(text))
        first = 0 if start < SHOWN_WIDTH - 20 else start - 20
        shown = text[first : first + SHOWN_WIDTH].rstrip()
        return shown, start - first, min(self.end_column - 1 - first, max(len(shown), start - first + 1))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems sorted by place, each once."""
    return sorted(set(problems))


def errors_in(problems: Iterable[Problem]) -> list[Problem]:
    """The problems for which files are refused."""
    return [problem for problem in problems if problem.is_error]


def refuse(problems: Iterable[Problem]) -> None:
    """Raise InvalidFiles with every error, if there is any."""
    found = in_order(errors_in(problems))
    if found:
        raise InvalidFiles(found)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt word, or the words there are when none is close."""
    words: Sequence[str] = sorted(set(known))
    close = get_close_matches(word.lower(), [other.lower() for other in words], n=1, cutoff=0.6)
    if close:
        return f"did you mean '{next(other for other in words if other.lower() == close[0])}'?"
    if words and len(words) <= 12:
        return "known here: " + ", ".join(words)
    return ""
