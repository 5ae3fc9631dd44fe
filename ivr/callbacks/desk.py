"""The desk: offers windows with room left, and takes promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from ivr.callbacks.windows import windows_ahead
from ivr.config.model import Callbacks, Queue
from ivr.domain.callback import Callback, CallbackRequest, Window
from ivr.domain.opening_hours import OpeningHours
from ivr.domain.outage import OutageNotice
from ivr.errors import WindowFull
from ivr.ports import CallbackStore, Clock, OutageStore


class BookingDesk:
    """Takes promises for queues whose capacity per window is configured (a `ivr.ports.CallbackDesk`).

    `hours` are those of each queue.
    """

    def __init__(
        self,
        config: Callbacks,
        queues: Mapping[str, Queue],
        hours: Mapping[str, OpeningHours],
        store: CallbackStore,
        outages: OutageStore,
        clock: Clock,
    ) -> None:
        self._config = config
        self._queues = queues
        self._hours = hours
        self._store = store
        self._outages = outages
        self._clock = clock

    async def windows(self, queue: str, count: int) -> Sequence[Window]:
        """At most `count` windows with room, earliest first. Raises StoreUnavailable."""
        capacity = self._queues[queue].callbacks_per_window
        ahead = list(self._ahead(queue, timedelta(seconds=self._config.lead)))
        booked = await self._store.booked_in(queue, ahead)
        free = (window for window, taken in zip(ahead, booked, strict=True) if taken < capacity)
        return list(islice(free, count))

    async def book(self, request: CallbackRequest) -> Callback:
        """Store a promise.

        Raises:
            WindowFull: the window has no room left, or has passed while the caller thought about it.
            StoreUnavailable: nothing may be promised to the caller.
        """
        # What was offered may be chosen a while later, so `lead` does not count here, but some of it must be left.
        if request.window not in self._ahead(request.queue, timedelta(microseconds=1)):
            raise WindowFull
        capacity = self._queues[request.queue].callbacks_per_window
        # A window that has begun is due at once.
        now, not_before = self._off_the_line()
        return await self._store.book(request, now=now, capacity=capacity, not_before=not_before)

    async def call_after(self, notice: OutageNotice) -> bool:
        """Promise a call for when an outage is over; False when it is over already. Raises StoreUnavailable."""
        now, not_before = self._off_the_line()
        return await self._outages.call_after(notice, now=now, not_before=not_before)

    def _off_the_line(self) -> tuple[datetime, datetime]:
        """Now, and when a caller of now has surely hung up."""
        now = self._clock.now()
        return now, now + timedelta(seconds=self._config.after_booking)

    def _ahead(self, queue: str, lead: timedelta) -> Sequence[Window]:
        return tuple(
            windows_ahead(
                self._hours[queue],
                now=self._clock.now(),
                length=timedelta(seconds=self._config.window),
                lead=lead,
                days=self._config.days_ahead,
            )
        )
