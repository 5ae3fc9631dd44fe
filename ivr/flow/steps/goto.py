"""goto: goes on in another block or another flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import model_validator

from ivr.flow.names import BlockName, FlowName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GoTo, Result, Step


class Goto(Step):
    """Goes on at the start of a block of this flow, or at the start of another flow.

    ```yaml
    - goto: main
    - goto: { flow: after_hours }
    ```
    """

    kind: ClassVar[str] = "goto"
    needs_caller: ClassVar[bool] = False
    shorthand: ClassVar[str] = "block"
    goes_on: ClassVar[bool] = False

    block: BlockName | None = None
    flow: FlowName | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Goto:
        if (self.block is None) == (self.flow is None):
            raise ValueError("goto needs one place to go; write a block, or flow: and a flow")
        return self

    async def run(self, session: Session) -> Result:
        return GoTo(self.block, self.flow)

    def exits(self) -> Sequence[Exit]:
        return [Exit(self.block)]

    def leads_to(self, session: Session) -> Sequence[BlockName]:
        return [self.block] if self.block else []
