"""A real database behind a guard: found, not found, slow, refused."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.demo.crm import NAMED, NOBODYS_NUMBER, make_crm
from integrations.sql.connector import SqlConnector, SqlSettings
from ivr.clock import SystemClock
from ivr.config.model import Guard as Limits
from ivr.connectors.breaker import BreakerState
from ivr.connectors.connector import Surroundings
from ivr.connectors.guard import Count
from ivr.connectors.system import ConnectedSystem
from ivr.domain.dossier import OrderState
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused, ConnectorTimeout, ConnectorUnavailable
from tests.private_postgresql import Cluster

TODAY = date(2026, 11, 23)
ANNA, BRAM, EMILY, YOUSSEF, SAMIRA = NAMED
LIMIT = 0.2
"""Seconds until the guard gives up, in tests where it must."""

Connect = Callable[..., ConnectedSystem]


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes a guarded connector from settings; closed afterwards."""
    guards: list[ConnectedSystem] = []

    def made(
        timeout: float = 5.0, failures_to_open: int = 5, open_for: float = 10.0, **settings: Any
    ) -> ConnectedSystem:
        limits = Limits(timeout=timeout, failures_to_open=failures_to_open, open_for=open_for, concurrency=4)
        connector = SqlConnector(
            SqlSettings(**settings), Surroundings(folder=tmp_path, timeout=timeout, concurrency=limits.concurrency)
        )
        guards.append(ConnectedSystem("crm", connector, limits, SystemClock()))
        return guards[-1]

    yield made
    for guard in guards:
        await guard.close()


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """The demo's CRM as of TODAY."""
    path = tmp_path / "crm.db"
    make_crm(path, TODAY)
    return path


async def test_found_in_the_demo_crm_with_nothing_but_its_address(connect: Connect, demo: Path) -> None:
    (anna,) = await connect(url="sqlite+aiosqlite:///crm.db").find_caller(PhoneNumber(ANNA.number))
    assert (anna.id, anna.name, anna.language, anna.postcode) == ("K100001", "Anna de Vries", Language.NL, "3511 AB")
    assert (anna.house_number, anna.birth_date) == ("12", date(1985, 4, 12))
    assert anna.numbers == (ANNA.number,)
    assert anna.products == {"internet", "tv"}
    (order,) = anna.open_orders
    assert (order.number, order.state, order.expected_on) == ("B200001", OrderState.ON_THE_WAY, TODAY)


async def test_two_on_one_number_are_both_found(connect: Connect, demo: Path) -> None:
    found = await connect(url="sqlite+aiosqlite:///crm.db").find_caller(PhoneNumber(YOUSSEF.number))
    assert {customer.name for customer in found} == {YOUSSEF.name, SAMIRA.name}


async def test_not_found(connect: Connect, demo: Path) -> None:
    assert list(await connect(url="sqlite+aiosqlite:///crm.db").find_caller(PhoneNumber(NOBODYS_NUMBER))) == []


async def test_a_number_is_data_and_never_a_statement(connect: Connect, demo: Path) -> None:
    query = "SELECT 1 AS customer_id, name, name AS number FROM customers WHERE name IN :numbers"
    guarded = connect(url="sqlite+aiosqlite:///crm.db", query=query)
    assert list(await guarded.find_caller(PhoneNumber(ANNA.number))) == []
    with closing(sqlite3.connect(demo)) as crm:
        assert crm.execute("SELECT count(*) FROM customers").fetchone() == (2000,)


@pytest.mark.postgresql
async def test_found_in_postgresql(connect: Connect, cluster: Cluster) -> None:
    url = cluster.new_database()
    await run(
        url,
        "CREATE TABLE people (code int, full_name text, phone text, due timestamptz)",
        "INSERT INTO people VALUES (7, 'Anna', '06-12345678', '2026-11-23 10:00+01'), (8, 'Bram', '06-87654321', NULL)",
    )
    query = """SELECT code AS customer_id, full_name AS name, phone AS number, 'B' || code::text AS order_number,
                      'delayed' AS order_state, due AS order_expected_on
               FROM people WHERE phone IN :numbers"""
    guarded = connect(url=url, query=query)
    (anna,) = await guarded.find_caller(PhoneNumber("+31612345678"))
    assert (anna.id, anna.name, anna.orders[0].expected_on) == ("7", "Anna", TODAY)
    assert list(await guarded.find_caller(PhoneNumber("+31612345679"))) == []
    await guarded.check()


