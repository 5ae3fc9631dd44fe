"""The configuration in the words of the inside: hours, regions, queues, telephones, connected systems, flows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from zlib import crc32
from zoneinfo import ZoneInfo

from ivr.calls.identification import Identifier
from ivr.clock import SystemClock
from ivr.config.model import Config, Connector, Organisation, RegionArea
from ivr.config.words import DAYS, Day, opening_span
from ivr.connectors.catalog import Catalog
from ivr.connectors.connector import Surroundings
from ivr.connectors.sync import IndexSync
from ivr.connectors.system import ConnectedSystem
from ivr.domain.capability import Capability
from ivr.domain.hand_over import Destination, Destinations
from ivr.domain.opening_hours import OpeningHours
from ivr.domain.region import Region
from ivr.errors import SetupError
from ivr.flow.engine import Limits
from ivr.flow.entrances import Entrance
from ivr.flow.sources import Sources
from ivr.ports import Clock, CustomerIndex, IndexStore
from ivr.speech.recordings import fault_of
from ivr.store.database import Database
from ivr.store.index_lookup import Freshness, IndexLookup
from ivr.yamlfile.nodes import Place


def hours_of(organisation: Organisation) -> OpeningHours:
    """When people answer."""
    return _hours(organisation, organisation.opening_hours, organisation.closed)


def named_hours_of(config: Config) -> Mapping[str, OpeningHours]:
    """The hours that have a name."""
    organisation = config.organisation
    return {
        name: _hours(organisation, hours.week, organisation.closed if hours.closed is None else hours.closed)
        for name, hours in config.opening_hours.items()
    }


def queue_hours_of(config: Config) -> Mapping[str, OpeningHours]:
    """When people answer in each queue."""
    named, usual = named_hours_of(config), hours_of(config.organisation)
    return {name: named[queue.opening_hours] if queue.opening_hours else usual for name, queue in config.queues.items()}


def _hours(organisation: Organisation, week: Mapping[Day, Sequence[str]], closed: Sequence[date]) -> OpeningHours:
    spans = tuple(tuple(opening_span(span) for span in week.get(day, ())) for day in DAYS)
    return OpeningHours(ZoneInfo(organisation.time_zone), spans, frozenset(closed))


def regions_of(areas: Mapping[str, RegionArea]) -> Sequence[Region]:
    """The regions of the configuration."""
    return tuple(
        Region(name, tuple(_postcodes(span) for span in area.postcodes), tuple(area.prefixes))
        for name, area in areas.items()
    )


def _postcodes(span: str) -> tuple[int, int]:
    first, _, last = span.partition("-")
    return int(first), int(last or first)


def sources_of(config: Config) -> Sources:
    """Where the flows and texts are."""
    gaps = {queue: gap for queue, hours in queue_hours_of(config).items() if (gap := hours.first_gap())}
    return Sources(
        config.flows.path,
        config.speech.recordings,
        config.queues,
        shown_from=config.folder,
        hours=config.opening_hours,
        queue_gaps=gaps,
        destinations=destinations_of(config),
        capabilities=capabilities_asked_of(config),
        errands={".".join(map(str, at)) for at, _, _ in config.errands.named()},
        entrances=entrances_of(config),
        private=private_fields_of(config),
        fallback=config.fallback_queue,
        listen=fault_of,
    )


def entrances_of(config: Config) -> Sequence[Entrance]:
    """The flows in which calls begin."""
    entries = [
        Entrance(
            entry.flow,
            config.place("entries", position, "flow"),
            entry.language,
            config.place("entries", position, "language"),
        )
        for position, entry in enumerate(config.entries)
    ]
    own = config.callbacks.model_fields_set
    return [
        *entries,
        Entrance(
            config.callbacks.flow, config.place("callbacks", "flow"), needed_by="" if "flow" in own else "callback"
        ),
        Entrance(config.callbacks.outage_flow, config.place("callbacks", "outage_flow"), needed_by="notice"),
    ]


def private_fields_of(config: Config) -> Mapping[str, Place | None]:
    """The caller's fields that are only spoken after `verify`, and where each is named, if the defaults do not hold."""
    written = "after_verify" in config.privacy.model_fields_set
    return {
        name: config.place("privacy", "after_verify", position) if written else None
        for position, name in enumerate(config.privacy.after_verify)
    }


