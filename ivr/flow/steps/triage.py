"""triage: questions that find out what can be done about a fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Annotated, ClassVar

from pydantic import Field

from ivr.config.units import Seconds
from ivr.domain.contact import EventKind, Json, Outcome
from ivr.domain.speech import Utterance
from ivr.errors import StepFailed
from ivr.flow import triage
from ivr.flow.expression_types import Names
from ivr.flow.names import BlockName, TriageName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GiveUp, GoTo, Kept, Result, Step
from ivr.flow.triage import Ask, Solution, Walk

DID_IT_HELP, WRONG_KEY = "triage_did_it_help", "menu_wrong_key"
HELPED, DID_NOT_HELP = "1", "2"
ASKED_EVERY = 15.0
"""Seconds a caller who tries something gets before they are asked again whether it helped."""


class Triage(Step):
    """Asks the questions of `dialplans/triage/<name>.yaml` until it is clear what can be done.

    It ends as `solved`, `ticket`, `visit` or `agent`, each a block to go on at; without one for
    the last three the caller goes to the flow's `otherwise`. Who does not answer within `timeout`,
    `tries` times in all, ends as `agent`. The result is kept as `answers.<block>`, every answer
    is written in the journal.

    ```yaml
    - triage: { name: modem, solved: solved, agent: engineer, visit: visit }
    ```
    """

    kind: ClassVar[str] = "triage"
    takes_keys: ClassVar[bool] = True
    goes_on: ClassVar[bool] = False
    own_texts: ClassVar[Mapping[str, Names]] = {DID_IT_HELP: {}, WRONG_KEY: {}}

    name: TriageName
    solved: BlockName
    ticket: BlockName | None = None
    visit: BlockName | None = None
    agent: BlockName | None = None
    timeout: Annotated[Seconds, Field(gt=0, le=60)] = 8.0
    tries: Annotated[int, Field(ge=1, le=5)] = 2

    async def run(self, session: Session) -> Result:
        walk = self._walk(session)
        while (question := walk.question) is not None:
            before = len(walk.answers)
            if isinstance(question, Ask):
                await self._ask(session, walk, question)
            else:
                await self._try(session, walk, question)
            for given in walk.answers[before:]:
                detail: dict[str, Json] = {"question": given.question, "answer": given.answer}
                session.log.note(EventKind.TRIAGE_ANSWER, session.step, triage=self.name, **detail)
                session.triage_answers.append((given.question, given.answer))
        return self._end(session, walk)

    def exits(self) -> Sequence[Exit]:
        by_answers = [
            Exit(self.solved, by_caller=True),
            Exit(self.ticket, by_caller=True, gives_up=self.ticket is None),
            Exit(self.visit, by_caller=True, gives_up=self.visit is None),
        ]
        return [*by_answers, Exit(self.agent, gives_up=self.agent is None)]

    def keeps(self, block: BlockName, names: Names) -> Iterator[Kept]:
        yield Kept(block, Solution)

    def utterances(self, session: Session) -> Sequence[Utterance]:
        question = self._walk(session).question
        return [session.utterance(_prompt(question))] if question else []

    def _walk(self, session: Session) -> Walk:
        found = session.flows.triages.get(self.name)
        if found is None:
            raise StepFailed(f"there is no triage '{self.name}'")
        return Walk(found)

    async def _ask(self, session: Session, walk: Walk, question: Ask) -> None:
        key = await self._key(session, [session.utterance(question.ask)], "".join(question.choices), self.tries)
        if key:
            walk.choose(key)
        else:
            walk.give_up()

    async def _try(self, session: Session, walk: Walk, question: triage.Try) -> None:
        """Let them try; who says nothing is still busy, until their time is over."""
        await session.say(session.utterance(question.prompt))
        asked = [session.utterance(DID_IT_HELP)]
        times = ceil(question.time / ASKED_EVERY)
        key = await self._key(session, asked, HELPED + DID_NOT_HELP, times, seconds=ASKED_EVERY)
        if key:
            walk.tried(helped=key == HELPED)
        else:
            walk.give_up()

    async def _key(
        self, session: Session, asked: Sequence[Utterance], wanted: str, times: int, *, seconds: float | None = None
    ) -> str:
        """One of the wanted keys, or '' when none came in so many times."""
        first: list[Utterance] = []
        for _ in range(times):
            key = await session.key([*first, *asked], wanted=wanted, seconds=seconds or self.timeout)
            if key and key in wanted:
                session.log.note(EventKind.DIGITS, session.step, keys=key)
                return key
            session.log.note(
                EventKind.WRONG_INPUT if key else EventKind.NO_INPUT, session.step, **({"keys": key} if key else {})
            )
            first = [session.utterance(WRONG_KEY)] if key else []
        return ""

    def _end(self, session: Session, walk: Walk) -> Result:
        result = walk.result
        if result is None:
            raise StepFailed(f"triage '{self.name}' has no '{walk.at}'")
        parts: list[Json] = [*result.parts]
        detail: dict[str, Json] = {"triage": self.name, "result": result.result.value}
        session.log.note(EventKind.TRIAGE_RESULT, session.step, **detail, **({"parts": parts} if parts else {}))
        session.answers[session.block] = result.result
        if result.result is Solution.SOLVED:
            session.served = Outcome.SELF_SERVED
        block = {
            Solution.SOLVED: self.solved,
            Solution.TICKET: self.ticket,
            Solution.VISIT: self.visit,
            Solution.AGENT: self.agent,
        }[result.result]
        return GoTo(block) if block is not None else GiveUp()


def _prompt(question: Ask | triage.Try) -> str:
    return question.ask if isinstance(question, Ask) else question.prompt
