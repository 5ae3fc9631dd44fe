"""Following switches: one look at the database each interval, and a refresh of those who follow upon a change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from structlog.stdlib import get_logger

from ivr.errors import StoreError
from ivr.ports import ChangeWatch, Clock

log = get_logger()

Refresh = Callable[[], Awaitable[None]]


class SwitchFollower:
    """Calls `refreshes` at the start, and again within about `interval` seconds of every change by anybody."""

    def __init__(self, watch: ChangeWatch, refreshes: Sequence[Refresh], clock: Clock, interval: float) -> None:
        self._watch = watch
        self._refreshes = refreshes
        self._clock = clock
        self._interval = interval
        self._followed: int | None = None
        self._is_away = False

    async def run(self) -> None:
        """Follow until cancelled; a database that is away is waited for."""
        while True:
            await self.step()
            await self._clock.sleep(self._interval)

    async def step(self) -> None:
        """Look once, and refresh if there was a change since the last complete refresh."""
        try:
            # Read before the refresh: a change during it is then seen as another one.
            revision = await self._watch.revision()
            if revision != self._followed:
                for refresh in self._refreshes:
                    await refresh()
                self._followed = revision
        except StoreError as error:
            if not self._is_away:
                log.warning("switches cannot be read; the last known ones stay", error=str(error))
            self._is_away = True
            return
        if self._is_away:
            log.info("switches can be read again")
        self._is_away = False
