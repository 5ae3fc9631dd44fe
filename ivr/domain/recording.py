"""A recording: what was said in a contact, kept as sound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from ivr.domain.contact import ContactId
from ivr.domain.language import Language

RecordingId = NewType("RecordingId", str)
"""Made of the contact's id, so it tells nothing of a person; its sound is the file of that name."""


class Purpose(StrEnum):
    """What a recording is of."""

    VOICEMAIL = "voicemail"
    SURVEY = "survey"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that is kept. `box` is the mailbox of a message; `made_at` is aware UTC, `seconds` its length."""

    id: RecordingId
    contact_id: ContactId
    made_at: datetime
    purpose: Purpose
    step: str
    language: Language
    box: str = ""
    seconds: float = 0.0
    heard_at: datetime | None = None

    @property
    def file(self) -> str:
        """The name of its sound in the folder of recordings."""
        return f"{self.id}.wav"


@dataclass(frozen=True, slots=True)
class Tape:
    """Where a recording is made. `ref` is the path of its sound without the extension, as Asterisk wants it."""

    id: RecordingId
    ref: str


@dataclass(frozen=True, slots=True)
class Take:
    """What a caller spoke onto a tape: its length, the key that ended it, and whether they left while speaking."""

    seconds: float
    key: str = ""
    hung_up: bool = False
