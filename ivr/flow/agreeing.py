"""Agreeing with a caller on a call: keys that are asked for again, and a number that is read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ivr.domain.contact import EventKind
from ivr.domain.line import LineState, PhoneNumber, mask, read_line
from ivr.domain.speech import Utterance
from ivr.flow.expression_types import Names
from ivr.flow.session import Session

LONGEST_NUMBER = 16
RIGHT, OTHER = "1", "2"
MOMENT = "callback_moment"
"""Asks a caller to wait for the database."""

WITH_NUMBER: Names = {"number": str}
OWN_TEXTS: dict[str, Names] = {
    MOMENT: {},
    "callback_number": WITH_NUMBER,
    "callback_ask_number": {},
    "callback_wrong_number": {},
    "callback_again": {},
}
"""What is said here."""


@dataclass(frozen=True, slots=True)
class Agreeing:
    """The part of a step that agrees with a caller: each question `tries` times, `timeout` seconds for a key."""

    session: Session
    tries: int
    timeout: float

    async def number(self, opening: Sequence[Utterance] = ()) -> PhoneNumber | None:
        """The number to call, as the caller confirms it, or None. `opening` is said before the first question."""
        session = self.session
        number = session.caller().line.number
        for _ in range(self.tries):
            if number is None:
                number, opening = await self._ask_number(opening), ()
            if number is None:
                return None
            question = session.utterance("callback_number", number=number)
            key = await self.key([*opening, question], RIGHT + OTHER)
            if key == RIGHT:
                return number
            if key != OTHER:
                return None
            number, opening = None, ()
        return None

    async def key(self, utterances: Sequence[Utterance], wanted: str) -> str:
        """One of the wanted keys, or '' when none came in so many tries."""
        session = self.session
        opening: list[Utterance] = []
        for _ in range(self.tries):
            key = await session.key([*opening, *utterances], wanted=wanted, seconds=self.timeout)
            if key and key in wanted:
                session.log.note(EventKind.DIGITS, session.step, keys=key)
                return key
            session.log.note(EventKind.WRONG_INPUT if key else EventKind.NO_INPUT, session.step)
            opening = [session.utterance("callback_again")] if key else []
        return ""

    async def _ask_number(self, before: Sequence[Utterance]) -> PhoneNumber | None:
        """A number that the caller keys in and that can be called, or None."""
        session, opening = self.session, list(before)
        for _ in range(self.tries):
            question = [*opening, session.utterance("callback_ask_number")]
            keyed = await session.digits(question, most=LONGEST_NUMBER, seconds=self.timeout)
            line = read_line(keyed, country=session.services.country)
            session.log.note(EventKind.DIGITS, session.step, keys=mask(keyed))
            if line.state is LineState.KNOWN:
                return line.number
            opening = [session.utterance("callback_wrong_number")] if keyed else []
        return None
