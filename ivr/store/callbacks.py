"""Stored callbacks: promises and attempts, changed only under guards, so that none is lost or kept twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, Exists, Row, Select, and_, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.domain.callback import (
    Attempt,
    AttemptId,
    AttemptOutcome,
    Callback,
    CallbackId,
    CallbackPurpose,
    CallbackRequest,
    CallbackState,
    Window,
)
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.errors import WindowFull
from ivr.store.database import BOOKING_LOCK, DIALLING_LOCK, Database
from ivr.store.tables import OPEN_STATES, attempts, callbacks

IS_OPEN = callbacks.c.state.in_(OPEN_STATES)
FREE = {"lease_owner": None, "lease_until": None}
REPLACED = "replaced by a later promise"
PENDING = attempts.c.outcome == AttemptOutcome.PENDING.value


class StoredCallbacks:
    """Keeps promises (an `ivr.ports.CallbackStore`). Every method may raise StoreUnavailable.

    What keeps a promise from being lost or kept twice:

    - one open promise a number and purpose, by a unique index;
    - bookings wait for each other, so a window's last place goes to one of them;
    - every change is an UPDATE whose WHERE says what must still be true;
    - an attempt is stored before it is dialled, and a claim lasts only as long as its lease;
    - one attempt at a time a promise, by a unique index, and one a number, by what can be begun;
    - an attempt ends once, in the transaction that says what becomes of its promise.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def book(
        self, request: CallbackRequest, *, now: datetime, capacity: int, not_before: datetime | None = None
    ) -> Callback:
        """Store a promise, replacing an open one for the same number. It is due in its window, and from `not_before`.

        Raises:
            WindowFull: `capacity` open promises exist in its window; an earlier promise of this number stays.
        """
        booked = Callback(
            id=CallbackId(uuid4().hex),
            request=request,
            state=CallbackState.BOOKED,
            created_at=now,
            not_before=max(request.window.start, not_before or request.window.start),
        )
        replacing = (
            update(callbacks)
            .where(callbacks.c.number == request.number, callbacks.c.purpose == request.purpose.value, IS_OPEN)
            .values(state=CallbackState.CANCELLED.value, ended_at=now, reason=REPLACED, **FREE)
        )
        async with self._database.writing() as connection:
            await self._database.lock(connection, BOOKING_LOCK)
            await connection.execute(replacing)
            taken = (await connection.execute(_count(request.queue, request.window))).scalar_one()
            if taken >= capacity:
                # Leaving by an exception rolls back, so the promise that was to be replaced stands.
                raise WindowFull
            await connection.execute(insert(callbacks).values(row_of(booked)))
        return booked

    async def booked_in(self, queue: str, windows: Sequence[Window]) -> Sequence[int]:
        """How many open promises each window holds: those whose own window overlaps it."""
        async with self._database.reading() as connection:
            return [int((await connection.execute(_count(queue, window))).scalar_one()) for window in windows]

    async def callbacks(self, *, only_open: bool, limit: int = 100) -> Sequence[Callback]:
        """Promises with their attempts, soonest window first."""
        query = select(callbacks).order_by(callbacks.c.window_start, callbacks.c.created_at, callbacks.c.id)
        if only_open:
            query = query.where(IS_OPEN)
        async with self._database.reading() as connection:
            return await _read(connection, query.limit(limit))

    async def callback(self, callback_id: CallbackId) -> Callback | None:
        """One promise."""
        async with self._database.reading() as connection:
            found = await _read(connection, select(callbacks).where(callbacks.c.id == callback_id))
        return found[0] if found else None

    async def unfinished(self) -> Sequence[Callback]:
        """Promises with a PENDING attempt, also if cancelled since: after a crash, those to look into."""
        query = select(callbacks).where(callbacks.c.id.in_(select(attempts.c.callback_id).where(PENDING)))
        async with self._database.reading() as connection:
            return await _read(connection, query.order_by(callbacks.c.window_start, callbacks.c.id))

    async def claim_due(
        self, *, queue: str, now: datetime, owner: str, lease_until: datetime, limit: int
    ) -> Sequence[Callback]:
        """Claim a queue's BOOKED promises that may be dialled now and that nobody holds a living lease on.

        Due: `now` is past both the window's start and `not_before`; the oldest window
        first, also when it has passed. Promises that somebody is claiming are passed over.
        """
        due = (
            select(callbacks.c.id)
            .where(
                callbacks.c.state == CallbackState.BOOKED.value,
                callbacks.c.queue == queue,
                callbacks.c.window_start <= now,
                callbacks.c.not_before <= now,
                _is_free(now),
                ~_is_being_called(),
            )
            .order_by(callbacks.c.window_start, callbacks.c.created_at, callbacks.c.id)
            .limit(limit)
            # SQLite leaves this out; there the whole transaction has the write lock.
            .with_for_update(skip_locked=True, of=callbacks)
        )
        async with self._database.writing() as connection:
            ids = list((await connection.execute(due)).scalars())
            if not ids:
                return []
            claim = update(callbacks).where(callbacks.c.id.in_(ids))
            await connection.execute(claim.values(lease_owner=owner, lease_until=lease_until))
            query = select(callbacks).where(callbacks.c.id.in_(ids))
            return await _read(connection, query.order_by(callbacks.c.window_start, callbacks.c.created_at))

    async def hold(
        self, callback_id: CallbackId, *, owner: str, now: datetime, lease_until: datetime
    ) -> CallbackState | None:
        """Take or keep the lease of a promise: the state it has now, or None while another owner's lease lives."""
        mine_or_free = or_(callbacks.c.lease_owner == owner, _is_free(now))
        holding = (
            update(callbacks)
            .where(callbacks.c.id == callback_id, mine_or_free)
            .values(lease_owner=owner, lease_until=lease_until)
            .returning(callbacks.c.state)
        )
        async with self._database.writing() as connection:
            state = (await connection.execute(holding)).scalar_one_or_none()
        return None if state is None else CallbackState(state)

    async def begin_attempt(self, callback_id: CallbackId, attempt: Attempt, *, owner: str) -> bool:
        """Store an attempt before it is dialled; the promise is then DIALLING.

        False when the claim was lost, or the number is being called for another promise.
        """
        dialling = update(callbacks).where(
            callbacks.c.id == callback_id,
            callbacks.c.state == CallbackState.BOOKED.value,
            callbacks.c.lease_owner == owner,
            ~_is_being_called(),
        )
        row = {
            "id": attempt.id,
            "callback_id": callback_id,
            "channel_id": attempt.channel_id,
            "started_at": attempt.started_at,
            "ended_at": attempt.ended_at,
            "outcome": attempt.outcome.value,
        }
        async with self._database.writing() as connection:
            # Two promises of one number may be begun at the same moment.
            await self._database.lock(connection, DIALLING_LOCK)
            begun = await connection.execute(dialling.values(state=CallbackState.DIALLING.value))
            if begun.rowcount == 1:
                await connection.execute(insert(attempts).values(row))
        return begun.rowcount == 1

    async def end_attempt(
        self,
        callback_id: CallbackId,
        attempt_id: AttemptId,
        outcome: AttemptOutcome,
        *,
        at: datetime,
        state: CallbackState,
        reason: str,
        not_before: datetime | None = None,
    ) -> bool:
        """Store how an attempt ended and what becomes of its promise, both or neither; False when it had ended before.

        A promise that is not open any more keeps its state. Its lease is released.
        """
        ending = update(attempts).where(attempts.c.id == attempt_id, PENDING)
        promise = update(callbacks).where(callbacks.c.id == callback_id)
        values = _moved(state, at=at, reason=reason, not_before=not_before)
        async with self._database.writing() as connection:
            ended = await connection.execute(ending.values(outcome=outcome.value, ended_at=at))
            if ended.rowcount == 1:
                await connection.execute(promise.values(FREE))
                await connection.execute(promise.where(IS_OPEN).values(values))
        return ended.rowcount == 1

    async def move(
        self,
        callback_id: CallbackId,
        state: CallbackState,
        *,
        at: datetime,
        reason: str = "",
        not_before: datetime | None = None,
        owner: str | None = None,
    ) -> bool:
        """Bring an open promise to another state; False when it was not open.

        Its lease is released, unless it is CONNECTING now. A dialer gives its name as `owner`:
        then it is False, too, when it does not hold the lease any more.
        """
        values = _moved(state, at=at, reason=reason, not_before=not_before)
        moving = update(callbacks).where(callbacks.c.id == callback_id, IS_OPEN)
        if owner is not None:
            moving = moving.where(callbacks.c.lease_owner == owner)
        async with self._database.writing() as connection:
            return (await connection.execute(moving.values(values))).rowcount == 1


