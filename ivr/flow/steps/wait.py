"""wait: says nothing for a while."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ivr.config.units import Seconds
from ivr.flow.session import Session
from ivr.flow.step import Next, Result, Step


class Wait(Step):
    """Is silent for some `seconds`, at most ten: a caller who hears nothing for longer takes the line for dead.

    When a menu may follow, a key that is pressed meanwhile ends the step and answers that menu.

    ```yaml
    - wait: 2s
    ```
    """

    kind: ClassVar[str] = "wait"
    shorthand: ClassVar[str] = "seconds"

    seconds: Annotated[Seconds, Field(gt=0, le=10)]

    async def run(self, session: Session) -> Result:
        await session.pause(self.seconds)
        return Next()
