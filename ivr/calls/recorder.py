"""The recorder: what one call writes down of itself, as events in the journal."""

from __future__ import annotations

from uuid import uuid4

from ivr.domain.contact import ContactEvent, ContactId, EventKind, Json
from ivr.ports import Clock, Journal


class Recorder:
    """Writes one contact's events (a `ivr.ports.CallLog`)."""

    __slots__ = ("_clock", "_contact_id", "_journal", "_noted", "_prefix")

    def __init__(self, journal: Journal, contact_id: ContactId, clock: Clock) -> None:
        self._journal = journal
        self._contact_id = contact_id
        self._clock = clock
        # Not the contact's id: another recorder may write of the same contact.
        self._prefix = uuid4().hex
        self._noted = 0

    def note(self, kind: EventKind, step: str = "", **detail: Json) -> None:
        """Write down that something happened, now."""
        self._noted += 1
        event = ContactEvent(f"{self._prefix}-{self._noted}", self._contact_id, self._clock.now(), kind, step, detail)
        self._journal.event(event)
