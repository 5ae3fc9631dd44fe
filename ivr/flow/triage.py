"""Triage: questions whose answers lead to what can be done about a fault; and one caller's way through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from ivr.config.units import Seconds
from ivr.flow.keys import Key
from ivr.flow.names import Name, PromptName, TriageName
from ivr.flow.step import Settings

SOLVED = "solved"


class Solution(StrEnum):
    """What a triage comes to."""

    SOLVED = "solved"
    TICKET = "ticket"
    VISIT = "visit"
    AGENT = "agent"


class QuestionName(Name):
    """A question of the same triage, or one of its results."""

    __slots__ = ()
    what = "question"


class Choice(Settings):
    """Where a key leads. `answer` is what is written down; without it the name of what it leads to."""

    shorthand = "then"

    then: QuestionName
    answer: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class Ask(Settings):
    """A question, and what each key leads to."""

    ask: PromptName
    choices: Annotated[dict[Key, Choice], Field(min_length=1)]

    def targets(self) -> Iterator[tuple[tuple[str, ...], QuestionName]]:
        """What it leads to, and where that is written."""
        for key, choice in self.choices.items():
            yield ("choices", key, "then"), choice.then


class Try(Settings):
    """Something for the caller to try; when it helped the triage is over. `time` is how long they get for it."""

    prompt: Annotated[PromptName, Field(alias="try")]
    otherwise: QuestionName
    time: Annotated[Seconds, Field(gt=0, le=900)] = 120.0

    def targets(self) -> Iterator[tuple[tuple[str, ...], QuestionName]]:
        """What it leads to, and where that is written."""
        yield ("otherwise",), self.otherwise


class Result(Settings):
    """An end of the triage. `parts` are what an engineer has to bring."""

    result: Solution
    parts: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default=[])


def _form(written: Any) -> str:
    """Which kind of question is written; in brackets, so that it is no key of the file."""
    return "(try)" if isinstance(written, Try) or (isinstance(written, Mapping) and "try" in written) else "(ask)"


Question = Annotated[Annotated[Ask, Tag("(ask)")] | Annotated[Try, Tag("(try)")], Discriminator(_form)]


class Triage(Settings):
    """A triage as it is written. The four solutions are results that need not be written."""

    triage: TriageName
    start: QuestionName
    questions: Annotated[dict[QuestionName, Question], Field(min_length=1)]
    results: dict[QuestionName, Result] = Field(default={})

    def end(self, name: str) -> Result | None:
        """The result of that name, if it is one."""
        if name in self.results:
            return self.results[QuestionName(name)]
        return Result(result=Solution(name)) if name in list(Solution) else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller said to one question."""

    question: str
    answer: str


@dataclass
class Walk:
    """One caller's way through a triage that has been checked: each answer leads on, and every way ends."""

    triage: Triage
    at: str = ""
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.at = self.at or self.triage.start

    @property
    def question(self) -> Ask | Try | None:
        """What is asked now; None at the end."""
        return self.triage.questions.get(QuestionName(self.at))

    @property
    def result(self) -> Result | None:
        """What it came to; None before the end."""
        return None if self.question else self.triage.end(self.at)

    def choose(self, key: str) -> Answer:
        """The caller answers a question. Raises KeyError: it has no such key."""
        question = self.question
        assert isinstance(question, Ask)
        choice = question.choices[key]
        return self._go(choice.then, choice.answer or choice.then)

    def tried(self, *, helped: bool) -> Answer:
        """The caller tried what they were told to."""
        question = self.question
        assert isinstance(question, Try)
        return self._go(SOLVED if helped else question.otherwise, "helped" if helped else "did_not_help")

    def give_up(self) -> None:
        """The caller does not answer: somebody has to talk to them."""
        self.at = Solution.AGENT

    def _go(self, target: str, answer: str) -> Answer:
        given = Answer(self.at, answer)
        self.answers.append(given)
        self.at = target
        return given
