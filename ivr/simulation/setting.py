"""The setting of simulated calls: what the configuration says of the world around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from ivr.callbacks.windows import windows_ahead
from ivr.config.model import Callbacks
from ivr.domain.callback import Window
from ivr.domain.contact import Direction
from ivr.domain.opening_hours import OpeningHours
from ivr.domain.outage import Outage
from ivr.domain.region import Region
from ivr.domain.site import Site
from ivr.flow.engine import Limits
from ivr.flow.session import Services
from ivr.flow.steps.callback import WINDOWS_OFFERED
from ivr.ports import Clock, PromptLibrary
from ivr.simulation.scripted_services import ScriptedBoard, ScriptedDesk, ScriptedErrands, ScriptedSites


@dataclass(frozen=True, slots=True)
class Setting:
    """The world as it is when all is well. `services` has the organisation's own; its moving parts are replaced."""

    services: Services
    sites: Sequence[Site]
    hours: OpeningHours
    regions: Sequence[Region]
    callbacks: Callbacks
    limits: Limits

    def services_at(
        self,
        clock: Clock,
        prompts: PromptLibrary,
        outages: Sequence[Outage],
        desk: ScriptedDesk,
        errands: ScriptedErrands | None = None,
    ) -> Services:
        """What one call's flow asks of the outside. Its errands are only remembered."""
        sites = ScriptedSites(self.sites)
        board = ScriptedBoard(outages)
        return replace(
            self.services,
            clock=clock,
            prompts=prompts,
            outages=board,
            callbacks=desk,
            sites=sites,
            errands=errands or ScriptedErrands(),
        )

    def desk(self, start: datetime) -> ScriptedDesk:
        """A callback desk with room in every window, from a moment on."""
        return ScriptedDesk(tuple(islice(self._windows(start), WINDOWS_OFFERED)))

    def direction(self, flow: str) -> Direction:
        """Who calls whom in a flow."""
        return Direction.OUTBOUND if flow in (self.callbacks.flow, self.callbacks.outage_flow) else Direction.INBOUND

    def _windows(self, start: datetime) -> Iterator[Window]:
        return windows_ahead(
            self.hours,
            now=start,
            length=timedelta(seconds=self.callbacks.window),
            lead=timedelta(seconds=self.callbacks.lead),
            days=self.callbacks.days_ahead,
        )
