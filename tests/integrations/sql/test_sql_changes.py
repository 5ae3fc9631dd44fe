"""A database's customers in the order in which they changed: none left out, wherever a page ends."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.demo.crm import CUSTOMERS, NAMED, make_crm
from integrations.sql.connector import SqlConnector, SqlSettings
from ivr.config.loading import load
from ivr.connectors.connector import Changes, Surroundings
from ivr.domain.caller import Customer
from ivr.domain.capability import Capability
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused
from tests.private_postgresql import Cluster

ROOT = Path(__file__).parents[3]
DEMO = load(ROOT / "config.yaml").connectors["crm"].settings
ANNA = NAMED[0]

Connect = Callable[..., SqlConnector]


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes a connector from settings; closed afterwards."""
    connectors: list[SqlConnector] = []

    def made(**settings: Any) -> SqlConnector:
        connectors.append(SqlConnector(SqlSettings(**settings), Surroundings(folder=tmp_path, timeout=5.0)))
        return connectors[-1]

    yield made
    for connector in connectors:
        await connector.close()


@pytest.fixture
async def demo(connect: Connect, tmp_path: Path) -> SqlConnector:
    """The demo's CRM with the settings of config.yaml."""
    make_crm(tmp_path / "crm.db", date(2026, 11, 23))
    connector = connect(**{**DEMO, "url": "sqlite+aiosqlite:///crm.db"})
    await connector.open()
    await connector.check()
    return connector


async def everything(connector: SqlConnector, since: str | None = None, limit: int = 300) -> tuple[list[Customer], str]:
    """Every page after a cursor, and the cursor behind them."""
    customers: list[Customer] = []
    page = Changes((), since or "", more=True)
    while page.more:
        page = await connector.changes(since, limit)
        customers += page.customers
        since = page.cursor
    return customers, page.cursor


async def test_everybody_comes_once_though_all_changed_at_the_same_moment(demo: SqlConnector) -> None:
    customers, _ = await everything(demo, limit=7)
    assert len(customers) == len({customer.id for customer in customers}) == CUSTOMERS
    anna = next(customer for customer in customers if customer.id == ANNA.customer_number)
    assert (anna.numbers, anna.postcode, anna.email) == ((ANNA.number,), "3511 AB", "k100001@lijnnet.example")
    assert anna.products == {"internet", "tv"}
    assert anna.birth_date is None


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        ("UPDATE customers SET name = 'Anna Jansen' WHERE id = 1", {"K100001"}),
        ("INSERT INTO phones (customer_id, number, kind) VALUES (2, '050-0000999', 'work')", {"K100002"}),
        ("DELETE FROM phones WHERE customer_id = 3", {"K100003"}),
        ("UPDATE subscriptions SET ended_on = '2026-11-22' WHERE customer_id = 4", {"K100004"}),
        ("UPDATE orders SET status = 'delivered'", set()),
    ],
)
async def test_whatever_is_told_of_a_customer_is_a_change(
    demo: SqlConnector, tmp_path: Path, statement: str, changed: set[str]
) -> None:
    _, cursor = await everything(demo)
    assert (await everything(demo, cursor))[0] == []
    with closing(sqlite3.connect(tmp_path / "crm.db")) as crm, crm:
        crm.execute(statement)
    customers, later = await everything(demo, cursor)
    assert {customer.id for customer in customers} == changed
    assert (await everything(demo, later))[0] == []


async def test_a_customer_whose_rows_end_a_page_comes_whole_on_the_next(connect: Connect, tmp_path: Path) -> None:
    rows = [(1, "a"), (1, "b"), (2, "a"), (2, "b"), (2, "c"), (3, "a")]
    connector = await people(
        connect, tmp_path, [(5, each, f"{each}", f"020-7{each}000{ord(letter)}") for each, letter in rows]
    )
    customers, _ = await everything(connector, limit=4)
    assert [len(customer.numbers) for customer in customers] == [2, 3, 1]
    with pytest.raises(ConnectorRefused, match=r"one customer has 2 rows or more; raise index.page"):
        await everything(connector, limit=2)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("moment", "value"),
    [
        ("timestamptz", "'2026-11-23 10:00+01'"),
        ("timestamp", "'2026-11-23 10:00'"),
        ("bigint", "77"),
        ("text", "'0077'"),
        ("numeric", "77.5"),
        ("date", "'2026-11-23'"),
    ],
)
@pytest.mark.parametrize("key", ["int", "text"])
async def test_changes_are_ordered_by_whatever_a_database_has(
    connect: Connect, cluster: Cluster, moment: str, value: str, key: str
) -> None:
    url = cluster.new_database()
    await run(
        url,
        f"CREATE TABLE people (id {key}, name text, phone text, changed {moment})",
        f"INSERT INTO people SELECT n, 'P' || n, '020-7' || (100000 + n), {value} FROM generate_series(1, 25) AS n",
    )
    sql = """SELECT id AS customer_id, name, phone AS number, changed AS changed_at FROM people
             WHERE (changed, id) > (:since, :after) ORDER BY changed, id LIMIT :limit"""
    customers, cursor = await everything(await opened(connect, url, sql), limit=10)
    assert len(customers) == 25
    await run(url, f"INSERT INTO people VALUES ('99', 'Anna', '020-7654321', {value})")
    later, _ = await everything(await opened(connect, url, sql), cursor, limit=10)
    assert [customer.name for customer in later] == ["Anna"]


