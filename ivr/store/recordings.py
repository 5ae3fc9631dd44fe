"""Stored recordings: what is known of each; the sounds themselves are files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, delete, select, update

from ivr.domain.contact import ContactId
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.domain.recording import Purpose, Recording, RecordingId
from ivr.store.database import Database
from ivr.store.tables import contacts, recordings


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording and whose number called, as far as the journal knows."""

    recording: Recording
    number: PhoneNumber | None


class StoredRecordings:
    """Keeps recordings. Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, recording: Recording) -> None:
        """Store a recording; of one that is there already the length is brought up to date."""
        row = {
            "id": recording.id,
            "contact_id": recording.contact_id,
            "made_at": recording.made_at,
            "purpose": recording.purpose.value,
            "step": recording.step,
            "path": recording.file,
            "seconds": recording.seconds,
            "language": recording.language.value,
            "box": recording.box,
        }
        storing = self._database.insert(recordings).values(row)
        storing = storing.on_conflict_do_update(
            index_elements=[recordings.c.id], set_={"seconds": storing.excluded.seconds}
        )
        async with self._database.writing() as connection:
            await connection.execute(storing)

    async def recordings(self, purpose: Purpose, *, heard: bool, limit: int = 100) -> Sequence[Spoken]:
        """Recordings, newest first; those that were `heard` only when that is asked for."""
        query = (
            select(recordings, contacts.c.number)
            .outerjoin(contacts, contacts.c.id == recordings.c.contact_id)
            .where(recordings.c.purpose == purpose.value)
            .order_by(recordings.c.made_at.desc(), recordings.c.id)
            .limit(limit)
        )
        if not heard:
            query = query.where(recordings.c.heard_at.is_(None))
        async with self._database.reading() as connection:
            return [_spoken(row) for row in await connection.execute(query)]

    async def mark_heard(self, recording_id: RecordingId, at: datetime) -> bool:
        """Somebody heard it; the first time counts. False when there is no such recording."""
        first = recordings.c.heard_at.is_(None)
        marking = update(recordings).where(recordings.c.id == recording_id, first).values(heard_at=at)
        known = select(recordings.c.id).where(recordings.c.id == recording_id)
        async with self._database.writing() as connection:
            await connection.execute(marking)
            return (await connection.execute(known)).first() is not None

    async def forget(self, recording_id: RecordingId) -> None:
        """Remove what is known of a recording, if it is there."""
        async with self._database.writing() as connection:
            await connection.execute(delete(recordings).where(recordings.c.id == recording_id))

    async def forget_before(self, moment: datetime) -> None:
        """Remove what is known of the recordings that were made before a moment."""
        async with self._database.writing() as connection:
            await connection.execute(delete(recordings).where(recordings.c.made_at < moment))


def _spoken(row: Row[tuple[object, ...]]) -> Spoken:
    recording = Recording(
        RecordingId(row.id),
        ContactId(row.contact_id),
        row.made_at,
        Purpose(row.purpose),
        row.step,
        Language(row.language),
        row.box,
        row.seconds,
        row.heard_at,
    )
    return Spoken(recording, PhoneNumber(row.number) if row.number else None)
