"""Dictation: a caller speaks after a tone, and what they say is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.domain.contact import EventKind, Json
from ivr.domain.recording import Purpose, Tape
from ivr.domain.speech import OWN_WORDS, Audio
from ivr.errors import CallerHungUp, IvrError, StepFailed
from ivr.flow.session import Session
from ivr.ports import RecordingShelf

TONE = "record_tone"
"""The prompt after which a caller speaks."""
ENDS = "#"
"""The key that ends speaking."""


@dataclass(frozen=True, slots=True)
class Dictated:
    """What a caller said. Whoever asked for it has to keep or discard the tape. `hung_up`: they left while speaking."""

    tape: Tape
    seconds: float
    hung_up: bool


def shelf_of(session: Session) -> RecordingShelf:
    """Where this call's recordings are kept. Raises StepFailed when there is no such place."""
    if session.services.recordings is None:
        raise StepFailed("nothing can be recorded here")
    return session.services.recordings


async def dictate(
    session: Session, purpose: Purpose, *, most: float, silence: float, least: float, box: str = ""
) -> Dictated | None:
    """Say the tone, and record what the caller says; None when that is less than `least` seconds of sound.

    A caller who leaves while speaking has said what was recorded; who leaves without having said enough: CallerHungUp.
    """
    shelf = shelf_of(session)
    tape = await shelf.tape(
        purpose, session.contact_id, step=session.step, language=session.language, box=box, least=least
    )
    try:
        await session.tell(session.utterance(TONE))
        take = await session.channel.record(tape.ref, most=most, silence=silence, keys=ENDS)
        enough = await shelf.sounding(tape, take) >= least
    except IvrError:
        shelf.discard(tape)
        raise
    detail: dict[str, Json] = {"purpose": purpose.value, "recording": tape.id, "seconds": round(take.seconds, 1)}
    detail |= {"key": take.key} if take.key else {}
    detail |= {"hung_up": True} if take.hung_up else {}
    session.log.note(EventKind.RECORDED, session.step, **detail, kept=enough)
    if enough:
        return Dictated(tape, take.seconds, take.hung_up)
    shelf.discard(tape)
    if take.hung_up:
        raise CallerHungUp
    return None


async def play_back(session: Session, dictated: Dictated, *, keys: str) -> str:
    """Let the caller hear what they said, or until one of `keys` is pressed. Returns that key, or ''."""
    detail: dict[str, Json] = {"prompt": OWN_WORDS, "language": session.language.value}
    detail["seconds"] = round(dictated.seconds, 2)
    try:
        key = await session.channel.play(Audio(dictated.tape.ref, dictated.seconds), keys=keys)
    except CallerHungUp:
        session.log.note(EventKind.PROMPT, session.step, **detail, hung_up=True)
        raise
    session.log.note(EventKind.PROMPT, session.step, **detail, **({"key": key} if key else {}))
    return key