@pytest.mark.postgresql
async def test_slow_a_locked_table_of_postgresql(connect: Connect, cluster: Cluster) -> None:
    url = cluster.new_database()
    await run(url, "CREATE TABLE people (customer_id int, name text, number text)")
    guarded = connect(timeout=LIMIT, url=url, query="SELECT * FROM people WHERE number IN :numbers")
    assert list(await guarded.find_caller(PhoneNumber("+31612345678"))) == []
    engine = create_async_engine(url)
    async with engine.begin() as locker:
        await locker.execute(text("LOCK TABLE people IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(ConnectorTimeout):
            await guarded.find_caller(PhoneNumber("+31612345679"))
    await engine.dispose()
    assert list(await guarded.find_caller(PhoneNumber("+31612345679"))) == []


@pytest.mark.postgresql
async def test_a_connection_that_was_dropped_while_idle_costs_nobody_an_answer(
    connect: Connect, own_cluster: Cluster
) -> None:
    url = own_cluster.new_database()
    await run(url, "CREATE TABLE people (customer_id int, name text, number text)")
    guarded = connect(url=url, query="SELECT * FROM people WHERE number IN :numbers")
    await guarded.find_caller(PhoneNumber("+31612345678"))
    own_cluster.stop()
    with pytest.raises(ConnectorUnavailable):
        await guarded.find_caller(PhoneNumber("+31612345679"))
    own_cluster.start()
    assert list(await guarded.find_caller(PhoneNumber("+31612345679"))) == []
    own_cluster.stop()
    own_cluster.start()
    assert list(await guarded.find_caller(PhoneNumber("+31612345670"))) == []
    assert guarded.status.counts[Count.UNAVAILABLE] == 1


async def test_slow_a_server_that_accepts_and_says_nothing(connect: Connect) -> None:
    """After enough time-outs it is left alone, and asked again once it may be."""
    silent = asyncio.Event()
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    guarded = connect(
        timeout=LIMIT, failures_to_open=2, open_for=0.0, url=f"postgresql+asyncpg://crm@127.0.0.1:{port}/crm"
    )
    for number in range(2):
        with pytest.raises(ConnectorTimeout):
            await guarded.find_caller(PhoneNumber(f"+3130000010{number}"))
    assert guarded.status.breaker is BreakerState.HALF_OPEN
    assert connections >= 2
    silent.set()
    server.close()
    with pytest.raises(ConnectorUnavailable):
        await guarded.find_caller(PhoneNumber(ANNA.number))
    assert guarded.status.under_way == 0


async def test_slow_a_locked_sqlite_file(connect: Connect, demo: Path) -> None:
    guarded = connect(timeout=LIMIT, url="sqlite+aiosqlite:///crm.db")
    await guarded.open()
    with closing(sqlite3.connect(demo, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises((ConnectorTimeout, ConnectorUnavailable)):
            await guarded.find_caller(PhoneNumber(ANNA.number))
        writer.execute("ROLLBACK")
    assert [customer.name for customer in await guarded.find_caller(PhoneNumber(ANNA.number))] == [ANNA.name]


async def test_a_file_that_is_not_there_is_not_made(connect: Connect, tmp_path: Path) -> None:
    guarded = connect(url="sqlite+aiosqlite:///crm.db")
    with pytest.raises(ConnectorUnavailable, match="unable to open"):
        await guarded.find_caller(PhoneNumber(ANNA.number))
    assert not (tmp_path / "crm.db").exists()
    make_crm(tmp_path / "crm.db", TODAY)
    assert len(await guarded.find_caller(PhoneNumber(ANNA.number))) == 1


async def test_refused_a_missing_table(connect: Connect, demo: Path) -> None:
    guarded = connect(url="sqlite+aiosqlite:///crm.db")
    assert len(await guarded.find_caller(PhoneNumber(ANNA.number))) == 1
    with closing(sqlite3.connect(demo)) as crm:
        crm.execute("DROP TABLE phones")
    with pytest.raises(ConnectorRefused, match="no such table: phones"):
        await guarded.find_caller(PhoneNumber(BRAM.number))
    with pytest.raises(ConnectorRefused, match="no such table: phones"):
        await guarded.check()


@pytest.mark.postgresql
async def test_refused_by_postgresql_without_the_table_and_without_its_password(
    connect: Connect, cluster: Cluster
) -> None:
    guarded = connect(url=cluster.new_database())
    with pytest.raises(ConnectorRefused, match="phones"):
        await guarded.open()
    stranger = cluster.new_database().replace("postgres@", "stranger@")
    with pytest.raises(ConnectorRefused, match="stranger"):
        await connect(url=stranger).open()


async def test_refused_columns_that_do_not_fit(connect: Connect, demo: Path) -> None:
    query = "SELECT c.id AS customer_id, c.name AS naam, '' AS number FROM customers c WHERE c.id IN :numbers"
    guarded = connect(url="sqlite+aiosqlite:///crm.db", query=query)
    with pytest.raises(ConnectorRefused, match=r"no column 'name'.*'naam'.*did you mean 'name'"):
        await guarded.open()


async def test_refused_a_query_that_does_not_select_by_number(connect: Connect, demo: Path) -> None:
    query = "SELECT c.id AS customer_id, c.name, '' AS number FROM customers c WHERE '+0' NOT IN :numbers"
    guarded = connect(url="sqlite+aiosqlite:///crm.db", query=query)
    with pytest.raises(ConnectorRefused, match="more than 500 rows"):
        await guarded.find_caller(PhoneNumber(ANNA.number))


async def test_errors_do_not_hold_the_number_that_was_asked_for(connect: Connect, demo: Path) -> None:
    guarded = connect(url="sqlite+aiosqlite:///crm.db")
    await guarded.open()
    with closing(sqlite3.connect(demo)) as crm:
        crm.execute("DROP TABLE orders")
    with pytest.raises(ConnectorRefused) as caught:
        await guarded.find_caller(PhoneNumber(ANNA.number))
    assert ANNA.number not in f"{caught.value} {guarded.status.last_error} {caught.value.__cause__}"


@pytest.mark.postgresql
async def test_a_password_is_read_from_its_file(connect: Connect, tmp_path: Path, cluster: Cluster) -> None:
    settings = {"url": cluster.new_database(), "password_file": "crm.password", "query": "SELECT 1 WHERE 1 IN :numbers"}
    with pytest.raises(ConnectorRefused, match=r"crm\.password cannot be read"):
        await connect(**settings).open()
    (tmp_path / "crm.password").write_text("opensesame\n")
    with pytest.raises(ConnectorRefused) as caught:
        await connect(**settings).open()
    assert "cannot be read" not in str(caught.value)
    assert "opensesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "crm.db"}, "not a database address"),
        ({"url": "nosuch+driver:///crm"}, "not a database address"),
        ({"url": "sqlite:///crm.db"}, "would block every call"),
        ({"url": "mysql+aiomysql://crm"}, "'aiomysql' is not installed"),
        ({"url": "sqlite+aiosqlite:///crm.db", "query": "SELECT 1"}, "IN :numbers"),
        ({"url": "sqlite+aiosqlite:///crm.db", "spellings": []}, "at least 1 item"),
        ({"url": "sqlite+aiosqlite:///crm.db", "spellings": ["morse"]}, "e164"),
    ],
)
def test_wrong_settings_are_told(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        SqlSettings(**settings)


def test_a_wrong_setting_does_not_show_the_password() -> None:
    with pytest.raises(ValidationError) as caught:
        SqlSettings(url="postgresql://crm:opensesame@host/crm")
    assert "opensesame" not in str(caught.value)


async def run(url: str, *statements: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()
