"""Keeping the index of one connected system's customers up to date, in the background and whatever happens."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from structlog.stdlib import get_logger

from ivr.config.model import Index as Limits
from ivr.connectors.connector import Changes
from ivr.domain.index_state import IndexState, RunPhase
from ivr.errors import ConnectorError, ConnectorRefused, StoreError
from ivr.ports import Clock, IndexStore

log = get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0
"""Seconds of rest after a failure; each further one doubles it."""

SPREAD = 0.1
"""The share by which pauses differ, so that connectors and nodes do not all ask at the same moment."""

LONGEST_BREATH = 0.1
"""Seconds: after a page it rests as long as that took, and no longer than this. A sync that takes all there is of a
core has the operating system, too, let calls wait."""

FORGOTTEN_AT_ONCE = 1000
"""Customers of a connector that is no more, removed in one transaction."""

WRITING = 30.0
"""Seconds of lease beyond asking a page and the pause after it: to write the page, on a node that may be busy."""


async def forget_others(store: IndexStore, syncs: Sequence[IndexSync], clock: Clock) -> None:
    """Remove the customers of connectors that are not indexed any more; the next start goes on if it cannot be done."""
    try:
        for connector in set(await store.connectors()) - {sync.name for sync in syncs}:
            while await store.forget(connector, now=clock.now(), limit=FORGOTTEN_AT_ONCE):
                await clock.sleep(LONGEST_BREATH)
    except StoreError as error:
        log.warning("index.not_forgotten", error=str(error))


class ChangeSource(Protocol):
    """A system that tells its changes, such as an `ivr.connectors.system.ConnectedSystem`."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    async def changes(self, since: str | None, limit: int, *, within: float) -> Changes:
        """A page of what changed, within so many seconds. Raises ConnectorError and nothing else."""


