"""Stored outages: those that are open and those that were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, select, update

from ivr.domain.language import Language
from ivr.domain.outage import Outage, OutageId
from ivr.store.changes import announce
from ivr.store.database import Database
from ivr.store.tables import outages


class StoredOutages:
    """Keeps outages (an `ivr.ports.OutageStore`). Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, outage: Outage) -> None:
        """Store a new outage; one whose id is there already is left as it is."""
        row = {
            "id": outage.id,
            "opened_at": outage.opened_at,
            "region": outage.region,
            "product": outage.product,
            "text": {language.value: text for language, text in outage.text.items()},
            "expected_end": outage.expected_end,
            "closed_at": outage.closed_at,
        }
        async with self._database.writing() as connection:
            await connection.execute(self._database.insert(outages).values(row).on_conflict_do_nothing())
            await announce(connection)

    async def close(self, outage_id: OutageId, at: datetime) -> bool:
        """Close an outage; False when there is no open one with this id."""
        closing = update(outages).where(outages.c.id == outage_id, outages.c.closed_at.is_(None)).values(closed_at=at)
        async with self._database.writing() as connection:
            closed = (await connection.execute(closing)).rowcount == 1
            if closed:
                await announce(connection)
        return closed

    async def outages(self, *, only_open: bool) -> Sequence[Outage]:
        """Outages, newest first."""
        query = select(outages).order_by(outages.c.opened_at.desc(), outages.c.id)
        if only_open:
            query = query.where(outages.c.closed_at.is_(None))
        async with self._database.reading() as connection:
            return [_outage(row) for row in await connection.execute(query)]


def _outage(row: Row[tuple[object, ...]]) -> Outage:
    return Outage(
        id=OutageId(row.id),
        opened_at=row.opened_at,
        region=row.region,
        product=row.product,
        text={Language(language): text for language, text in row.text.items()},
        expected_end=row.expected_end,
        closed_at=row.closed_at,
    )
