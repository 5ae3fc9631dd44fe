"""Changes: a number that grows whenever an outage or a split changes, so that every node can follow."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.store.database import Database
from ivr.store.tables import switches


class StoredChanges:
    """Reads the number (an `ivr.ports.ChangeWatch`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def revision(self) -> int:
        """Grows with each change, whichever process made it. Raises StoreUnavailable."""
        async with self._database.reading() as connection:
            return int((await connection.execute(select(switches.c.revision))).scalar_one())


async def announce(connection: AsyncConnection) -> None:
    """Count a change, in the transaction that makes it: nobody sees one without the other."""
    await connection.execute(update(switches).values(revision=switches.c.revision + 1))
