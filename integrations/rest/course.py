"""A course: how far the reading of changes has come, as the cursor that is kept between two readings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.rest.asking import FIRST_PAGE, Page
from integrations.rest.recipe import ChangesQuestion
from ivr.errors import ConnectorRefused

Mark = str | int


@dataclass(frozen=True, slots=True)
class Course:
    """`since` is what this round of pages asks for, `top` the greatest mark it has met, `at` its next page."""

    since: Mark | None
    top: Mark | None
    at: Mapping[str, Any]

    @classmethod
    def read(cls, cursor: str | None) -> Course:
        """The course that a cursor was written from. Raises ConnectorRefused."""
        if cursor is None:
            return cls(None, None, FIRST_PAGE)
        try:
            since, top, at = json.loads(cursor)
            return cls(since, top, {**FIRST_PAGE, **at})
        except (ValueError, TypeError) as error:
            raise ConnectorRefused("this cursor is of another kind of recipe; read all customers anew") from error

    @property
    def written(self) -> str:
        """The cursor."""
        moved = {name: value for name, value in self.at.items() if FIRST_PAGE.get(name) != value}
        return json.dumps([self.since, self.top, moved])

    def after(self, question: ChangesQuestion, page: Page) -> Course:
        """Where to go on after a page.

        Pages that are counted shift when a record changes meanwhile. So, where the system
        sorts by the mark, the next page starts from this one's last mark; only a page that
        holds one mark alone needs a second one that is counted.
        """
        marks = [question.mark.find(record) for record in page.records] if question.mark else []
        known = [mark for mark in (self.top, self.since, *marks) if isinstance(mark, str | int)]
        top = max(known, key=_rank, default=None)
        if page.more is None:
            resumed = question.resume.find(page.answer) if question.resume and page.answer is not None else None
            return Course(resumed if isinstance(resumed, str | int) else top, None, FIRST_PAGE)
        if question.oldest_first and top is not None and top != self.since:
            return Course(top, None, FIRST_PAGE)
        return Course(self.since, top, page.more)


def _rank(mark: Mark) -> tuple[int, str]:
    """Numbers by their size, also when they are written as text; anything else as text."""
    text = str(mark)
    return (len(text), text) if text.isdigit() else (0, text)
