"""survey: the caller is asked what they think."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema, model_validator

from ivr.config.units import Seconds
from ivr.domain.contact import EventKind, Json, Outcome
from ivr.domain.recording import Purpose
from ivr.domain.speech import Utterance
from ivr.errors import CallerHungUp, ExpressionFailed
from ivr.flow.dictation import TONE, dictate, shelf_of
from ivr.flow.expression_types import Names
from ivr.flow.expressions import Expression
from ivr.flow.kinds import Kind
from ivr.flow.names import AnswerName, BlockName, PromptName
from ivr.flow.session import Session
from ivr.flow.step import Kept, Next, Result, Said, Settings, Step, mentioned
from ivr.flow.steps.say import PromptNames
from ivr.flow.views import Answers

SKIPPED = "survey_skipped"
TRIES = 2
MOST_UNANSWERED = 2
"""Who leaves so many questions in a row unanswered is not asked the others: they may not be there any more."""
SECOND_KEY = 2.0
"""Seconds that who pressed 1 has for the 0 of a ten."""
SILENCE, LEAST = 3.0, 0.5
"""What ends an open answer, and what makes one."""

Scale = Annotated[Literal["5", "10"], WithJsonSchema({"enum": [5, 10]})]


class Question(Settings):
    """A question: answered with keys from 1 to `scale`, or openly, and then recorded for `record` at most."""

    ask: PromptName
    scale: Scale | None = None
    record: Annotated[Seconds, Field(ge=5, le=300)] | None = None
    when: Expression | None = None

    @model_validator(mode="after")
    def _answered_in_one_way(self) -> Question:
        if (self.scale is None) == (self.record is None):
            raise ValueError("a question has either 'scale: 5', 'scale: 10', or 'record: 1min' for an open answer")
        return self


class Survey(Step):
    """Asks the caller `questions`, one after another, and thanks them with `thanks`, if it is given.

    A question is its prompt (`ask`) and how it is answered: with a key from 1 to 5
    (`scale: 5`) or from 1 to 10 (`scale: 10`; 0 and `1` `0` are both a ten), or openly, with
    `record`, the longest it may take: then the answer is spoken after a tone and recorded. With
    `when` it is asked only then; a condition on an answer that was not given is not true.
    Who gives no answer within `timeout`, or presses `#`, is not asked that question again; who
    leaves two in a row unanswered is thanked. A score is kept as `answers.<block>.<question>`,
    a number, an open answer as the name of its recording, a text. Each is written in the
    journal when it is given, so who hangs up in between has answered until there, and has not
    abandoned the call.

    ```yaml
    - survey:
        questions:
          solved: { ask: survey_solved, scale: 5 }
          better: { ask: survey_better, record: 1min, when: answers.after.solved < 3 }
          recommend: { ask: survey_recommend, scale: 10 }
        thanks: survey_thanks
    ```
    """

    kind: ClassVar[str] = "survey"
    takes_keys: ClassVar[bool] = True
    own_texts: ClassVar[Mapping[str, Names]] = {
        "survey_wrong_5": {},
        "survey_wrong_10": {},
        SKIPPED: {},
        TONE: {},
    }

    questions: Annotated[dict[AnswerName, Question], Field(min_length=1, max_length=20)]
    thanks: PromptNames | None = None
    timeout: Annotated[Seconds, Field(gt=0, le=60)] = 6.0

    def keeps(self, block: BlockName, names: Names) -> Iterator[Kept]:
        kinds: dict[str, Kind] = {str(name): int if each.scale else str for name, each in self.questions.items()}
        yield Kept(block, kinds)

    def says(self, names: Names) -> Iterator[Said]:
        for loc, name in mentioned(self):
            if isinstance(name, PromptName):
                yield Said(str(name), loc, {})
        questions = self.questions.values()
        own = {f"survey_wrong_{each.scale}" for each in questions if each.scale}
        own |= {TONE} if any(each.record for each in questions) else set()
        for prompt in self.own_texts:
            if prompt in own or prompt == SKIPPED:
                yield Said(prompt, (), {})

    def utterances(self, session: Session) -> Sequence[Utterance]:
        return [session.utterance(next(iter(self.questions.values())).ask)]

    async def run(self, session: Session) -> Result:
        session.served = session.served or Outcome.SELF_SERVED
        given: dict[str, Any] = {}
        # Expressions see what was answered so far, also of this survey.
        session.answers[session.block] = Answers(given)
        unanswered = 0
        for name, question in self.questions.items():
            if not _concerns(question, session):
                continue
            answer = await self._answer(session, name, question)
            if answer is not None:
                given[name], unanswered = answer, 0
                continue
            session.log.note(EventKind.SURVEY_ANSWER, session.step, question=name, answer=None)
            unanswered += 1
            if unanswered == MOST_UNANSWERED:
                break
        if self.thanks:
            await session.tell(*(session.utterance(prompt) for prompt in self.thanks))
        return Next()

    async def _answer(self, session: Session, name: str, question: Question) -> int | str | None:
        if question.record is not None:
            return await self._open_answer(session, name, question.record, session.utterance(question.ask))
        scale, opening = int(question.scale or 10), list[Utterance]()
        for _ in range(TRIES):
            keys = await self._keys(session, [*opening, session.utterance(question.ask)], scale)
            if not keys:
                session.log.note(EventKind.NO_INPUT, session.step)
                break
            score = _score(keys, scale)
            if score is not None:
                session.log.note(EventKind.DIGITS, session.step, keys=keys)
                session.log.note(EventKind.SURVEY_ANSWER, session.step, question=name, answer=score, scale=scale)
                return score
            session.log.note(EventKind.WRONG_INPUT, session.step, keys=keys)
            opening = [session.utterance(f"survey_wrong_{scale}")]
        await session.tell(session.utterance(SKIPPED))
        return None

    async def _keys(self, session: Session, question: Sequence[Utterance], scale: int) -> str:
        keys = await session.digits(question, most=1, seconds=self.timeout)
        if keys == "1" and scale == 10:
            keys += await session.digits((), most=1, seconds=SECOND_KEY)
        return keys

    async def _open_answer(self, session: Session, name: str, most: float, question: Utterance) -> str | None:
        session.typed.clear()
        await session.tell(question)
        said = await dictate(session, Purpose.SURVEY, most=most, silence=SILENCE, least=LEAST)
        if said is None:
            await session.tell(session.utterance(SKIPPED))
            return None
        shelf_of(session).keep(said.tape)
        detail: dict[str, Json] = {"answer": said.tape.id, "seconds": round(said.seconds, 1)}
        session.log.note(EventKind.SURVEY_ANSWER, session.step, question=name, **detail)
        if said.hung_up:
            raise CallerHungUp
        return said.tape.id


def _concerns(question: Question, session: Session) -> bool:
    """Whether a question is to be asked; not when its condition looks at an answer that is not there."""
    try:
        return session.holds(question.when)
    except ExpressionFailed:
        return False


def _score(keys: str, scale: int) -> int | None:
    if scale == 10 and keys in ("0", "10"):
        return 10
    return int(keys) if keys in tuple("123456789"[:scale]) else None
