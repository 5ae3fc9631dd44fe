"""The catalog: the flows of this moment, followed as their files change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from ivr.errors import InvalidFiles
from ivr.flow.loader import examine, load
from ivr.flow.model import FlowSet
from ivr.flow.sources import Sources
from ivr.yamlfile.problem import Problem, errors_in

logger = structlog.get_logger()


class FlowCatalog:
    """Gives out the newest flows that are right.

    A call asks once and keeps what it got. Flows and texts are taken over together: as long
    as one file has a problem all stay as they were, and the problems are logged.
    `on_change` is told of every set that is taken over.
    """

    def __init__(self, sources: Sources, *, on_change: Callable[[FlowSet], None] | None = None) -> None:
        """Load the flows. Raises InvalidFiles: with nothing to fall back on, every problem must be solved first."""
        self._sources = sources
        self._on_change = on_change
        self._state = sources.state()
        self._current = load(sources)
        self._problems: Sequence[Problem] = ()

    def current(self) -> FlowSet:
        """The flows for a call that begins now."""
        return self._current

    @property
    def problems(self) -> Sequence[Problem]:
        """Why the files as they are now were not taken over; empty when they were."""
        return self._problems

    def has_changes(self) -> bool:
        """Whether files changed since they were last looked at."""
        return self._sources.state() != self._state

    def refresh(self) -> bool:
        """Look whether files changed, and take them over if they are right. Returns whether it did."""
        state = self._sources.state()
        if state == self._state:
            return False
        self._state = state
        flows, problems = examine(self._sources)
        self._problems = errors_in(problems)
        if flows is None:
            logger.error("changed flows have problems; the old ones stay", problems=str(InvalidFiles(self._problems)))
            return False
        self._current = flows
        logger.info("flows taken over", versions={name: flow.version for name, flow in flows.flows.items()})
        if self._on_change:
            self._on_change(flows)
        return True
