"""Stored outages: those that are open and those that were, and who wants to hear that one is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Row, func, select, update

from ivr.domain.callback import Callback, CallbackId, CallbackPurpose, CallbackRequest, CallbackState, Window
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.domain.outage import Outage, OutageId, OutageNotice
from ivr.store.callbacks import row_of
from ivr.store.changes import announce
from ivr.store.database import Database
from ivr.store.tables import callbacks, outage_notices, outages

CALLED_WITHIN = timedelta(hours=1)
"""The window of such a call, as it is shown: it is made as soon as may be, and later when that was too soon."""


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
        """Close an outage; False when there is no open one with this id.

        Whoever wanted to hear of it is promised a call in the same transaction: all of them, and once. Who is
        promised one for another outage already, and was not called yet, hears of both in one call.
        """
        closing = update(outages).where(outages.c.id == outage_id, outages.c.closed_at.is_(None)).values(closed_at=at)
        async with self._database.writing() as connection:
            closed = (await connection.execute(closing)).rowcount == 1
            if closed:
                asked = select(outage_notices).where(outage_notices.c.outage_id == outage_id)
                promises = [row_of(_promise(row, at)) for row in await connection.execute(asked)]
                if promises:
                    await connection.execute(self._database.insert(callbacks).on_conflict_do_nothing(), promises)
                await announce(connection)
        return closed

    async def call_after(self, notice: OutageNotice, *, now: datetime, not_before: datetime) -> bool:
        """Remember who wants to be called when an outage is over, one a number; False when it is over already.

        The call is promised from `not_before` on. Who asks again is called in the language of the last time.
        """
        # Locked, so that it is not closed before this notice is there to be seen.
        is_open = select(outages.c.id).where(outages.c.id == notice.outage_id, outages.c.closed_at.is_(None))
        row = {
            "outage_id": notice.outage_id,
            "number": notice.number,
            "language": notice.language.value,
            "contact_id": notice.contact_id,
            "customer_id": notice.customer_id,
            "created_at": now,
            "not_before": not_before,
        }
        asking = self._database.insert(outage_notices).values(row)
        asking = asking.on_conflict_do_update(index_elements=["outage_id", "number"], set_=row)
        async with self._database.writing() as connection:
            found = (await connection.execute(is_open.with_for_update())).scalar_one_or_none()
            if found is not None:
                await connection.execute(asking)
        return found is not None

    async def to_call(self) -> Mapping[OutageId, int]:
        """How many want, or wanted, to be called after each outage; those that nobody did are left out."""
        counting = select(outage_notices.c.outage_id, func.count()).group_by(outage_notices.c.outage_id)
        async with self._database.reading() as connection:
            return {OutageId(outage_id): count for outage_id, count in await connection.execute(counting)}

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


def _promise(row: Row[tuple[object, ...]], at: datetime) -> Callback:
    """The call that somebody gets who wanted to hear that an outage was over."""
    due = max(at, row.not_before)
    request = CallbackRequest(
        number=PhoneNumber(row.number),
        window=Window(due, due + CALLED_WITHIN),
        queue="",
        language=Language(row.language),
        contact_id=row.contact_id,
        customer_id=row.customer_id,
        purpose=CallbackPurpose.OUTAGE_OVER,
    )
    return Callback(CallbackId(uuid4().hex), request, CallbackState.BOOKED, created_at=at, not_before=due)
