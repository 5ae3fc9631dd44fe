"""Windows: the spans of time a callback can be promised in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ivr.domain.callback import Window
from ivr.domain.opening_hours import OpeningHours


def windows_ahead(
    hours: OpeningHours, *, now: datetime, length: timedelta, lead: timedelta, days: int
) -> Iterator[Window]:
    """The windows a promise could be made for, earliest first.

    Opening hours are cut into windows of `length` from the start of each span; a span's
    last window is shorter when it does not fit. A window that has begun is still worth
    promising while at least `lead` of it is left.
    """
    for start, end in hours.spans(now, days):
        while start < end:
            window = Window(start, min(start + length, end))
            if window.end - now >= lead:
                yield window
            start = window.end
