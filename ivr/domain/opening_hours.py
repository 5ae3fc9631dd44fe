"""Opening hours: when people answer, week by week, in the site's own time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Spans of local time per weekday (0 is Monday), and dates on which nobody is there.

    A span that does not end after its start ends on the next day: `22:00` to `06:00`, `00:00` to `00:00`.
    """

    zone: ZoneInfo
    week: tuple[tuple[tuple[time, time], ...], ...]
    closed: frozenset[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Whether people answer at an aware datetime."""
        return any(start <= at < end for start, end in self.spans(at, 1))

    def first_gap(self) -> str:
        """When nobody is there for the first time in a week, such as `mon 18:00`, or on a closed day; else empty."""
        minutes = [False] * MINUTES
        for day, spans in enumerate(self.week):
            for start, end in spans:
                first = (day * 24 + start.hour) * 60 + start.minute
                length = (end.hour - start.hour) * 60 + end.minute - start.minute
                for minute in range(first, first + (length if length > 0 else length + 24 * 60)):
                    minutes[minute % MINUTES] = True
        if False in minutes:
            day, minute = divmod(minutes.index(False), 24 * 60)
            return f"{DAYS[day]} {minute // 60:02}:{minute % 60:02}"
        return str(min(self.closed)) if self.closed else ""

    def spans(self, after: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
        """The open spans (UTC) that end after `after` and start on its local date or at most `days` - 1 days later."""
        first = after.astimezone(self.zone).date()
        for offset in range(-1, days):
            for start, end in self._spans_of(first + timedelta(days=offset)):
                if end > after:
                    yield start, end

    def _spans_of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if day in self.closed:
            return
        for start, end in self.week[day.weekday()]:
            last = day if end > start else day + timedelta(days=1)
            yield (
                datetime.combine(day, start, self.zone).astimezone(UTC),
                datetime.combine(last, end, self.zone).astimezone(UTC),
            )
