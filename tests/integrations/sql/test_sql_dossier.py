"""What else a call may ask of a database: by a query each, whose columns become the fields of their names."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from deploy.demo.crm import NAMED, make_crm
from integrations.sql.connector import SqlConnector, SqlSettings
from ivr.config.loading import load
from ivr.connectors.connector import Surroundings
from ivr.domain.caller import CustomerId
from ivr.domain.dossier import (
    Appointment,
    Case,
    CaseState,
    Fault,
    FaultState,
    Invoice,
    InvoiceState,
    Order,
    OrderState,
)
from ivr.domain.identity import Identity, IdentityKind
from ivr.errors import ConnectorRefused

ROOT = Path(__file__).parents[3]
DEMO = load(ROOT / "config.yaml").connectors["crm"].settings
ANNA = NAMED[0]
CUSTOMER = CustomerId("K100001")

Connect = Callable[..., SqlConnector]


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes a connector of the demo's CRM with some queries; closed afterwards."""
    make_crm(tmp_path / "crm.db", date(2026, 11, 23))
    connectors: list[SqlConnector] = []

    def made(**queries: str) -> SqlConnector:
        settings = SqlSettings.model_validate({**DEMO, "url": "sqlite+aiosqlite:///crm.db", "queries": queries})
        zone = ZoneInfo("Europe/Amsterdam")
        connectors.append(SqlConnector(settings, Surroundings(folder=tmp_path, zone=zone, timeout=5.0)))
        return connectors[-1]

    yield made
    for connector in connectors:
        await connector.close()


async def test_found_by_e_mail_and_customer_number_in_the_demo(connect: Connect) -> None:
    connector = connect(**DEMO["queries"])
    await connector.open()
    for kind, value in (
        (IdentityKind.EMAIL, "K100001@lijnnet.example"),
        (IdentityKind.CUSTOMER_NUMBER, "k100001"),
        (IdentityKind.CUSTOMER_NUMBER, "100001"),
        (IdentityKind.PHONE, ANNA.number),
    ):
        (anna,) = await connector.find_customer(Identity(kind, value))
        assert (anna.id, anna.name) == (CUSTOMER, ANNA.name)
    assert list(await connector.find_customer(Identity(IdentityKind.HANDLE, "x:@anna"))) == []


async def test_the_demo_s_orders(connect: Connect) -> None:
    connector = connect(**DEMO["queries"])
    await connector.open()
    assert await connector.orders(CUSTOMER) == [
        Order("B200001", OrderState.ON_THE_WAY, "modem", expected_on=date(2026, 11, 23))
    ]
    assert await connector.orders(CustomerId("K100002")) == []


async def test_every_part_of_a_dossier(connect: Connect) -> None:
    connector = connect(
        invoices="""SELECT 'F1' AS number, 'overdue' AS state, 99.90 AS amount, '2026-11-01' AS due_on
                    WHERE :customer <> ''""",
        cases="""SELECT 12 AS number, 'waiting' AS state, 'Modem' AS subject, '2026-11-02 10:00' AS opened_on
                 WHERE :customer <> ''""",
        faults="SELECT 'S1' AS number, 'in_repair' AS state, '2026-11-23 14:00' AS expected_end WHERE :customer <> ''",
        appointments="""SELECT 'A1' AS number, '2026-11-24T09:00+01:00' AS starts_at, NULL AS ends_at,
                        'Monteur' AS description WHERE :customer <> ''""",
    )
    await connector.open()
    assert await connector.invoices(CUSTOMER) == [
        Invoice("F1", InvoiceState.OVERDUE, Decimal("99.9"), due_on=date(2026, 11, 1))
    ]
    assert await connector.cases(CUSTOMER) == [Case("12", CaseState.WAITING, "Modem", date(2026, 11, 2))]
    assert await connector.faults(CUSTOMER) == [
        Fault("S1", FaultState.IN_REPAIR, expected_end=datetime(2026, 11, 23, 13, 0, tzinfo=UTC))
    ]
    assert await connector.appointments(CUSTOMER) == [
        Appointment("A1", datetime(2026, 11, 24, 8, 0, tzinfo=UTC), description="Monteur")
    ]
    with pytest.raises(ConnectorRefused, match="no query for orders"):
        await connector.orders(CUSTOMER)


async def test_a_row_that_says_too_little_is_left_out_and_the_log_names_no_values(connect: Connect) -> None:
    connector = connect(
        invoices="""SELECT 'F1' AS number, 'open' AS state, 'much' AS amount WHERE :customer <> ''
                    UNION ALL SELECT 'F2', 'unheard', 5 UNION ALL SELECT 'F3', 'paid', 7"""
    )
    await connector.open()
    with capture_logs() as logs:
        assert [invoice.number for invoice in await connector.invoices(CUSTOMER)] == ["F3"]
    assert [(each["event"], each.get("lacks", each.get("state"))) for each in logs] == [
        ("connector.row_left_out", ["amount"]),
        ("connector.unknown_state", "unheard"),
        ("connector.row_left_out", ["state"]),
    ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 1 AS number WHERE :customer = ''", r"queries.cases: the query gives no column 'state'"),
        ("SELECT 1 AS number, 2 AS state, 3 AS subjct WHERE :customer = ''", "did you mean 'subject'"),
        ("SELECT * FROM nowhere WHERE id = :customer", "queries.cases: the database says: no such table: nowhere"),
    ],
)
async def test_a_query_that_does_not_fit_is_told_when_it_is_opened(connect: Connect, query: str, told: str) -> None:
    with pytest.raises(ConnectorRefused, match=told):
        await connect(cases=query).open()


async def test_too_many_rows_are_refused(connect: Connect, tmp_path: Path) -> None:
    connector = connect(orders="SELECT number, 'placed' AS state FROM orders WHERE :customer <> ''")
    await connector.open()
    with closing(sqlite3.connect(tmp_path / "crm.db")) as crm:
        (count,) = crm.execute("SELECT count(*) FROM orders").fetchone()
    assert count > 500
    with pytest.raises(ConnectorRefused, match="more than 500 rows"):
        await connector.orders(CUSTOMER)
