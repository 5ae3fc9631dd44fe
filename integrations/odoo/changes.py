"""What changed in Odoo: all partners once, then whoever was written since.

Odoo dates a record to the microsecond and tells whole seconds, and everything that one
transaction writes has one moment. So changes are read second by second; a second in which
more was written than a page holds, by id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.odoo.client import OdooClient, Row
from integrations.odoo.mapping import customer_from
from ivr.connectors.connector import Changes
from ivr.domain.caller import CustomerId
from ivr.errors import ConnectorRefused

PARTNER = "res.partner"

SETTLED = timedelta(minutes=2)
"""A record is dated when its transaction begins, and seen when that ends. What is younger than this is read again."""

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to go on: at a moment, a whole second by the server's clock.

    `after` is the id behind which to go on: among all partners while `everybody`, else among
    those that were written in that very second.
    """

    at: datetime
    after: int | None = None
    everybody: bool = False

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Raises ConnectorRefused when it was not written by us."""
        try:
            told = json.loads(text)
            return cls(datetime.fromisoformat(told["at"]), told["after"], told["everybody"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConnectorRefused("the index does not say how far it was; it has to be built anew") from error

    def written(self) -> str:
        """As text."""
        return json.dumps({"at": self.at.isoformat(), "after": self.after, "everybody": self.everybody})


class Following:
    """Reads pages of changes. `partner` is what to ask of each."""

    def __init__(self, client: OdooClient, partner: Mapping[str, Any], country: str) -> None:
        self._client = client
        self._partner = partner
        self._country = country

    async def page(self, since: str | None, limit: int) -> Changes:
        """A page of changes. Raises ConnectorError."""
        cursor = Cursor.read(since) if since is not None else None
        if cursor is None or cursor.everybody:
            return await self._of_all(cursor, limit)
        if cursor.after is not None:
            return await self._within(cursor, cursor.after, limit)
        return await self._from(cursor, limit)

    async def _of_all(self, cursor: Cursor | None, limit: int) -> Changes:
        after = cursor.after or 0 if cursor else 0
        rows = await self._client.web_read(PARTNER, [["id", ">", after]], self._partner, order="id", limit=limit)
        began_at = cursor.at if cursor else self._settled()
        more = len(rows) == limit
        return self._told(rows, Cursor(began_at, rows[-1]["id"], everybody=True) if more else Cursor(began_at), more)

    async def _from(self, cursor: Cursor, limit: int) -> Changes:
        """Whole seconds, from the cursor's on."""
        rows = await self._written([["write_date", ">=", _text(cursor.at)]], "write_date, id", limit)
        last = _moment(rows[-1]) if rows else cursor.at
        if len(rows) < limit:
            rest = min(last + SECOND if rows else cursor.at, self._settled())
            return self._told(rows, Cursor(rest), more=False)
        if last == _moment(rows[0]):
            return self._told((), Cursor(last, after=0), more=True)
        # The last second may go on behind this page.
        return self._told([row for row in rows if _moment(row) < last], Cursor(last), more=True)

    async def _within(self, cursor: Cursor, after: int, limit: int) -> Changes:
        """Those of one second, by id."""
        second = [["write_date", ">=", _text(cursor.at)], ["write_date", "<", _text(cursor.at + SECOND)]]
        rows = await self._written([*second, ["id", ">", after]], "id", limit)
        more_of_it = len(rows) == limit
        return self._told(
            rows, Cursor(cursor.at, rows[-1]["id"]) if more_of_it else Cursor(cursor.at + SECOND), more=True
        )

    async def _written(self, domain: Sequence[Any], order: str, limit: int) -> Sequence[Row]:
        return await self._client.web_read(PARTNER, domain, self._partner, order=order, limit=limit, active_test=False)

    def _told(self, rows: Sequence[Row], cursor: Cursor, more: bool) -> Changes:
        return Changes(
            customers=[customer_from(row, self._country) for row in rows if row["active"]],
            cursor=cursor.written(),
            more=more,
            gone=[CustomerId(str(row["id"])) for row in rows if not row["active"]],
        )

    def _settled(self) -> datetime:
        return (self._client.server_time - SETTLED).replace(microsecond=0)


def _moment(row: Row) -> datetime:
    return datetime.fromisoformat(row["write_date"]).replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
