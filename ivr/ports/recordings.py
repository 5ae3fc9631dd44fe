"""Where what is said to us is kept."""

from __future__ import annotations

from typing import Protocol

from ivr.domain.contact import ContactId
from ivr.domain.language import Language
from ivr.domain.recording import Purpose, Take, Tape


class RecordingShelf(Protocol):
    """Keeps recordings. Neither a slow database nor our own death loses one that was spoken.

    A tape that is neither kept nor discarded, as after a crash, is kept when it is long enough.
    """

    async def tape(
        self, purpose: Purpose, contact_id: ContactId, *, step: str, language: Language, box: str = "", least: float = 0
    ) -> Tape:
        """An empty tape; for a recording of the call the one that this contact has already.

        It is not kept when less than `least` seconds of it hold sound.

        Raises:
            RecordingFailed: there is no place for it.
        """

    async def sounding(self, tape: Tape, take: Take) -> float:
        """How many seconds of a take hold sound.

        Raises:
            RecordingFailed: what Asterisk recorded is not there.
        """

    def keep(self, tape: Tape) -> None:
        """The recording is complete. Never blocks and never fails."""

    def discard(self, tape: Tape) -> None:
        """The recording is not wanted. Never blocks and never fails."""
