"""Before a busy hour, those who use to call in it are looked up where no index knows them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ivr.calls.warm_up import BUSY, DAYS, WarmUp
from ivr.config.model import Guard as Limits
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.capability import Capability
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorUnavailable, StoreUnavailable
from ivr.simulation.manual_clock import ManualClock
from ivr.simulation.scripted_connector import ScriptedConnector

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ONE, TWO = PhoneNumber("+31612345678"), PhoneNumber("+31687654321")
ANNA = Customer(CustomerId("1"), "Anna", (ONE,))
LIMITS = Limits(cache_for=60.0, cache_unknown_for=10.0, timeout=2.0)


@dataclass
class Contacts:
    """A journal that knows who calls in busy hours, and remembers which hours it was asked for."""

    numbers: Sequence[PhoneNumber] = (ONE, TWO)
    away: bool = False
    asked: list[Sequence[tuple[datetime, datetime]]] = field(default_factory=list)

    async def callers(self, hours: Sequence[tuple[datetime, datetime]], most: int) -> Sequence[PhoneNumber]:
        self.asked.append(hours)
        if self.away:
            raise StoreUnavailable
        return self.numbers[:most]


class Indexed(ScriptedConnector):
    """A system that tells its changes, so that an index knows its customers."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return super().capabilities | {Capability.CHANGES}


def warm_up(clock: ManualClock, contacts: Contacts, *systems: Any, at: Sequence[time] = (time(7, 55),)) -> WarmUp:
    return WarmUp(at, AMSTERDAM, contacts, systems, clock)  # type: ignore[arg-type]


async def test_it_waits_for_the_local_time_of_each_day_and_asks_for_the_hour_after_it() -> None:
    clock, contacts, crm = ManualClock(), Contacts(), ScriptedConnector()
    start = clock.now()
    running = asyncio.create_task(warm_up(clock, contacts, crm).run())
    await clock.settle()
    first = datetime.combine(start.astimezone(AMSTERDAM).date(), time(7, 55), AMSTERDAM).astimezone(UTC)
    first += timedelta(days=first <= start)
    await clock.advance((first - start).total_seconds() - 1)
    assert crm.foreseen == []
    await clock.advance(1)
    assert crm.foreseen == [ONE, TWO]
    (hours,) = contacts.asked
    assert hours[0] == (first - timedelta(days=1), first - timedelta(days=1) + BUSY)
    assert len(hours) == DAYS
    await clock.advance(24 * 3600)
    assert crm.foreseen == [ONE, TWO] * 2
    running.cancel()


async def test_who_was_looked_up_is_known_without_asking_for_an_hour() -> None:
    clock, crm = ManualClock(), ScriptedConnector([ANNA])
    system = ConnectedSystem("crm", crm, LIMITS, clock)
    assert await warm_up(clock, Contacts(), system).now() == 2
    crm.hangs = True
    await clock.advance(3599)
    assert list(await system.find_caller(ONE)) == [ANNA]
    assert crm.asked == [ONE, TWO]


async def test_that_nobody_has_a_number_is_not_believed_for_an_hour() -> None:
    clock, crm = ManualClock(), ScriptedConnector()
    system = ConnectedSystem("crm", crm, LIMITS, clock)
    await warm_up(clock, Contacts(), system).now()
    crm.customers = [ANNA]
    await clock.advance(11)
    assert list(await system.find_caller(ONE)) == [ANNA]


async def test_a_system_with_an_index_is_not_asked() -> None:
    indexed = Indexed()
    assert await warm_up(ManualClock(), Contacts(), indexed).now() == 0
    assert indexed.foreseen == []


async def test_a_system_that_fails_is_left_alone_and_the_others_are_asked() -> None:
    clock = ManualClock()
    away, crm = ScriptedConnector(raises=ConnectorUnavailable("away")), ScriptedConnector()
    assert await warm_up(clock, Contacts(), away, crm).now() == 2
    assert (away.foreseen, crm.foreseen) == ([ONE], [ONE, TWO])


async def test_without_the_journal_nobody_is_looked_up() -> None:
    crm = ScriptedConnector()
    assert await warm_up(ManualClock(), Contacts(away=True), crm).now() == 0
    assert crm.foreseen == []


async def test_without_times_it_does_nothing() -> None:
    clock = ManualClock()
    await asyncio.wait_for(warm_up(clock, Contacts(), ScriptedConnector(), at=()).run(), 1)
    assert clock.sleepers == 0
