"""reason: writes down what the caller calls for."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ivr.flow.session import Session
from ivr.flow.step import Next, Result, Step


class Reason(Step):
    """Records the contact reason; the last one recorded counts.

    ```yaml
    - reason: order_status
    ```
    """

    kind: ClassVar[str] = "reason"
    needs_caller: ClassVar[bool] = False
    shorthand: ClassVar[str] = "reason"

    reason: Annotated[str, Field(min_length=1, max_length=64)]

    async def run(self, session: Session) -> Result:
        session.record_reason(self.reason)
        return Next()