def _moved(state: CallbackState, *, at: datetime, reason: str, not_before: datetime | None) -> dict[str, object]:
    values: dict[str, object] = {"state": state.value, "reason": reason}
    if state is not CallbackState.CONNECTING:
        values |= FREE
    if not state.is_open:
        values["ended_at"] = at
    if not_before is not None:
        values["not_before"] = not_before
    return values


def _is_being_called() -> Exists:
    """Whether an attempt is calling a promise's number now, for this promise or another."""
    other = callbacks.alias("other")
    calling = select(other.c.id).join(attempts, attempts.c.callback_id == other.c.id)
    return exists(calling.where(PENDING, other.c.number == callbacks.c.number).correlate(callbacks))


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(callbacks.c.lease_until.is_(None), callbacks.c.lease_until <= now)


def _count(queue: str, window: Window) -> Select[int]:
    overlaps = and_(callbacks.c.window_start < window.end, callbacks.c.window_end > window.start)
    return select(func.count()).select_from(callbacks).where(callbacks.c.queue == queue, IS_OPEN, overlaps)


async def _read(connection: AsyncConnection, query: Select[tuple[object, ...]]) -> list[Callback]:
    rows = list(await connection.execute(query))
    of_callback: dict[str, list[Attempt]] = defaultdict(list)
    made = select(attempts).where(attempts.c.callback_id.in_([row.id for row in rows]))
    for row in await connection.execute(made.order_by(attempts.c.started_at, attempts.c.id)):
        of_callback[row.callback_id].append(_attempt(row))
    return [_callback(row, of_callback[row.id]) for row in rows]


