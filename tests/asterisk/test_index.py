"""The index of customers in real calls: a change in the CRM reaches it, and it knows callers while the CRM is dead."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from aiohttp import ClientSession

from deploy.demo.crm import CUSTOMERS, NAMED
from tests.asterisk.callers import QUICK, callers_of, heard
from tests.asterisk.conftest import StartEngine
from tests.asterisk.engine_under_test import EngineUnderTest

pytestmark = pytest.mark.asterisk

BRAM = NAMED[1]


async def metric(engine: EngineUnderTest, name: str) -> float:
    """A value of the index that the engine tells; -1 when it does not."""
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{engine.http_port}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name}{{")), -1.0)


async def test_a_caller_is_known_from_the_index_while_the_crm_is_dead(start_engine: StartEngine) -> None:
    engine = await start_engine(
        speech=QUICK,
        identify={"budget": "5s", "index_budget": "1s"},
        connectors={"crm": {"index": {"interval": "1s"}, "guard": {"cache_for": "0s", "cache_unknown_for": "0s"}}},
    )

    async def built() -> bool:
        return await metric(engine, "klantlijn_index_customers") == CUSTOMERS

    await engine.until(built, 20, "the index to be built")
    crm = engine.home / "var" / "crm.db"
    with closing(sqlite3.connect(crm)) as database, database:
        database.execute("INSERT INTO phones (customer_id, number, kind) VALUES (2, '020-0009999', 'work')")

    async def known() -> bool:
        with closing(sqlite3.connect(engine.home / "var" / "klantlijn.db")) as index:
            return bool(index.execute("SELECT 1 FROM indexed_identities WHERE key = '+31200009999'").fetchall())

    await engine.until(known, 5, "the new number to be in the index")
    with closing(sqlite3.connect(crm)) as database, database:
        database.execute("ALTER TABLE customers RENAME TO gone")
    async with callers_of(engine) as callers:
        call = await callers.talk("+31200009999", ("nl/main_menu_person", "0"), until="nl/agent")
        journey = await callers.leave(call)
        contact = await callers.contact(call)
    assert contact["customer"] == BRAM.customer_number
    assert heard(journey)[0] == "nl/welcome"
    assert journey.dead_air == ()
    assert await metric(engine, "klantlijn_index_age_seconds") >= 0
    log = engine.log.read_text()
    assert "index.not_synced" in log
    assert "+3120" not in log
