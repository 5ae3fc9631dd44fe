"""hang_up: ends the call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ivr.domain.contact import Outcome
from ivr.flow.session import Session
from ivr.flow.step import Ended, Exit, Result, Step


class HangUp(Step):
    """Ends the call. The contact's outcome is `outcome`, else what was set or told before, else `self_served`.

    ```yaml
    - hang_up:
    - hang_up: { outcome: refused }
    ```
    """

    kind: ClassVar[str] = "hang_up"
    shorthand: ClassVar[str] = "outcome"
    goes_on: ClassVar[bool] = False

    outcome: Outcome | None = None

    async def run(self, session: Session) -> Result:
        await session.channel.hang_up()
        return Ended(self.outcome or session.served or Outcome.SELF_SERVED)

    def exits(self) -> Sequence[Exit]:
        return [Exit()]
