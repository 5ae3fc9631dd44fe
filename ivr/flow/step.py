"""A step: what every kind of step is made of. One file a kind, in `ivr/flow/steps`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from ivr.domain.capability import Capability
from ivr.domain.contact import Outcome
from ivr.domain.speech import Utterance
from ivr.flow.expression_types import Complaint, Names
from ivr.flow.expressions import Expression, Text
from ivr.flow.kinds import Kind
from ivr.flow.names import AnswerName, BlockName, FlowName, Name, PromptName

if TYPE_CHECKING:
    from ivr.flow.session import Session

Loc = tuple[str | int, ...]

Taken = Literal["text", "number", "amount", "yes_no", "date", "address", "order"]
"""The types of what a flow can be given."""


@dataclass(frozen=True, slots=True)
class Next:
    """The flow goes on with the next step."""


@dataclass(frozen=True, slots=True)
class GoTo:
    """The flow goes on in another block, or at the start of another flow."""

    block: BlockName | None = None
    flow: FlowName | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The caller could not be served here: the flow goes on where callers go who need a person."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The flow is over."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Enter:
    """Another flow is gone through, with what it is given; what it gives is kept as `into`."""

    flow: FlowName
    given: Mapping[str, Any]
    into: AnswerName | None = None
    otherwise: BlockName | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """The flow that called this one goes on, and is given something."""

    given: Mapping[str, Any]


Result = Next | GoTo | GiveUp | Ended | Enter | Leave
"""What a step comes to. Steps never call each other: the engine goes where the result says."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a step: to a block; without one to where the step gives up, or out of the flow.

    `by_caller` when only a key of the caller opens it.
    """

    block: BlockName | None = None
    by_caller: bool = False
    gives_up: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A prompt that a step may say, where it is named, and the names of its own that its text may use.

    `must_say` is the one of them that its text has to use, if there is one; `own` are the expressions that some of them
    come from. It is only said when `when` is true.
    """

    prompt: str
    loc: Loc
    names: Names
    must_say: str = ""
    own: Mapping[str, Expression] = field(default_factory=dict)
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that a step keeps as `answers.<name>`, its type, and where it is named."""

    name: str
    kind: Kind
    loc: Loc = ()


@dataclass(frozen=True, slots=True)
class FlowCall:
    """A flow that a step calls, what it gives it, and as which answer it keeps what it gets."""

    flow: FlowName
    given: Mapping[AnswerName, Expression]
    into: AnswerName | None = None


class Settings(BaseModel):
    """What may be written in a step: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    shorthand: ClassVar[str] = ""
    """The field that is meant when no table but a single value or list is written."""

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, written: object) -> object:
        if cls.shorthand and not isinstance(written, Mapping | cls):
            return {cls.shorthand: written}
        return {} if written is None else written


class Step(Settings):
    """A step as it is written in a flow, and what it does."""

    kind: ClassVar[str]
    takes_keys: ClassVar[bool] = False
    """Whether the caller answers it with keys; keys pressed too early wait for it."""
    goes_on: ClassVar[bool] = True
    """Whether the next step may follow."""
    needs_caller: ClassVar[bool] = True
    """Whether somebody has to be on the line; a step that needs nobody may follow when the caller has left."""
    own_texts: ClassVar[Mapping[str, Names]] = {}
    """The prompts this kind says by itself, each with the names its text may use."""

    @abstractmethod
    async def run(self, session: Session) -> Result:
        """Do it. Raises CallerHungUp, or any IvrError when it fails."""

    def exits(self) -> Sequence[Exit]:
        """The ways out of it besides the next step."""
        return tuple(Exit(name) for _, name in mentioned(self) if isinstance(name, BlockName))

    def keeps(self, block: BlockName, names: Names) -> Iterator[Kept]:
        """The answers it keeps; `names` are those an expression may use here, other answers perhaps not typed yet."""
        if self.takes_keys:
            yield Kept(block, str)

    def calls(self) -> FlowCall | None:
        """The flow it goes through, if it does."""
        return None

    def says(self, names: Names) -> Iterator[Said]:
        """The prompts it may say; `names` are those an expression may use here."""
        for loc, name in mentioned(self):
            if isinstance(name, PromptName):
                yield Said(name, loc, {})
        for prompt, own in self.own_texts.items():
            yield Said(prompt, (), own)

    def complaints(self, names: Names) -> Iterator[tuple[Loc, Complaint]]:
        """What is wrong with it that its fields cannot say by themselves."""
        for loc, value in mentioned(self):
            if isinstance(value, Expression | Text):
                for complaint in value.examine(names).complaints:
                    yield loc, complaint

    def asks(self) -> frozenset[Capability]:
        """What connected systems must be able to do for it."""
        return frozenset()

    def errands(self) -> frozenset[str]:
        """The keys under `errands` in config.yaml that must name a connector for it."""
        return frozenset()

    def fields(self) -> frozenset[str]:
        """The fields of the customer that it uses besides those in its conditions and texts."""
        return frozenset()

    def utterances(self, session: Session) -> Sequence[Utterance]:
        """What it would say if it came now, to be prepared. May raise what `run` raises."""
        return ()

    def leads_to(self, session: Session) -> Sequence[BlockName]:
        """The blocks it may go to if it came now; empty for the next step. May raise what `run` raises."""
        return ()


def mentioned(value: object) -> Iterator[tuple[Loc, Name | Expression | Text]]:
    """Every name, expression and text in a step's settings, and the way to it."""
    waiting: list[tuple[Loc, Any]] = [((), value)]
    while waiting:
        loc, found = waiting.pop()
        if isinstance(found, Name | Expression | Text):
            yield loc, found
        elif isinstance(found, BaseModel):
            fields = type(found).model_fields
            waiting += [((*loc, field.alias or name), getattr(found, name)) for name, field in reversed(fields.items())]
        elif isinstance(found, Mapping):
            waiting += [((*loc, key), inner) for key, inner in reversed(list(found.items()))]
        elif isinstance(found, list | tuple):
            waiting += [((*loc, at), inner) for at, inner in reversed(list(enumerate(found)))]