def limits_of(config: Config) -> Limits:
    """How far one call may go."""
    flows = config.flows
    return Limits(flows.max_steps, flows.max_seconds, flows.after_hangup)


def destinations_of(config: Config) -> Destinations:
    """Where callers may be taken besides queues."""
    named = {name: Destination(number, name) for name, number in config.transfers.telephones.items()}
    return Destinations(named, tuple(config.transfers.prefixes), config.organisation.country)


def guards_of(config: Config, clock: Clock) -> Sequence[ConnectedSystem]:
    """The connectors that identify callers, guarded, in their order. Raises SetupError."""
    return [_guarded(config, name, clock) for name in config.identify.connectors]


def errand_systems_of(config: Config, guards: Sequence[ConnectedSystem], clock: Clock) -> Mapping[str, ConnectedSystem]:
    """The connectors that errands are for, guarded, by name; those among `guards` are these very ones.

    Raises:
        SetupError: one cannot be made, or cannot do what it is named for.
    """
    systems = {guard.name: guard for guard in guards}
    named = list(config.errands.named())
    for at, name, capability in named:
        if name not in systems:
            systems[name] = _guarded(config, name, clock)
        if capability not in systems[name].capabilities:
            place = ".".join(map(str, at))
            raise SetupError(f"errands.{place} in config.yaml names '{name}', which does not have {capability}")
    return {name: systems[name] for _, name, _ in named}


def surroundings_of(config: Config, configured: Connector) -> Surroundings:
    """What a connector may know of where it runs."""
    return Surroundings(
        country=config.organisation.country,
        zone=ZoneInfo(config.organisation.time_zone),
        folder=config.folder,
        timeout=configured.guard.timeout,
        concurrency=configured.guard.concurrency,
    )


def _guarded(config: Config, name: str, clock: Clock) -> ConnectedSystem:
    configured = config.connectors[name]
    connector = Catalog().build(configured, surroundings_of(config, configured))
    return ConnectedSystem(name, connector, configured.guard, clock)


def capabilities_asked_of(config: Config) -> frozenset[Capability] | None:
    """What the systems can do that callers are looked up in; None while their settings are wrong."""
    try:
        return frozenset(each for system in guards_of(config, SystemClock()) for each in system.capabilities)
    except SetupError:
        return None


def identifier_of(
    config: Config, guards: Sequence[ConnectedSystem], clock: Clock, index: CustomerIndex | None = None
) -> Identifier:
    """Who finds out who calls."""
    return Identifier(
        guards, budget=config.identify.budget, clock=clock, regions=regions_of(config.regions), index=index
    )


def index_of(config: Config, guards: Sequence[ConnectedSystem], database: Database, clock: Clock) -> IndexLookup:
    """Who finds customers in the index: those of the systems that tell their changes."""
    limits = {guard.name: config.connectors[guard.name].index for guard in _indexed(guards)}
    freshness = {name: Freshness(index.max_age, index.full_every) for name, index in limits.items()}
    return IndexLookup(database, freshness, clock, timeout=config.identify.index_budget)


def syncs_of(
    config: Config, guards: Sequence[ConnectedSystem], store: IndexStore, clock: Clock, owner: str
) -> Sequence[IndexSync]:
    """Who fills the index, system by system."""
    return [
        IndexSync(
            guard,
            store,
            config.connectors[guard.name].index,
            clock,
            source=_fingerprint(config.connectors[guard.name]),
            owner=owner,
        )
        for guard in _indexed(guards)
    ]


def _indexed(guards: Sequence[ConnectedSystem]) -> Sequence[ConnectedSystem]:
    return [guard for guard in guards if Capability.CHANGES in guard.capabilities]


def _fingerprint(configured: Connector) -> str:
    """What tells a connector's configuration from another: 32 bits, too few to find a password back from."""
    told = json.dumps([configured.integration, configured.settings], sort_keys=True, default=str)
    return f"{crc32(told.encode()):08x}"


def queues_of(config: Config) -> Mapping[str, Sequence[str]]:
    """The Asterisk queues that serve each of our queues."""
    return {
        queue: tuple(site.queues[queue] for site in config.sites.values() if queue in site.queues)
        for queue in config.queues
    }
