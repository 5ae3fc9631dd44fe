"""Stored contacts: one row a contact, one row an event; writing something twice is writing it once."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime

from sqlalchemy import Row, and_, func, or_, select

from ivr.domain.contact import Contact, ContactEvent, ContactId, Direction, EventKind, Json, Outcome
from ivr.domain.line import LineState, PhoneNumber
from ivr.store.database import Database, Insert
from ivr.store.tables import contact_events, contacts

AMENDABLE = frozenset(field.name for field in fields(Contact)) - {"id"}


class StoredContacts:
    """Keeps contacts (an `ivr.ports.ContactStore`). Every method may raise StoreUnavailable.

    Text that no database takes is made storable instead of refused: NUL is left out,
    what is not Unicode becomes `?`, numbers that are not finite become null.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # Built once: the database library then also compiles each only once.
        self._opening = self._opening_statement()
        self._noting = database.insert(contact_events).on_conflict_do_nothing(index_elements=[contact_events.c.id])
        self._amending: dict[tuple[str, ...], Insert] = {}

    async def write(
        self,
        opened: Sequence[Contact],
        amended: Sequence[tuple[ContactId, Mapping[str, object]]],
        events: Sequence[ContactEvent],
    ) -> None:
        """Write a batch in one transaction, in this order.

        A contact that is there already stays as it is. A change to a contact that is not
        there makes a row for it; when the contact comes later, it fills in what the
        changes left open. An event whose id is there already is left out.

        Raises:
            StoreUnavailable: the whole batch must be written again.
            StoreError: the database refuses something in the batch.
        """
        async with self._database.writing() as connection:
            if opened:
                await connection.execute(self._opening, [_contact_row(contact) for contact in opened])
            for names, rows in _by_fields(amended).items():
                await connection.execute(self._amending_statement(names), rows)
            if events:
                await connection.execute(self._noting, [_event_row(event) for event in events])

    async def contacts(
        self, *, since: datetime | None = None, contact_id: str | None = None, limit: int = 100
    ) -> Sequence[tuple[Contact, Sequence[ContactEvent]]]:
        """Contacts with their events in order of time, newest contact first.

        `since` keeps those that started at it or later; `contact_id` keeps that one.
        """
        query = select(contacts).order_by(contacts.c.started_at.desc(), contacts.c.id.desc()).limit(limit)
        if since is not None:
            query = query.where(contacts.c.started_at >= since)
        if contact_id is not None:
            query = query.where(contacts.c.id == contact_id)
        chosen = query.with_only_columns(contacts.c.id).subquery()
        happened = (
            select(contact_events)
            .where(contact_events.c.contact_id.in_(select(chosen.c.id)))
            .order_by(contact_events.c.at, contact_events.c.position)
        )
        of_contact: dict[str, list[ContactEvent]] = defaultdict(list)
        async with self._database.reading() as connection:
            found = [contact_of(row) for row in await connection.execute(query)]
            for row in await connection.execute(happened):
                of_contact[row.contact_id].append(event_of(row))
        return [(contact, of_contact[contact.id]) for contact in found]

    async def unended(self, *, since: datetime) -> Sequence[ContactId]:
        """Contacts that began at `since` or later and whose end was never written."""
        query = select(contacts.c.id).where(contacts.c.started_at >= since, contacts.c.ended_at.is_(None))
        async with self._database.reading() as connection:
            return [ContactId(row.id) for row in await connection.execute(query)]

    async def callers(self, hours: Sequence[tuple[datetime, datetime]], most: int) -> Sequence[PhoneNumber]:
        """At most so many numbers that called us in these spans of time, those that did so oftenest first."""
        within = [and_(contacts.c.started_at >= begin, contacts.c.started_at < end) for begin, end in hours]
        query = (
            select(contacts.c.number)
            .where(or_(*within), contacts.c.number.is_not(None), contacts.c.direction == Direction.INBOUND)
            .group_by(contacts.c.number)
            .order_by(func.count().desc(), contacts.c.number)
            .limit(most)
        )
        async with self._database.reading() as connection:
            return [PhoneNumber(row.number) for row in await connection.execute(query)]

    def _opening_statement(self) -> Insert:
        statement = self._database.insert(contacts)
        # Only for a row that changes made before the contact came: they are later, so they win.
        filled = {
            name: func.coalesce(contacts.c[name], statement.excluded[name]) for name in AMENDABLE - {"started_at"}
        }
        return statement.on_conflict_do_update(
            index_elements=[contacts.c.id],
            set_={**filled, "started_at": statement.excluded.started_at, "opened": True},
            where=contacts.c.opened.is_(False),
        )

    def _amending_statement(self, names: tuple[str, ...]) -> Insert:
        if names not in self._amending:
            statement = self._database.insert(contacts)
            self._amending[names] = statement.on_conflict_do_update(
                index_elements=[contacts.c.id], set_={name: statement.excluded[name] for name in names}
            )
        return self._amending[names]


