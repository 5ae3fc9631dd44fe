"""The connector of any SQL database: its settings, and a caller found by the query in them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from integrations.sql.client import SqlClient, query_mistake
from integrations.sql.mapping import column_mistakes, customers_from
from ivr.connectors.connector import Surroundings
from ivr.domain.caller import Customer
from ivr.domain.line import PhoneNumber
from ivr.domain.spelling import Spelling, spelled
from ivr.errors import ConnectorRefused

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


class SqlSettings(BaseModel):
    """What `connectors.<name>.settings` may say for `integration: sql`; see this folder's README.md.

    `password_file` holds the password on its first line, so that it need not stand in `url`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str
    password_file: Path | None = None
    query: str = DEMO_QUERY
    spellings: Annotated[tuple[Spelling, ...], Field(min_length=1)] = tuple(Spelling)

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
        mistake = query_mistake(query)
        if mistake:
            raise ValueError(mistake)
        return query


class SqlConnector:
    """Finds callers in a database (capability `find_caller`)."""

    def __init__(self, settings: SqlSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._client: SqlClient | None = None

    async def open(self) -> None:
        """Reach the database and look at the query's columns.

        Raises:
            ConnectorRefused: the query or its columns do not fit; the message names each.
            ConnectorUnavailable: the database cannot be reached.
        """
        await self.close()
        client = SqlClient(await self._url(), self._settings.query, self._surroundings)
        try:
            mistakes = column_mistakes(await client.columns())
            if mistakes:
                raise ConnectorRefused("; ".join(mistakes))
        except BaseException:
            await client.close()
            raise
        self._client = client

    async def close(self) -> None:
        """Close every connection to the database."""
        client, self._client = self._client, None
        if client:
            await client.close()

    async def check(self) -> None:
        """Ask the query for a number that nobody has. Raises ConnectorError."""
        await self._opened().columns()

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every customer whose row has the number in one of the spellings. Raises ConnectorError."""
        rows = await self._opened().rows(spelled(number, self._settings.spellings))
        return customers_from(rows, self._surroundings.country)

    def _opened(self) -> SqlClient:
        if self._client is None:
            raise ConnectorRefused("the connector has not been opened")
        return self._client

    async def _url(self) -> URL:
        url = make_url(self._settings.url)
        if self._settings.password_file is None:
            return url
        password = await asyncio.to_thread(_first_line, self._surroundings.folder / self._settings.password_file)
        return url.set(password=password)


def _first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as lines:
            return lines.readline(1024).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectorRefused(f"password_file {file.name} cannot be read") from error
