"""Opening hours: when people answer, week by week, in the site's own time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Spans of local time per weekday (0 is Monday), and dates on which nobody is there."""

    zone: ZoneInfo
    week: tuple[tuple[tuple[time, time], ...], ...]
    closed: frozenset[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Whether people answer at an aware datetime."""
        local = at.astimezone(self.zone)
        return any(start <= at < end for start, end in self._spans_of(local.date()))

    def spans(self, after: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
        """The open spans (UTC) that end after `after`, for `days` days from its local date."""
        first = after.astimezone(self.zone).date()
        for offset in range(days):
            for start, end in self._spans_of(first + timedelta(days=offset)):
                if end > after:
                    yield start, end

    def _spans_of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if day in self.closed:
            return
        for start, end in self.week[day.weekday()]:
            yield (
                datetime.combine(day, start, self.zone).astimezone(UTC),
                datetime.combine(day, end, self.zone).astimezone(UTC),
            )
