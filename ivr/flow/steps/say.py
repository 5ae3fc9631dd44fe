"""say: one or more prompts, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from ivr.domain.speech import Utterance
from ivr.flow.expression_types import Names
from ivr.flow.expressions import Expression
from ivr.flow.names import PromptName
from ivr.flow.session import Session
from ivr.flow.step import Next, Result, Said, Step


def one_or_more(written: Any) -> Any:
    """A single name is a list of one."""
    return [written] if isinstance(written, str) else written


PromptNames = Annotated[tuple[PromptName, ...], BeforeValidator(one_or_more), Field(min_length=1)]


class Say(Step):
    """Says prompts. A prompt is its recording `prompts/<language>/<name>.wav`, else its text in `texts.yaml`.

    `with` gives the texts names of their own. When a menu may follow, a key that is
    pressed meanwhile ends the step and answers that menu.

    ```yaml
    - say: welcome
    - say: [welcome, opening_hours]
    - say: { prompt: order_status, with: { order: caller.open_orders | first } }
    ```
    """

    kind: ClassVar[str] = "say"
    shorthand: ClassVar[str] = "prompt"

    prompt: PromptNames
    own: dict[str, Expression] = Field(default={}, alias="with")

    async def run(self, session: Session) -> Result:
        await session.say(*self.utterances(session))
        return Next()

    def says(self, names: Names) -> Iterator[Said]:
        own = {name: expression.examine(names).kind for name, expression in self.own.items()}
        for position, prompt in enumerate(self.prompt):
            yield Said(prompt, ("prompt", position), own, own=self.own)

    def utterances(self, session: Session) -> Sequence[Utterance]:
        values = session.values() if self.own else {}
        own = {name: expression.value(values) for name, expression in self.own.items()}
        return [session.utterance(prompt, **own) for prompt in self.prompt]
