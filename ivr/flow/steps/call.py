"""call: goes through another flow, and comes back with what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from ivr.flow.expressions import Expression
from ivr.flow.names import AnswerName, BlockName, FlowName
from ivr.flow.session import Session
from ivr.flow.step import Enter, Exit, FlowCall, Result, Step


class Call(Step):
    """Goes through another flow, and then on to the next step.

    `with` gives the flow what it [takes](#flows-that-are-called); what it gives is kept as
    `answers.<into>.<name>`. Who cannot be served there, and for whom that flow has no
    `otherwise`, goes to `otherwise` here; without it, to this flow's. A step that fails there
    and has no `on_error` goes on at the one here.

    ```yaml
    - call: opening_hours
    - call: { flow: ask_address, with: { ask_twice: caller.known }, into: address, otherwise: person }
    - branch: [{ when: answers.address.confirmed, goto: order }]
    ```
    """

    kind: ClassVar[str] = "call"
    shorthand: ClassVar[str] = "flow"

    flow: FlowName
    own: dict[AnswerName, Expression] = Field(default={}, alias="with")
    into: AnswerName | None = None
    otherwise: BlockName | None = None

    def calls(self) -> FlowCall:
        return FlowCall(self.flow, self.own, self.into)

    def exits(self) -> Sequence[Exit]:
        return [Exit(self.otherwise, gives_up=self.otherwise is None)]

    async def run(self, session: Session) -> Result:
        values = session.values() if self.own else {}
        given = {str(name): expression.value(values) for name, expression in self.own.items()}
        return Enter(self.flow, given, self.into, self.otherwise)
