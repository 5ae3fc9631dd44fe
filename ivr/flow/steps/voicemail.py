"""voicemail: the caller leaves a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

import structlog
from pydantic import AfterValidator, Field

from ivr.config.units import Seconds
from ivr.domain import errand
from ivr.domain.contact import EventKind, Outcome
from ivr.domain.errand import MessageKind
from ivr.domain.line import parse_number
from ivr.domain.recording import Purpose
from ivr.domain.speech import Utterance
from ivr.errors import CallerHungUp
from ivr.flow.dictation import ENDS, TONE, Dictated, dictate, play_back, shelf_of
from ivr.flow.expression_types import Names
from ivr.flow.names import BlockName, BoxName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GiveUp, GoTo, Kept, Next, Result, Said, Step, mentioned
from ivr.flow.steps.message import EMAIL, WEB
from ivr.flow.steps.say import PromptNames

GREETING, TOO_SHORT, REVIEW, AGAIN, THANKS = (
    "voicemail_greeting",
    "voicemail_too_short",
    "voicemail_review",
    "voicemail_again",
    "voicemail_thanks",
)
NOTICE = "voicemail_notice"
KEEP, HEAR, REDO = "1", "2", "3"
TIMES_SAID_NOTHING = 2
"""After so many messages without a word nobody is asked once more."""
MOST_MESSAGES = 5
"""How often a message can be spoken anew."""
MOST_CHOICES = 5
"""How often a caller is asked what is to be done with their message; who goes on hearing it keeps it."""
CHOICE_TIMEOUT = 5.0

logger = structlog.get_logger()


def _address(written: str) -> str:
    _way_to(written)
    return written


def _way_to(address: str) -> MessageKind:
    """The way a message gets to an address. Raises ValueError when it is none."""
    if WEB.fullmatch(address):
        return MessageKind.WEBHOOK
    if EMAIL.fullmatch(address):
        return MessageKind.EMAIL
    if address.startswith("+") and parse_number(address):
        return MessageKind.SMS
    raise ValueError(
        f"'{address[:60]}' is not an address; write an e-mail address, a number as +31612345678, or https://…"
    )


Address = Annotated[str, AfterValidator(_address)]


class Voicemail(Step):
    """Takes a message for a mailbox (`box`).

    It says `prompt` (`voicemail_greeting` without it), which `#` cuts short, and a tone. Then
    the caller speaks, for `most` at most; `#` or a silence of `silence` ends it, and so does
    hanging up: what was said until then is the message. Less than `least` of sound is none: who
    says no more is asked once again, and then goes to `otherwise`; without it, to the flow's
    `otherwise`. With `review: true` the caller can send the message (1), hear it (2) or speak
    it anew (3); who does not choose, or hangs up, has sent it. After a message the flow goes on
    with the next step, and whoever hangs up from here on has the outcome `message_left`.
    Messages are found with `ivr voicemails`; who is to `notify` (an e-mail address, a telephone
    number or a web address) is sent `voicemail_notice`.

    ```yaml
    - voicemail: support
    - voicemail: { box: billing, prompt: leave_billing_message, most: 3min, review: true, otherwise: person }
    - voicemail: { box: support, notify: support@example.nl }
    ```
    """

    kind: ClassVar[str] = "voicemail"
    shorthand: ClassVar[str] = "box"
    takes_keys: ClassVar[bool] = True
    own_texts: ClassVar[Mapping[str, Names]] = {
        GREETING: {},
        TONE: {},
        TOO_SHORT: {},
        REVIEW: {},
        AGAIN: {},
        THANKS: {},
        NOTICE: {"box": str, "seconds": int, "recording": str},
    }

    box: BoxName
    prompt: PromptNames | None = None
    most: Annotated[Seconds, Field(ge=5, le=600)] = 120.0
    silence: Annotated[Seconds, Field(ge=2, le=30)] = 4.0
    least: Annotated[Seconds, Field(ge=0.2, le=10)] = 1.0
    review: bool = False
    notify: Address | None = None
    otherwise: BlockName | None = None

    def keeps(self, block: BlockName, names: Names) -> Iterator[Kept]:
        yield from ()

    def says(self, names: Names) -> Iterator[Said]:
        for loc, name in mentioned(self.prompt):
            yield Said(str(name), ("prompt", *loc), {})
        passed_over = {GREETING} if self.prompt else set()
        passed_over |= set() if self.review else {REVIEW, AGAIN}
        passed_over |= set() if self.notify else {NOTICE}
        for prompt, own in self.own_texts.items():
            if prompt not in passed_over:
                yield Said(prompt, (), own)

    def errands(self) -> frozenset[str]:
        return frozenset({f"messages.{_way_to(self.notify).value}"} if self.notify else ())

    def exits(self) -> Sequence[Exit]:
        return [Exit(self.otherwise, gives_up=self.otherwise is None)]

    def utterances(self, session: Session) -> Sequence[Utterance]:
        return [session.utterance(prompt) for prompt in self.prompt or (GREETING,)]

    async def run(self, session: Session) -> Result:
        opening: Sequence[Utterance] = () if ENDS in session.typed else self.utterances(session)
        session.typed.clear()
        said_nothing = 0
        for _ in range(MOST_MESSAGES):
            if await session.tell_until(ENDS, *opening):
                session.log.note(EventKind.DIGITS, session.step, keys=ENDS)
            message = await dictate(
                session, Purpose.VOICEMAIL, most=self.most, silence=self.silence, least=self.least, box=self.box
            )
            if message is None:
                said_nothing += 1
                if said_nothing == TIMES_SAID_NOTHING:
                    break
                opening = [session.utterance(TOO_SHORT)]
            elif await self._is_sent(session, message):
                await session.tell(session.utterance(THANKS))
                return Next()
            else:
                opening = [session.utterance(AGAIN)]
        return GoTo(self.otherwise) if self.otherwise else GiveUp()

    async def _is_sent(self, session: Session, message: Dictated) -> bool:
        """Whether the caller leaves it at this message. Who hangs up has, and so has who met a failure of ours."""
        anew = False
        try:
            if message.hung_up:
                raise CallerHungUp
            anew = self.review and await self._wants_anew(session, message)
        finally:
            if anew:
                shelf_of(session).discard(message.tape)
            else:
                self._send(session, message)
        return not anew

    async def _wants_anew(self, session: Session, message: Dictated) -> bool:
        key, choices = "", KEEP + HEAR + REDO
        for _ in range(MOST_CHOICES):
            key = key or await session.key([session.utterance(REVIEW)], wanted=choices, seconds=CHOICE_TIMEOUT)
            if not key:
                session.log.note(EventKind.NO_INPUT, session.step)
                return False
            known = key in choices
            session.log.note(EventKind.DIGITS if known else EventKind.WRONG_INPUT, session.step, keys=key)
            if key in (KEEP, REDO):
                return key == REDO
            key = await play_back(session, message, keys=choices) if known else ""
        return False

    def _send(self, session: Session, message: Dictated) -> None:
        shelf_of(session).keep(message.tape)
        session.served = Outcome.MESSAGE_LEFT
        seconds = round(message.seconds, 1)
        session.log.note(EventKind.MESSAGE_LEFT, session.step, box=self.box, recording=message.tape.id, seconds=seconds)
        logger.info(
            "message left", contact=session.contact_id, box=self.box, recording=message.tape.id, seconds=seconds
        )
        if self.notify and session.services.errands is not None:
            notice = session.utterance(NOTICE, box=self.box, seconds=round(seconds), recording=message.tape.id)
            told = errand.Message(f"{message.tape.id}:notice", _way_to(self.notify), self.notify, notice.text, self.box)
            session.services.errands.send(told, session.contact_id)