def row_of(callback: Callback) -> dict[str, object]:
    """A promise as it is stored, without its attempts."""
    request = callback.request
    return {
        "id": callback.id,
        "number": request.number,
        "window_start": request.window.start,
        "window_end": request.window.end,
        "queue": request.queue,
        "language": request.language.value,
        "contact_id": request.contact_id,
        "customer_id": request.customer_id,
        "call_reason": request.reason,
        "purpose": request.purpose.value,
        "state": callback.state.value,
        "created_at": callback.created_at,
        "not_before": callback.not_before,
        "reason": callback.reason,
    }


def _callback(row: Row[tuple[object, ...]], made: Iterable[Attempt]) -> Callback:
    request = CallbackRequest(
        number=PhoneNumber(row.number),
        window=Window(row.window_start, row.window_end),
        queue=row.queue,
        language=Language(row.language),
        contact_id=row.contact_id,
        customer_id=row.customer_id,
        reason=row.call_reason,
        purpose=CallbackPurpose(row.purpose),
    )
    return Callback(
        id=CallbackId(row.id),
        request=request,
        state=CallbackState(row.state),
        created_at=row.created_at,
        not_before=row.not_before,
        attempts=tuple(made),
        ended_at=row.ended_at,
        reason=row.reason,
    )


def _attempt(row: Row[tuple[object, ...]]) -> Attempt:
    return Attempt(
        id=AttemptId(row.id),
        callback_id=CallbackId(row.callback_id),
        channel_id=row.channel_id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=AttemptOutcome(row.outcome),
    )
