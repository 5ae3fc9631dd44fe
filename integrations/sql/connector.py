"""The connector to any SQL database: what it finds, and follows, by queries in its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy import URL, TextClause, make_url
from sqlalchemy.exc import SQLAlchemyError

from integrations.sql import following
from integrations.sql.client import NUMBERS, SqlClient, query_mistake, query_of
from integrations.sql.dossier import PARTS
from integrations.sql.following import ChangeLog
from integrations.sql.mapping import column_mistakes, customers_from
from ivr.connectors.connector import Changes, Surroundings
from ivr.connectors.settings import Settings, first_line
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.capability import Capability
from ivr.domain.dossier import Appointment, Case, Fault, Invoice, Order
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.line import PhoneNumber
from ivr.domain.spelling import Spelling, spelled
from ivr.errors import ConnectorRefused

MOST_ROWS = 500
"""Rows read for one caller. More means that the query does not select by what it was asked for."""

NOBODY = "+0"
"""A number and a customer that nobody has and is, to ask for a query's columns without anybody's data."""

LONGEST_PAGE = 600.0
"""Seconds after which a driver gives up a page of changes that somebody else, `index.page_timeout`, should have."""

DEMO_QUERY = """
SELECT c.customer_number AS customer_id, c.name, c.language, c.postcode, c.house_number, c.birth_date, p.number,
       s.product AS products,
       o.number AS order_number, o.description AS order_description, o.expected_on AS order_expected_on,
       CASE o.status WHEN 'new' THEN 'placed' WHEN 'shipped' THEN 'on_the_way' WHEN 'backorder' THEN 'delayed'
                     ELSE 'delivered' END AS order_state
