"""Versions: the flows of a call that begins now, as the files say or as somebody chose."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

import structlog

from ivr.domain.flow_version import FILES, FlowChoice, KeptFlows, Origin
from ivr.errors import InvalidFiles, StoreError
from ivr.flow.catalog import FlowCatalog
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.flow.sources import Sources
from ivr.flow.stepping_aside import stepping_aside
from ivr.ports import Clock, FlowStore

logger = structlog.get_logger()

T = TypeVar("T")


class Turns(Protocol):
    """Whose turn it is, call after call."""

    def next(self) -> str:
        """The version that the next call gets."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A choice that is followed: the sets of its versions, FILES left out, and whose turn it is."""

    choice: FlowChoice
    sets: Mapping[str, FlowSet]
    turns: Turns


class LiveVersions:
    """Gives each call its flows: those of the files, unless another version was chosen for the flow it begins in.

    A version comes back with everything it was checked with: a call gets the whole set of
    that moment. Recordings alone are always those of today. A choice holds for as long as the
    files hold the version they held when it was made.
    """

    def __init__(
        self,
        catalog: FlowCatalog,
        sources: Sources,
        store: FlowStore,
        clock: Clock,
        *,
        turns: Callable[[Mapping[str, int]], Turns],
        on_change: Callable[[FlowSet], None] | None = None,
    ) -> None:
        """`turns` divides calls between versions by whole percents; `on_change` is told of each set that comes back."""
        self._catalog = catalog
        self._sources = sources
        self._store = store
        self._clock = clock
        self._turns = turns
        self._on_change = on_change
        self._runs: Mapping[str, _Run] = {}
        self._loaded: dict[str, FlowSet] = {}
        self._kept: FlowSet | None = None
        self._is_away = False

    def for_call(self, flow: str) -> FlowSet:
        """The flows for a call that begins in `flow` now."""
        files, run = self._catalog.current(), self._runs.get(flow)
        if run is None or files.versions().get(flow, FILES) != run.choice.files_version:
            return files
        return run.sets.get(run.turns.next(), files)

    async def refresh(self) -> None:
        """Follow what is chosen now. A version that can no longer be used is not followed. Raises StoreUnavailable."""
        choices = await self._store.choices()
        history = await self._store.history() if choices else ()
        runs = {choice.flow: await self._run(choice, history) for choice in choices}
        self._runs = {flow: run for flow, run in runs.items() if run is not None}
        used = {found.id for run in self._runs.values() for found in run.sets.values()}
        self._loaded = {name: found for name, found in self._loaded.items() if name in used}

    async def keep(self) -> None:
        """Store the flows of the files, if that was not done yet; while the database is away it is left for later."""
        flows = self._catalog.current()
        if flows is self._kept:
            return
        by = self._sources.changed_by()
        try:
            await self._store.keep(
                KeptFlows(flows.id, self._clock.now(), by, Origin.FILES, flows.versions()), flows.files
            )
        except StoreError as error:
            if not self._is_away:
                logger.warning("flows cannot be kept to return to; it is tried again", error=str(error))
            self._is_away = True
        else:
            self._kept, self._is_away = flows, False

    async def watch(self, interval: float) -> None:
        """Take over and keep what changes in the files, every `interval` seconds, until cancelled.

        Files are read in a thread that steps aside, so that calls do not wait for them.
        """
        while True:
            await self._clock.sleep(interval)
            if await asyncio.to_thread(self._catalog.has_changes):
                await asyncio.to_thread(_beside_calls, self._catalog.refresh)
            await self.keep()

    async def _run(self, choice: FlowChoice, history: Sequence[KeptFlows]) -> _Run | None:
        before = self._runs.get(choice.flow)
        if before is not None and before.choice == choice:
            return before
        wanted = [version for version in (choice.version, choice.candidate) if version]
        try:
            sets = {version: await self._set(choice.flow, version, history) for version in wanted}
        except InvalidFiles as invalid:
            logger.error("the chosen version cannot be used; the files are", flow=choice.flow, problems=str(invalid))
            return None
        shares = {choice.version: 100 - choice.percent}
        if choice.candidate is not None:
            shares[choice.candidate] = choice.percent
        logger.info("version of a flow chosen", flow=choice.flow, shares=shares, by=choice.by)
        return _Run(choice, sets, self._turns(shares))

    async def _set(self, flow: str, version: str, history: Sequence[KeptFlows]) -> FlowSet:
        """The newest set with a version. Raises InvalidFiles: it is not right any more, or was never kept."""
        name = next((kept.id for kept in history if kept.versions.get(flow) == version), "")
        if name not in self._loaded:
            files = await self._store.files(name)
            sources = replace(self._sources, given=files)
            found = await asyncio.to_thread(_beside_calls, partial(load, sources))
            if flow not in found.flows:
                raise InvalidFiles([f"version {version} of flow '{flow}' was not kept"])
            self._loaded[name] = found
            if self._on_change:
                self._on_change(found)
        return self._loaded[name]


def _beside_calls(work: Callable[[], T]) -> T:
    with stepping_aside():
        return work()
