"""return: goes back to the flow that called this one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ivr.flow.session import Session
from ivr.flow.step import Exit, Leave, Result, Step


class Return(Step):
    """Goes back to the flow that called this one, with what this flow `gives`.

    Where no flow called, the caller goes where callers go who need a person.

    ```yaml
    - return:
    ```
    """

    kind: ClassVar[str] = "return"
    goes_on: ClassVar[bool] = False

    async def run(self, session: Session) -> Result:
        return Leave(session.gives())

    def exits(self) -> Sequence[Exit]:
        return [Exit()]
