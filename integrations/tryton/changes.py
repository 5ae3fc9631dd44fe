"""What changed in Tryton: all parties once, then whoever was made or written since, they or their numbers.

Tryton dates a record when it is made and again whenever it is written; of a party that was
never written since, only the first. So there are two rows of changes for each of the models
of which a customer is made, each read in the order of (moment, id), which has no ties.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from integrations.tryton.client import Row, TrytonClient
from integrations.tryton.mapping import PARTY_FIELDS, customer_from
from ivr.connectors.connector import Changes
from ivr.domain.caller import CustomerId
from ivr.errors import ConnectorRefused

ACTIVE_OR_NOT, NEVER = ["active", "in", [True, False]], ["active", "in", []]
"""Tryton adds "and active" to every part of a domain that does not speak of it itself."""

SETTLED = timedelta(minutes=2)
"""A record is dated when its transaction begins, and seen when that ends. What is younger than this is read again."""

ROWS = {
    f"{model}.{moment}": (model, moment, party)
    for model, party in (("party.party", "id"), ("party.contact_mechanism", "party"), ("party.address", "party"))
    for moment in ("create_date", "write_date")
}
"""The rows of changes: a model, by which of its moments, and the field that is the party."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a row of changes was read: everything up to this moment and, of those at this moment, this id."""

    at: datetime
    id: int = 0

    def beyond(self, moment: str) -> Sequence[Any]:
        """The domain of what comes after, put away or not."""
        later = [[moment, ">", self.at], ACTIVE_OR_NOT]
        then = [[moment, "=", self.at], ["id", ">", self.id], ACTIVE_OR_NOT]
        return ["OR", later, then, NEVER]

    @property
    def order(self) -> tuple[datetime, int]:
        """What comes before and after."""
        return self.at, self.id


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to go on: among all parties behind an id, or in each row of changes.

    `began_at` is when reading all of them began, by the server's clock.
    """

    all_after: int | None
    began_at: datetime
    places: Mapping[str, Place]

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Raises ConnectorRefused when it was not written by us."""
        try:
            told = json.loads(text)
            places = {name: Place(datetime.fromisoformat(at), id_) for name, (at, id_) in told["places"].items()}
            return cls(told["all_after"], datetime.fromisoformat(told["began_at"]), places)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConnectorRefused("the index does not say how far it was; it has to be built anew") from error

    def written(self) -> str:
        """As text."""
        places = {name: (place.at.isoformat(), place.id) for name, place in self.places.items()}
        return json.dumps({"all_after": self.all_after, "began_at": self.began_at.isoformat(), "places": places})


async def changes(client: TrytonClient, since: str | None, limit: int, country: str) -> Changes:
    """A page of changes. Raises ConnectorError."""
    if since is None:
        return await _of_all(client, 0, None, limit, country)
    cursor = Cursor.read(since)
    if cursor.all_after is not None:
        return await _of_all(client, cursor.all_after, cursor.began_at, limit, country)
    return await _since(client, cursor, limit, country)


async def _of_all(client: TrytonClient, after: int, began_at: datetime | None, limit: int, country: str) -> Changes:
    rows = await client.search_read(
        "party.party", [["id", ">", after]], PARTY_FIELDS, order=[("id", "ASC")], limit=limit
    )
    began_at = began_at or client.server_time - SETTLED
    more = len(rows) == limit
    places = {} if more else {name: Place(began_at) for name in ROWS}
    cursor = Cursor(rows[-1]["id"] if more else None, began_at, places)
    return Changes([customer_from(row, country) for row in rows], cursor.written(), more)


async def _since(client: TrytonClient, cursor: Cursor, limit: int, country: str) -> Changes:
    of_row = max(1, limit // len(ROWS))
    found = await asyncio.gather(*(_row(client, name, cursor.places[name], of_row) for name in ROWS))
    more = any(len(rows) == of_row for rows in found)
    settled = Place(client.server_time - SETTLED)
    touched: set[int] = set()
    places: dict[str, Place] = {}
    for (name, (_, moment, party)), rows in zip(ROWS.items(), found, strict=True):
        touched |= {row[party] for row in rows if row[party] is not None}
        last = Place(rows[-1][moment], rows[-1]["id"]) if rows else cursor.places[name]
        places[name] = last if more else min(last, settled, key=lambda place: place.order)
    domain = [["id", "in", sorted(touched)], ACTIVE_OR_NOT]
    parties = await client.search_read("party.party", domain, PARTY_FIELDS, limit=len(touched)) if touched else []
    active = [party for party in parties if party["active"]]
    return Changes(
        customers=[customer_from(party, country) for party in active],
        cursor=Cursor(None, cursor.began_at, places).written(),
        more=more,
        gone=[CustomerId(str(id_)) for id_ in sorted(touched - {party["id"] for party in active})],
    )


async def _row(client: TrytonClient, name: str, place: Place, limit: int) -> Sequence[Row]:
    model, moment, party = ROWS[name]
    order = [(moment, "ASC"), ("id", "ASC")]
    return await client.search_read(model, place.beyond(moment), ["id", moment, party], order=order, limit=limit)
