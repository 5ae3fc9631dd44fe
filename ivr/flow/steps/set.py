"""set: sets what the rest of the call goes by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, model_validator

from ivr.domain.contact import Outcome
from ivr.domain.language import Language
from ivr.flow.expression_types import Names
from ivr.flow.expressions import Expression
from ivr.flow.names import AnswerName, BlockName
from ivr.flow.session import Session
from ivr.flow.step import Kept, Next, Result, Step


class Set(Step):
    """Sets the language to speak from here on, the outcome if the caller leaves from here on, or answers.

    Without it a customer is spoken to in their own language, anybody else in the
    organisation's; and a caller who leaves has abandoned the call. `answers` gives names
    the values of expressions, all of them worked out before any is set.

    ```yaml
    - set: { language: en }
    - set: { outcome: told }
    - set: { answers: { order: caller.open_orders | first, tries: (answers.tries or 0) + 1 } }
    ```
    """

    kind: ClassVar[str] = "set"
    needs_caller: ClassVar[bool] = False

    language: Language | None = None
    outcome: Outcome | None = None
    answers: dict[AnswerName, Expression] = Field(default={})

    @model_validator(mode="after")
    def _something(self) -> Set:
        if self.language is None and self.outcome is None and not self.answers:
            raise ValueError("set sets nothing; write language:, outcome: or answers:")
        return self

    def keeps(self, block: BlockName, names: Names) -> Iterator[Kept]:
        for name, expression in self.answers.items():
            yield Kept(name, expression.examine(names).kind, ("answers", name))

    async def run(self, session: Session) -> Result:
        if self.answers:
            values = session.values()
            session.answers.update({name: expression.value(values) for name, expression in self.answers.items()})
        if self.language:
            session.chosen_language = self.language
        if self.outcome:
            session.served = self.outcome
        return Next()