def _by_fields(
    amended: Sequence[tuple[ContactId, Mapping[str, object]]],
) -> Mapping[tuple[str, ...], list[dict[str, object]]]:
    """Rows to write, together when they set the same fields; the changes to one contact become one row, in order."""
    merged: dict[ContactId, dict[str, object]] = {}
    for contact_id, changes in amended:
        known = {name: _storable(value) for name, value in changes.items() if name in AMENDABLE}
        merged.setdefault(contact_id, {}).update(known)
    rows: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    for contact_id, changes in merged.items():
        if changes:
            moments = [value for value in changes.values() if isinstance(value, datetime)]
            start = min(moments, default=datetime.now(UTC))
            row = {"id": _text(contact_id), "opened": False, "started_at": start, **changes}
            rows[tuple(sorted(changes))].append(row)
    return rows


def _contact_row(contact: Contact) -> dict[str, object]:
    row = {field.name: _storable(getattr(contact, field.name)) for field in fields(contact)}
    return {**row, "opened": True}


def _event_row(event: ContactEvent) -> dict[str, object]:
    return {
        "id": _text(event.id),
        "contact_id": _text(event.contact_id),
        "at": event.at,
        "kind": event.kind.value,
        "step": _text(event.step),
        "detail": {_text(name): storable_json(value) for name, value in event.detail.items()},
    }


def contact_of(row: Row[tuple[object, ...]]) -> Contact:
    """The contact of a row of `contacts`."""
    return Contact(
        id=ContactId(row.id),
        started_at=row.started_at,
        direction=Direction(row.direction or Direction.INBOUND),
        channel=row.channel or "phone",
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        number=PhoneNumber(row.number) if row.number else None,
        line_state=LineState(row.line_state or LineState.ABSENT),
        customer_id=row.customer_id,
        customer_references=row.customer_references or {},
        region=row.region,
        entry=row.entry or "",
        flow=row.flow or "",
        flow_version=row.flow_version or "",
        reason=row.reason,
        outcome=Outcome(row.outcome) if row.outcome else None,
        queue=row.queue,
        site=row.site,
    )


def event_of(row: Row[tuple[object, ...]]) -> ContactEvent:
    """The event of a row of `contact_events`."""
    return ContactEvent(row.id, ContactId(row.contact_id), row.at, EventKind(row.kind), row.step, row.detail)


def _storable(value: object) -> object:
    if isinstance(value, Mapping):
        return storable_json({**value})
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return str(text)
    return str(text).replace("\0", "").encode(errors="replace").decode()


def storable_json(value: object) -> Json:
    """A value as every database takes it: no NUL, nothing that is not Unicode, no number that is not finite."""
    match value:
        case str():
            return _text(value)
        case float() if not math.isfinite(value):
            return None
        case list():
            return [storable_json(item) for item in value]
        case dict():
            return {_text(str(name)): storable_json(item) for name, item in value.items()}
        case None | bool() | int() | float():
            return value
    return _text(str(value))
