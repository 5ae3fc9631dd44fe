"""branch: goes one way or another, by what is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from ivr.flow.expressions import Expression
from ivr.flow.names import BlockName
from ivr.flow.session import Session
from ivr.flow.step import GoTo, Next, Result, Settings, Step


class Way(Settings):
    """A condition and the block to go to when it is true."""

    when: Expression
    goto: BlockName


class Branch(Step):
    """Goes to the block of the first condition that is true; when none is, on to the next step.

    ```yaml
    - branch:
        - { when: caller.open_orders, goto: order }
        - { when: "now.weekday == 'sun'", goto: sunday }
    ```
    """

    kind: ClassVar[str] = "branch"
    needs_caller: ClassVar[bool] = False
    shorthand: ClassVar[str] = "ways"

    ways: Annotated[tuple[Way, ...], Field(min_length=1)]

    async def run(self, session: Session) -> Result:
        for way in self.ways:
            if session.holds(way.when):
                return GoTo(way.goto)
        return Next()

    def leads_to(self, session: Session) -> Sequence[BlockName]:
        return [way.goto for way in self.ways if session.holds(way.when)][:1]
