"""The board: the outages that are open now, in memory, so that a call never waits for them."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.domain.outage import Outage
from ivr.ports import OutageStore


class LiveOutageBoard:
    """The open outages as last read (an `ivr.ports.OutageBoard`).

    While the database is away it keeps telling what it knew: an outage seldom ends in
    those seconds, and silence about one costs every caller a wait.
    """

    def __init__(self, store: OutageStore) -> None:
        self._store = store
        self._open: tuple[Outage, ...] = ()

    def concerning(self, *, region: str | None, products: frozenset[str]) -> Sequence[Outage]:
        """The open outages that touch a caller: those of the caller's own region first, the longest known first."""
        return [outage for outage in self._open if outage.concerns(region=region, products=products)]

    def all(self) -> Sequence[Outage]:
        """Every open outage, in the same order."""
        return self._open

    async def refresh(self) -> None:
        """Read the open outages.

        Raises:
            StoreUnavailable: the board stays as it is.
        """
        outages = await self._store.outages(only_open=True)
        self._open = tuple(sorted(outages, key=lambda outage: (outage.region is None, outage.opened_at, outage.id)))
