"""A switch that another process turns is followed within a second, on each kind of database."""

from __future__ import annotations

import asyncio
import sys

from ivr.clock import SystemClock
from ivr.config.model import Queue, SiteQueues
from ivr.outages.board import LiveOutageBoard
from ivr.routing.sites import LiveSites
from ivr.store.changes import StoredChanges
from ivr.store.database import Database
from ivr.store.outages import StoredOutages
from ivr.store.splits import StoredSplits
from ivr.store.switch_follower import SwitchFollower

TURN = """
import asyncio, sys
from datetime import UTC, datetime
from ivr.domain.outage import Outage, OutageId
from ivr.domain.site import Split
from ivr.store.database import Database
from ivr.store.outages import StoredOutages
from ivr.store.splits import StoredSplits

async def turn():
    database = Database(sys.argv[1], timeout=5.0)
    await StoredOutages(database).add(Outage(OutageId("a"), datetime.now(UTC), region="Utrecht"))
    await StoredSplits(database).set(Split("support", {"own": 0, "partner": 100}))
    await database.close()
asyncio.run(turn())
"""


async def test_an_outage_and_a_split_of_another_process_are_followed_within_a_second(
    database: Database, database_url: str
) -> None:
    board = LiveOutageBoard(StoredOutages(database))
    both = {name: SiteQueues(queues={"support": f"support-{name}"}) for name in ("own", "partner")}
    sites = LiveSites(both, {"support": Queue(split={"own": 100})}, StoredSplits(database))
    followed = asyncio.Event()

    async def look() -> None:
        if board.all() and sites.splits()[0].percent == {"own": 0, "partner": 100}:
            followed.set()

    refreshes = [board.refresh, sites.refresh, look]
    following = asyncio.create_task(SwitchFollower(StoredChanges(database), refreshes, SystemClock(), 0.3).run())
    assert sites.choose("support").name == "own"

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", TURN, database_url)
    assert await process.wait() == 0
    async with asyncio.timeout(1.0):
        await followed.wait()
    assert sites.choose("support").name == "partner"
    assert [outage.region for outage in board.concerning(region="Utrecht", products=frozenset())] == ["Utrecht"]
    following.cancel()
