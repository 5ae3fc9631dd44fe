"""Stored splits: how a supervisor divided each queue's calls."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from ivr.domain.site import Split
from ivr.store.changes import announce
from ivr.store.database import Database
from ivr.store.tables import splits


class StoredSplits:
    """Keeps splits (an `ivr.ports.SplitStore`). Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def splits(self) -> Sequence[Split]:
        """The splits that were set, by queue."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(splits).order_by(splits.c.queue))
            return [Split(row.queue, row.percent) for row in rows]

    async def set(self, split: Split) -> None:
        """Set a queue's split, instead of any it had."""
        row = {"queue": split.queue, "percent": dict(split.percent)}
        setting = self._database.insert(splits).values(row)
        setting = setting.on_conflict_do_update(
            index_elements=[splits.c.queue], set_={"percent": setting.excluded.percent}
        )
        async with self._database.writing() as connection:
            await connection.execute(setting)
            await announce(connection)
