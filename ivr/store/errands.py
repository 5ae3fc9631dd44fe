"""Stored errands: one row a key, claimed under a lease, so that none is lost and none done by two at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Row, func, or_, select, update

from ivr.domain.caller import CustomerId
from ivr.domain.contact import ContactEvent, ContactId
from ivr.domain.errand import (
    Assignment,
    ErrandReport,
    ErrandState,
    KeptErrand,
    content_of,
    errand_of,
    kind_of,
)
from ivr.ports.errands import NotesOf
from ivr.store.contacts import contact_of, event_of, storable_json
from ivr.store.database import Database
from ivr.store.tables import contact_events, contacts, errands

FREE = {"lease_owner": None, "lease_until": None}
IS_WAITING = errands.c.state == ErrandState.WAITING.value


class StoredErrands:
    """Keeps errands (an `ivr.ports.ErrandStore`). Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Built once: the database library then also compiles each only once.
        self._assigning = database.insert(errands).on_conflict_do_nothing(index_elements=[errands.c.key])

    async def write(self, assigned: Sequence[Assignment], reports: Sequence[ErrandReport]) -> None:
        """Write a batch in one transaction, in this order; an errand whose key is there already stays as it is.

        Raises:
            StoreUnavailable: the whole batch must be written again.
            StoreError: the database refuses something in the batch.
        """
        async with self._database.writing() as connection:
            if assigned:
                await connection.execute(self._assigning, [_row(assignment) for assignment in assigned])
            for report in reports:
                # What is over stays so, and an earlier attempt is no news: writing a report again changes nothing.
                is_news = (errands.c.key == report.key, IS_WAITING, errands.c.attempts < report.attempt)
                await connection.execute(update(errands).where(*is_news).values(_changes(report)))

    async def claim_due(self, *, now: datetime, owner: str, lease_until: datetime, limit: int) -> Sequence[KeptErrand]:
        """Claim WAITING errands that may be tried now and on which nobody has a living lease, the longest due first."""
        is_free = or_(errands.c.lease_until.is_(None), errands.c.lease_until <= now)
        due = (
            select(errands)
            .where(IS_WAITING, errands.c.not_before <= now, is_free)
            .order_by(errands.c.not_before, errands.c.key)
            .limit(limit)
            # SQLite leaves this out; there the whole transaction has the write lock.
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as connection:
            claimed = [_kept(row) for row in await connection.execute(due)]
            if claimed:
                keys = [kept.assignment.errand.key for kept in claimed]
                claim = update(errands).where(errands.c.key.in_(keys))
                await connection.execute(claim.values(lease_owner=owner, lease_until=lease_until))
        return claimed

    async def release(self, owner: str, *, until: datetime) -> None:
        """Let go of an owner's leases that end before a moment."""
        letting_go = update(errands).where(IS_WAITING, errands.c.lease_owner == owner, errands.c.lease_until < until)
        async with self._database.writing() as connection:
            await connection.execute(letting_go.values(FREE))

    async def note_ended(self, notes_of: NotesOf, *, since: datetime, limit: int) -> int:
        """Store the notes of contacts that ended at `since` or later and were not noted yet; how many these were.

        The notes and that they are there are stored in one transaction: each contact has its turn once.
        """
        ended = (
            select(contacts)
            .where(contacts.c.noted.is_(False), contacts.c.ended_at >= since)
            .order_by(contacts.c.ended_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as connection:
            found = [contact_of(row) for row in await connection.execute(ended)]
            if not found:
                return 0
            ids = [contact.id for contact in found]
            happened = (
                select(contact_events)
                .where(contact_events.c.contact_id.in_(ids))
                .order_by(contact_events.c.at, contact_events.c.position)
            )
            events: dict[ContactId, list[ContactEvent]] = defaultdict(list)
            for row in await connection.execute(happened):
                events[ContactId(row.contact_id)].append(event_of(row))
            notes = [_row(note) for contact in found for note in notes_of(contact, events[contact.id])]
            if notes:
                await connection.execute(self._assigning, notes)
            await connection.execute(update(contacts).where(contacts.c.id.in_(ids)).values(noted=True))
        return len(found)

    async def errands(self, *, state: ErrandState | None = None, limit: int = 100) -> Sequence[KeptErrand]:
        """Errands, newest first."""
        query = select(errands).order_by(errands.c.at.desc(), errands.c.key).limit(limit)
        if state is not None:
            query = query.where(errands.c.state == state.value)
        async with self._database.reading() as connection:
            return [_kept(row) for row in await connection.execute(query)]

    async def counts(self) -> Mapping[ErrandState, int]:
        """How many there are in each state that is not DONE."""
        query = (
            select(errands.c.state, func.count())
            .where(errands.c.state.in_((ErrandState.WAITING.value, ErrandState.FAILED.value)))
            .group_by(errands.c.state)
        )
        async with self._database.reading() as connection:
            found = {ErrandState(state): int(count) for state, count in await connection.execute(query)}
        return {ErrandState.WAITING: 0, ErrandState.FAILED: 0, **found}

    async def retry(self, key: str, *, at: datetime) -> bool:
        """Have an errand tried at once, also when it failed; False when there is none of this key to be done."""
        again = update(errands).where(errands.c.key == key, errands.c.state != ErrandState.DONE.value)
        async with self._database.writing() as connection:
            return (await connection.execute(again.values(_anew(at)))).rowcount == 1

    async def retry_failed(self, *, at: datetime) -> int:
        """Have every errand that failed tried at once; how many these are."""
        again = update(errands).where(errands.c.state == ErrandState.FAILED.value)
        async with self._database.writing() as connection:
            return (await connection.execute(again.values(_anew(at)))).rowcount


def _row(assignment: Assignment) -> dict[str, object]:
    return {
        "key": assignment.errand.key,
        "kind": kind_of(assignment.errand),
        "content": storable_json(content_of(assignment.errand)),
        "connector": assignment.connector,
        "contact_id": assignment.contact_id,
        "customer_id": assignment.customer_id,
        "at": assignment.at,
        "since": assignment.at,
        "state": ErrandState.WAITING.value,
        "attempts": 0,
        "not_before": assignment.at,
        "ended_at": None,
        "reason": "",
        "result": "",
        "lease_owner": assignment.held_by,
        "lease_until": assignment.held_until,
    }


def _anew(at: datetime) -> dict[str, object]:
    return {"state": ErrandState.WAITING.value, "since": at, "not_before": at, "ended_at": None}


def _changes(report: ErrandReport) -> dict[str, object]:
    over = report.state is not ErrandState.WAITING
    return {
        "state": report.state.value,
        "attempts": report.attempt,
        "not_before": report.not_before or report.at,
        "ended_at": report.at if over else None,
        "reason": storable_json(report.reason),
        "result": storable_json(report.result),
        **FREE,
    }


def _kept(row: Row[tuple[object, ...]]) -> KeptErrand:
    assignment = Assignment(
        errand=errand_of(row.kind, row.content),
        connector=row.connector,
        contact_id=ContactId(row.contact_id),
        at=row.at,
        customer_id=CustomerId(row.customer_id) if row.customer_id else None,
        held_by=row.lease_owner,
        held_until=row.lease_until,
    )
    return KeptErrand(
        assignment,
        since=row.since,
        state=ErrandState(row.state),
        attempts=row.attempts,
        not_before=row.not_before,
        ended_at=row.ended_at,
        reason=row.reason,
        result=row.result,
    )
