"""Following a database: its customers in the order in which they changed, page by page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from integrations.sql.client import Row, SqlClient, query_of
from integrations.sql.mapping import OPTIONAL_COLUMNS, REQUIRED_COLUMNS, by_customer, column_mistakes, customer_from
from ivr.connectors.connector import Changes
from ivr.domain.caller import Customer
from ivr.errors import ConnectorRefused

CHANGED_AT = "changed_at"
PARAMETERS = ("since", "after", "limit")
ADVICE = "write such as: WHERE (c.changed_at, c.id) > (:since, :after) ORDER BY c.changed_at, c.id LIMIT :limit"

MOST_AT_ONCE = 5_000
"""Rows of a page."""

SLICE = 16
"""Customers made before the event loop gets its turn: half a millisecond, most of it reading numbers."""

# Before everything else, for each type that a column may have. SQLite compares a 0 with anything.
BEGINNINGS: Sequence[object] = (datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1), 0, "", b"")  # noqa: DTZ001
FIRST_IDS: Sequence[object] = ("", 0)

Place = tuple[object, object]
"""A customer's place in the order of changes: when it changed, and its id."""


class ChangeLog:
    """What a query with `:since`, `:after` and `:limit` tells, as `KnowsChanges.changes` does. Raises ConnectorError.

    The query gives rows in the order of `changed_at` and `customer_id`, from behind the
    place (`:since`, `:after`) on. A cursor is such a place, so that customers who changed
    at the same moment may lie on different pages.
    """

    def __init__(self, client: SqlClient, sql: str, country: str) -> None:
        self._client = client
        self._query = query_of(sql)
        self._country = country
        self._beginning: Place = (0, "")
        self._looked_at = False

    async def look(self) -> None:
        """Look at the query's columns, once.

        Raises:
            ConnectorRefused: the query or its columns do not fit; the message names each.
        """
        if self._looked_at:
            return
        try:
            columns = await self._columns()
        except ConnectorRefused as error:
            raise ConnectorRefused(f"changes_query: {error.args[0]}") from error
        mistakes = column_mistakes(columns, required=REQUIRED_COLUMNS | {CHANGED_AT}, optional=OPTIONAL_COLUMNS)
        if mistakes:
            raise ConnectorRefused("; ".join(f"changes_query: {mistake}" for mistake in mistakes))
        self._looked_at = True

    async def changes(self, since: str | None, limit: int) -> Changes:
        """A page of about `limit` rows after a cursor."""
        await self.look()
        limit = min(limit, MOST_AT_ONCE)
        place = self._beginning if since is None else _place(since)
        rows = await self._rows(place, limit)
        more = len(rows) == limit
        if more:
            # The page may end within a customer, who then comes on the next one.
            last = rows[-1]["customer_id"]
            rows = [row for row in rows if row["customer_id"] != last]
            if not rows:
                raise ConnectorRefused(f"changes_query: one customer has {limit} rows or more; raise index.page")
        if rows:
            place = (rows[-1][CHANGED_AT], rows[-1]["customer_id"])
        return Changes(await self._customers(rows), _cursor(place), more)

    async def _columns(self) -> Sequence[str]:
        """The query's columns, asked with the first beginning that fits their types, which is then used."""
        if self._client.in_file:
            return await self._client.columns(self._query, self._values(self._beginning, 1))
        refused: ConnectorRefused | None = None
        for beginning in ((since, after) for since in BEGINNINGS for after in FIRST_IDS):
            try:
                columns = await self._client.columns(self._query, self._values(beginning, 1))
            except ConnectorRefused as error:
                refused = refused or error
            else:
                self._beginning = beginning
                return columns
        raise refused or ConnectorRefused("changes_query cannot be asked")

    async def _rows(self, place: Place, limit: int) -> Sequence[Row]:
        rows = await self._client.rows(self._query, self._values(place, limit), most=limit)
        moments = [row[CHANGED_AT] for row in rows]
        if any(moment is None for moment in moments):
            raise ConnectorRefused("changes_query: changed_at is empty in a row; leave such rows out, or fill it in")
        if any(not _in_order(first, second) for first, second in pairwise(moments)):
            raise ConnectorRefused(f"changes_query: the rows are not in the order of changed_at; {ADVICE}")
        return rows

    async def _customers(self, rows: Sequence[Row]) -> Sequence[Customer]:
        customers = []
        for number, (customer_id, own) in enumerate(by_customer(rows).items(), 1):
            customers.append(customer_from(customer_id, own, self._country))
            if number % SLICE == 0:
                await asyncio.sleep(0)
        return customers

    @staticmethod
    def _values(place: Place, limit: int) -> dict[str, object]:
        return {"since": place[0], "after": place[1], "limit": limit}


def _in_order(first: object, second: object) -> bool:
    try:
        return bool(first <= second)  # type: ignore[operator]
    except TypeError:
        raise ConnectorRefused("changes_query: changed_at is not of one type") from None


def _cursor(place: Place) -> str:
    """A place as text, which says of what type its values are."""
    return json.dumps([_written(value) for value in place])


def _written(value: object) -> object:
    match value:
        case datetime() | date():
            return {type(value).__name__: value.isoformat()}
        case bytes():
            return {"bytes": value.hex()}
        case Decimal() | UUID():
            return {type(value).__name__: str(value)}
        case _:
            return value


def _place(cursor: str) -> Place:
    """The place that a cursor stands for. Raises ConnectorRefused when it is none of ours."""
    try:
        since, after = (_read(value) for value in json.loads(cursor))
    except (ValueError, TypeError, KeyError) as error:
        raise ConnectorRefused("the cursor is not one of this connector's") from error
    return since, after


def _read(value: object) -> object:
    if not isinstance(value, dict):
        return value
    [(kind, written)] = value.items()
    return READ[kind](written)


READ = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "bytes": bytes.fromhex,
    "Decimal": Decimal,
    "UUID": UUID,
}
