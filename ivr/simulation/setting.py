"""The setting of simulated calls: what the configuration says of the world around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from itertools import islice

from ivr.callbacks.windows import windows_ahead
from ivr.config.model import Callbacks, Entry
from ivr.domain.callback import Window
from ivr.domain.contact import Direction
from ivr.domain.language import Language
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
    """The world as it is when all is well. `services` has the organisation's own; its moving parts are replaced.

    `entries` say in which language a number is answered, `queue_hours` the name of the hours of queues that have some.
    """

    services: Services
    sites: Sequence[Site]
    hours: OpeningHours
    regions: Sequence[Region]
    callbacks: Callbacks
    limits: Limits
    entries: Sequence[Entry] = ()
    queue_hours: Mapping[str, str] = field(default_factory=dict)

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

    def language(self, dialled: str, flow: str) -> Language | None:
        """The language of who dialled a number that the flow answers."""
        entry = next((entry for entry in self.entries if entry.matches(dialled)), None)
        return entry.language if entry is not None and entry.flow == flow else None

    def with_hours(self, services: Services, chosen: Mapping[str, bool]) -> Services:
        """Services where named hours hold, or do not, whatever the time."""
        week = {True: (((time(0), time(0)),),) * 7, False: ((),) * 7}
        hours = {name: OpeningHours(services.zone, week[is_open]) for name, is_open in chosen.items()}
        queues = {queue: hours[name] for queue, name in self.queue_hours.items() if name in hours}
        return replace(
            services,
            named_hours={**services.named_hours, **hours},
            queue_hours={**services.queue_hours, **queues},
        )

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
