"""Warm-up: before a busy hour, those who use to call in it are looked up, so that they are known at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from ivr.domain.capability import Capability
from ivr.errors import ConnectorError, StoreError
from ivr.ports import Clock, ConnectorSession, ContactStore

log = structlog.get_logger()

BUSY = timedelta(hours=1)
"""How long what was looked up is good for: the busy hour."""
DAYS = 7
MOST = 2000
"""Numbers looked up at a time; about what a system answers in a minute or two."""


class WarmUp:
    """Looks up, at local times of every day, who called in the hour from then on in the last week.

    It asks the systems that have no index one number after another, beside the callers and
    not in their places. A system that fails is left alone until the next time.
    """

    def __init__(
        self,
        at: Sequence[time],
        zone: ZoneInfo,
        contacts: ContactStore,
        systems: Sequence[ConnectorSession],
        clock: Clock,
    ) -> None:
        self._at = at
        self._zone = zone
        self._contacts = contacts
        self._systems = [
            system
            for system in systems
            if Capability.FIND_CALLER in system.capabilities and Capability.CHANGES not in system.capabilities
        ]
        self._clock = clock

    async def run(self) -> None:
        """Wait for each time and warm up, until cancelled."""
        while self._at and self._systems:
            now = self._clock.now()
            await self._clock.sleep((self._next(now) - now).total_seconds())
            await self.now()

    async def now(self) -> int:
        """Warm up for the hour that begins now; how many look-ups were made."""
        begin = self._clock.now()
        hours = [(begin - timedelta(days=day), begin - timedelta(days=day) + BUSY) for day in range(1, DAYS + 1)]
        try:
            numbers = await self._contacts.callers(hours, MOST)
        except StoreError as error:
            log.warning("warm_up.not_now", error=str(error))
            return 0
        made = 0
        for system in self._systems:
            try:
                for number in numbers:
                    await system.foresee(number, BUSY.total_seconds())
                    made += 1
            except ConnectorError as error:
                log.warning("warm_up.left_alone", connector=system.name, error=str(error))
        log.info("warm_up.done", numbers=len(numbers), look_ups=made)
        return made

    def _next(self, now: datetime) -> datetime:
        """The next of the times after a moment; a day's length is the zone's own."""
        local = now.astimezone(self._zone)
        days = (local.date(), local.date() + timedelta(days=1))
        return min(moment for day in days for at in self._at if (moment := datetime.combine(day, at, self._zone)) > now)