async def opened(connect: Connect, url: str, sql: str) -> SqlConnector:
    """A connector of a database of people, as after a restart."""
    find = "SELECT id AS customer_id, name, phone AS number FROM people WHERE phone IN :numbers"
    connector = connect(url=url, query=find, changes_query=sql)
    await connector.open()
    return connector


ORDERED = """SELECT id AS customer_id, name, phone AS number, changed AS changed_at FROM people
             WHERE (changed, id) > (:since, :after) ORDER BY changed, id LIMIT :limit"""


async def people(
    connect: Connect, folder: Path, rows: Sequence[tuple[object, ...]], sql: str = ORDERED
) -> SqlConnector:
    """A connector that follows a table of (changed, id, name, phone)."""
    with closing(sqlite3.connect(folder / "people.db")) as crm, crm:
        crm.execute("CREATE TABLE people (changed, id, name, phone)")
        crm.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
    return await opened(connect, "sqlite+aiosqlite:///people.db", sql)


async def test_a_connector_can_do_what_there_is_a_query_for(connect: Connect, demo: SqlConnector) -> None:
    assert connect(url="sqlite+aiosqlite:///crm.db").capabilities == {Capability.FIND_CALLER}
    assert demo.capabilities == {
        Capability.FIND_CALLER, Capability.FIND_CUSTOMER, Capability.CHANGES, Capability.ORDERS
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            ORDERED.replace("ORDER BY changed, id", "ORDER BY changed DESC"),
            "not in the order of changed_at; write such as",
        ),
        (
            ORDERED.replace("> (:since, :after)", "IS NOT (:since, :after)").replace("changed AS", "NULL AS"),
            "is empty in a row",
        ),
        (ORDERED.replace(" AS changed_at", " AS changed"), "no column 'changed_at'"),
        (ORDERED.replace("name,", "name AS naam,"), "did you mean 'name'"),
        (ORDERED.replace("LIMIT :limit", "LIMIT :limit + 1"), "more than 3 rows"),
        (ORDERED.replace("FROM people", "FROM persons"), "changes_query: the database says: no such table: persons"),
    ],
)
async def test_a_query_that_does_not_fit_is_told_and_keeps_nobody_from_being_found(
    connect: Connect, tmp_path: Path, sql: str, told: str
) -> None:
    connector = await people(connect, tmp_path, [(each, each, "Anna", "020-7000001") for each in range(1, 9)], sql)
    with pytest.raises(ConnectorRefused, match=told):
        await connector.changes(None, 3)
    assert await connector.find_caller(PhoneNumber("+31207000001"))


async def test_a_cursor_of_somebody_else_is_refused(connect: Connect, tmp_path: Path) -> None:
    connector = await people(connect, tmp_path, [])
    for cursor in ("", "7", "[1]", '[{"odd": 1}, 2]', "{}"):
        with pytest.raises(ConnectorRefused, match="not one of this connector's"):
            await connector.changes(cursor, 10)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"changes_query": "SELECT 1"}, r"no :since and no :after and no :limit; write such as"),
        ({"changes_query": ORDERED.replace(":after", ":since")}, "no :after;"),
        ({"queries": {"orders": "SELECT 1"}}, "WHERE your_column = :customer"),
        (
            {"queries": {"orders": "SELECT 1 WHERE a = :customer AND b = :region"}},
            "other parameters than :customer: region",
        ),
        ({"queries": {"find_customer": "SELECT 1 WHERE a = :value"}}, ":kind is email, customer_number or handle"),
        ({"queries": {"order": "SELECT 1"}}, "queries.order"),
    ],
)
def test_a_query_that_cannot_be_asked_is_told(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        SqlSettings(url="sqlite+aiosqlite:///crm.db", **settings)


async def run(url: str, *statements: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()
