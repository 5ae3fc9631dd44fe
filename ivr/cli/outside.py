"""The outside of a simulated call: the setting that config.yaml describes, and who a number belongs to."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import click

from ivr.clock import SystemClock
from ivr.config.model import Config
from ivr.configured import (
    destinations_of,
    guards_of,
    hours_of,
    identifier_of,
    limits_of,
    named_hours_of,
    queue_hours_of,
    regions_of,
)
from ivr.domain.caller import Caller
from ivr.domain.capability import KEPT_BY
from ivr.domain.line import read_line
from ivr.domain.site import Site
from ivr.errors import ConnectorError
from ivr.flow.session import Services
from ivr.simulation.scripted_services import ScriptedBoard, ScriptedDesk, ScriptedErrands, ScriptedShelf, ScriptedSites
from ivr.simulation.setting import Setting
from ivr.simulation.spoken_prompts import SpokenPrompts


def setting_of(config: Config) -> Setting:
    """The world around a simulated call, as the configuration describes it: all there, and all well."""
    hours = hours_of(config.organisation)
    sites = [Site(name, site.queues) for name, site in config.sites.items()]
    services = Services(
        prompts=SpokenPrompts(),
        outages=ScriptedBoard(),
        callbacks=ScriptedDesk(),
        sites=ScriptedSites(sites),
        clock=SystemClock(),
        zone=ZoneInfo(config.organisation.time_zone),
        fallback_queue=config.fallback_queue,
        language=config.organisation.language,
        country=config.organisation.country,
        hours=hours,
        named_hours=named_hours_of(config),
        queue_hours=queue_hours_of(config),
        destinations=destinations_of(config),
        recordings=ScriptedShelf(),
        errands=ScriptedErrands(),
    )
    limits = limits_of(config)
    queue_hours = {name: queue.opening_hours for name, queue in config.queues.items() if queue.opening_hours}
    regions = regions_of(config.regions)
    return Setting(services, sites, hours, regions, config.callbacks, limits, config.entries, queue_hours)


async def identify(config: Config, number: str) -> Caller:
    """The caller, as the configured connectors know them; unknown when they cannot be asked."""
    clock = SystemClock()
    line = read_line(number or "anonymous", country=config.organisation.country)
    guards = guards_of(config, clock) if line.number else ()
    try:
        for guard in guards:
            try:
                await guard.open()
            except ConnectorError as error:
                click.echo(f"ivr: the caller is not looked up in {guard.name}: {error}", err=True)
        fields = frozenset(KEPT_BY)
        lookup = identifier_of(config, guards, clock).start(line, fields)
        try:
            await lookup.answer()
            await lookup.ready(fields)
            return lookup.current()
        finally:
            lookup.close()
    finally:
        for guard in guards:
            await guard.close()