FROM phones p
JOIN customers c ON c.id = p.customer_id
LEFT JOIN subscriptions s ON s.customer_id = c.id AND s.ended_on IS NULL
LEFT JOIN orders o ON o.customer_id = c.id AND o.status <> 'delivered'
WHERE p.number IN :numbers
"""
"""The demo CRM's; also an example of a query that turns a CRM's own words into ours."""


class Queries(Settings):
    """The queries for what else a call may ask of the database, by capability; it can do what there is a query for."""

    find_customer: str | None = None
    orders: str | None = None
    invoices: str | None = None
    cases: str | None = None
    faults: str | None = None
    appointments: str | None = None

    @field_validator("*")
    @classmethod
    def _selects(cls, query: str, info: ValidationInfo) -> str:
        if info.field_name == Capability.FIND_CUSTOMER:
            mistake = query_mistake(
                query, ("kind", "value"), "select by both: :kind is email, customer_number or handle"
            )
        else:
            mistake = query_mistake(query, ("customer",), "select by the customer's id: WHERE your_column = :customer")
        if mistake:
            raise ValueError(mistake)
        return query


class SqlSettings(Settings):
    """What `connectors.<name>.settings` may say for `integration: sql`; see this folder's README.md.

    `password_file` holds the password on its first line, so that it need not stand in `url`.
    """

    url: str
    password_file: Path | None = None
    query: str = DEMO_QUERY
    spellings: Annotated[tuple[Spelling, ...], Field(min_length=1)] = tuple(Spelling)
    changes_query: str | None = None
    queries: Queries = Queries()

    @field_validator("url")
    @classmethod
    def _has_async_driver(cls, text: str) -> str:
        examples = "sqlite+aiosqlite:///crm.db or postgresql+asyncpg://user@host/database"
        try:
            dialect = make_url(text).get_dialect()
            dialect.import_dbapi()
        except SQLAlchemyError as error:
            raise ValueError(f"this is not a database address; write such as {examples}") from error
        except ImportError as error:
            raise ValueError(f"the database's driver '{error.name}' is not installed; pip install it") from error
        if not dialect.is_async:
            raise ValueError(f"the driver '{dialect.driver}' would block every call; write such as {examples}")
        return text

    @field_validator("query")
    @classmethod
    def _selects_by_number(cls, query: str) -> str:
        mistake = query_mistake(query, (NUMBERS,), "select by the caller's number: WHERE your_column IN :numbers")
        if mistake:
            raise ValueError(mistake)
        return query

    @field_validator("changes_query")
    @classmethod
    def _selects_changes(cls, query: str) -> str:
        mistake = query_mistake(query, following.PARAMETERS, following.ADVICE)
        if mistake:
            raise ValueError(mistake)
        return query


class SqlConnector:
    """Asks a database by the queries of its settings, which decide what it is capable of.

    Callers' questions and the index's have connections of their own: the second take
    longer, and nobody waits for them.
    """

    def __init__(self, settings: SqlSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._find = query_of(settings.query)
        self._queries: Mapping[Capability, TextClause] = {
            Capability(name): query_of(query) for name, query in settings.queries if query is not None
        }
        self._clients: list[SqlClient] = []
        self._changes: ChangeLog | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What there is a query for."""
        follows = {Capability.CHANGES} if self._settings.changes_query else set()
        return frozenset({Capability.FIND_CALLER, *self._queries, *follows})

    async def open(self) -> None:
        """Reach the database and look at the columns of the queries that callers wait for.

        Raises:
            ConnectorRefused: a query or its columns do not fit; the message names each.
            ConnectorUnavailable: the database cannot be reached.
        """
        await self.close()
        url = await self._url()
        try:
            self._clients.append(SqlClient(url, self._surroundings))
            await self._look_at_columns()
            if self._settings.changes_query:
                patient = SqlClient(url, replace(self._surroundings, timeout=LONGEST_PAGE, concurrency=1))
                self._clients.append(patient)
                self._changes = ChangeLog(patient, self._settings.changes_query, self._surroundings.country)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close every connection to the database."""
        self._changes = None
        while self._clients:
            await self._clients.pop().close()

    async def check(self) -> None:
        """Ask for a number that nobody has, and look at the columns of `changes_query`. Raises ConnectorError."""
        await self._client.columns(self._find, {NUMBERS: [NOBODY]})
        if self._changes:
            await self._changes.look()

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every customer whose row has the number in one of the spellings. Raises ConnectorError."""
        return await self._customers(self._find, {NUMBERS: list(spelled(number, self._settings.spellings))})

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """Every customer that the query gives for an identity; a number is looked for as a caller's is."""
        if identity.kind is IdentityKind.PHONE:
            return await self.find_caller(PhoneNumber(identity.value))
        query = self._query(Capability.FIND_CUSTOMER)
        return await self._customers(query, {"kind": identity.kind.value, "value": identity.value})

    async def changes(self, since: str | None, limit: int) -> Changes:
        """A page of the customers that changed after a cursor. Raises ConnectorError."""
        if self._changes is None:
            raise ConnectorRefused("the connector has no changes_query, or was not opened")
        return await self._changes.changes(since, limit)

    async def orders(self, customer: CustomerId) -> Sequence[Order]:
        """A customer's orders, as the query orders them."""
        return await self._part(Capability.ORDERS, customer)

    async def invoices(self, customer: CustomerId) -> Sequence[Invoice]:
        """A customer's invoices, as the query orders them."""
        return await self._part(Capability.INVOICES, customer)

    async def cases(self, customer: CustomerId) -> Sequence[Case]:
        """A customer's cases, as the query orders them."""
        return await self._part(Capability.CASES, customer)

    async def faults(self, customer: CustomerId) -> Sequence[Fault]:
        """A customer's faults, as the query orders them."""
        return await self._part(Capability.FAULTS, customer)

    async def appointments(self, customer: CustomerId) -> Sequence[Appointment]:
        """The visits to a customer, as the query orders them."""
        return await self._part(Capability.APPOINTMENTS, customer)

    async def _look_at_columns(self) -> None:
        client = self._client
        mistakes = [*column_mistakes(await client.columns(self._find, {NUMBERS: [NOBODY]}))]
        for capability, query in self._queries.items():
            try:
                if part := PARTS.get(capability):
                    found = part.mistakes(await client.columns(query, {"customer": NOBODY}))
                else:
                    found = column_mistakes(await client.columns(query, {"kind": NOBODY, "value": NOBODY}))
            except ConnectorRefused as error:
                raise ConnectorRefused(f"queries.{capability}: {error.args[0]}") from error
            mistakes += [f"queries.{capability}: {mistake}" for mistake in found]
        if mistakes:
            raise ConnectorRefused("; ".join(mistakes))

    async def _part(self, capability: Capability, customer: CustomerId) -> Sequence[Any]:
        rows = await self._client.rows(self._query(capability), {"customer": customer}, most=MOST_ROWS)
        return PARTS[capability].items(rows, self._surroundings.zone)

    async def _customers(self, query: TextClause, values: Mapping[str, object]) -> Sequence[Customer]:
        rows = await self._client.rows(query, values, most=MOST_ROWS)
        return customers_from(rows, self._surroundings.country)

    def _query(self, capability: Capability) -> TextClause:
        if capability not in self._queries:
            raise ConnectorRefused(f"there is no query for {capability}")
        return self._queries[capability]

    @property
    def _client(self) -> SqlClient:
        if not self._clients:
            raise ConnectorRefused("the connector has not been opened")
        return self._clients[0]

    async def _url(self) -> URL:
        url = make_url(self._settings.url)
        if self._settings.password_file is None:
            return url
        return url.set(password=await first_line(self._surroundings, self._settings.password_file))