class IndexSync:
    """Fills the index of one system, and follows its changes from then on.

    A full run reads every customer and removes whom it did not see; the first one builds
    the index, later ones find out who was deleted, which changes need not tell. Changes go
    on meanwhile. Each page is stored together with where to go on, so a process that dies
    costs one page, and whoever has the turn next goes on there.

    `source` stands for the connector's configuration: with another one all begins anew.
    `owner` is this node; only one node at a time has the turn.
    """

    def __init__(
        self, system: ChangeSource, store: IndexStore, limits: Limits, clock: Clock, *, source: str, owner: str
    ) -> None:
        self.name = system.name
        self.max_age = limits.max_age
        self.state: IndexState | None = None
        self._system = system
        self._store = store
        self._limits = limits
        self._clock = clock
        self._source = source
        self._owner = owner
        self._has_turn = False
        self._failures = 0
        self._refused = False

    @property
    def age(self) -> float | None:
        """Seconds since the moment that the index is up to; None when it was never complete."""
        if self.state is None or self.state.synced_at is None:
            return None
        return (self._clock.now() - self.state.synced_at).total_seconds()

    async def run(self) -> None:
        """Keep it up to date until cancelled."""
        while True:
            await self._clock.sleep(await self.step())

    async def step(self) -> float:
        """Do one page of what is due. Returns how many seconds it has time."""
        began = self._clock.monotonic()
        try:
            state = self.state if self._has_turn else await self._claim()
            if state is None:
                # Another node fills it; this one only looks how far it is.
                self.state = await self._store.state(self.name)
                return self._spread(self._limits.interval)
            self.state = state
            if not self._changes_due(state) and not self._run_due(state):
                # The turn is claimed again after the pause, as another node may have taken it.
                self._has_turn = False
                return self._spread(self._limits.interval)
            self.state = await self._advance(state)
            self._has_turn = self.state is not None
        except (ConnectorError, StoreError) as error:
            return await self._rest(error)
        self._failures = 0
        return min(self._clock.monotonic() - began, LONGEST_BREATH)

    async def _claim(self) -> IndexState | None:
        now = self._clock.now()
        state = await self._store.claim(
            self.name, source=self._source, owner=self._owner, now=now, lease_until=self._lease_until()
        )
        self._has_turn = state is not None
        return state

    def _lease_until(self) -> datetime:
        """Long enough for a page and a pause after it, so that a node that lives does not lose its turn."""
        return self._clock.now() + timedelta(seconds=self._limits.page_timeout + self._limits.interval + WRITING)

    async def _advance(self, state: IndexState) -> IndexState | None:
        """One page of changes, or of the full run. Returns the state as it is now; None when the turn was lost."""
        if self._changes_due(state):
            return await self._follow(state)
        match state.phase:
            case RunPhase.NONE:
                began = replace(state, run=state.run + 1, phase=RunPhase.READING, run_began_at=self._clock.now())
                log.info("index.run_began", connector=self.name)
                return await self._write(began)
            case RunPhase.READING:
                return await self._read(state)
            case RunPhase.SWEEPING:
                return await self._sweep(state)

    async def _follow(self, state: IndexState) -> IndexState | None:
        asked_at = self._clock.now()
        try:
            page = await self._changes(state.cursor)
        except ConnectorRefused:
            # Perhaps the cursor is too old for the system: then reading everything gives a new one.
            self._refused = True
            raise
        return await self._write(
            replace(state, cursor=page.cursor, synced_at=state.synced_at if page.more else asked_at), page
        )

    async def _read(self, state: IndexState) -> IndexState | None:
        try:
            page = await self._changes(state.run_cursor)
        except ConnectorRefused:
            await self._write(replace(state, run_cursor=None))
            raise
        if page.more:
            return await self._write(replace(state, run_cursor=page.cursor), page)
        self._refused = False
        return await self._write(replace(state, phase=RunPhase.SWEEPING, run_cursor=None, cursor=page.cursor), page)

    async def _sweep(self, state: IndexState) -> IndexState | None:
        swept = await self._store.sweep(
            state, owner=self._owner, lease_until=self._lease_until(), limit=self._limits.page
        )
        if swept and swept.phase is RunPhase.NONE:
            log.info("index.run_ended", connector=self.name, customers=swept.customers)
        return swept

    async def _changes(self, since: str | None) -> Changes:
        page = await self._system.changes(since, self._limits.page, within=self._limits.page_timeout)
        if page.more and page.cursor == since:
            raise ConnectorError(f"{self.name} has more changes, but gives the cursor it was asked with")
        return page

    async def _write(self, state: IndexState, page: Changes | None = None) -> IndexState | None:
        return await self._store.write(
            state,
            owner=self._owner,
            lease_until=self._lease_until(),
            customers=page.customers if page else (),
            gone=page.gone if page else (),
        )

    def _changes_due(self, state: IndexState) -> bool:
        return state.cursor is not None and not self._refused and self._passed(state.synced_at, self._limits.interval)

    def _run_due(self, state: IndexState) -> bool:
        under_way = state.phase is not RunPhase.NONE
        return under_way or self._refused or self._passed(state.full_at, self._limits.full_every)

    def _passed(self, since: datetime | None, seconds: float) -> bool:
        return since is None or self._clock.now() - since >= timedelta(seconds=seconds)

    async def _rest(self, error: ConnectorError | StoreError) -> float:
        """After a failure: how long to leave the system or the database alone, during which another node may try."""
        if not self._failures:
            log.warning("index.not_synced", connector=self.name, error=str(error))
        pause = min(FIRST_PAUSE * 2.0**self._failures, max(LONGEST_PAUSE, self._limits.interval))
        self._failures += 1
        self._has_turn = False
        with suppress(StoreError):
            await self._store.release(self.name, owner=self._owner)
        return self._spread(pause)

    def _spread(self, seconds: float) -> float:
        return seconds * random.uniform(1.0, 1.0 + SPREAD)  # noqa: S311 - nothing depends on its being unforeseeable
