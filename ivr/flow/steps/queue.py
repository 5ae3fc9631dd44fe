"""queue: hands the caller over to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from ivr.domain.contact import Outcome
from ivr.flow.names import BlockName, QueueName
from ivr.flow.session import Session
from ivr.flow.step import Ended, Exit, GoTo, Result, Step


class Queue(Step):
    """Hands the caller over to a queue of `config.yaml`, at the site whose turn it is by the split. The flow ends.

    Callers with a higher `priority` are answered first. When nobody answers in that queue at
    this hour, the flow goes on at `closed` instead, if it is given. `promised: true`, in the flow of
    our own calls, goes to the queue that the callback was promised in, where that is still one.

    ```yaml
    - queue: support
    - queue: { queue: support, priority: 10 }
    - queue: { queue: support, closed: night }
    - queue: { queue: support, promised: true }
    ```
    """

    kind: ClassVar[str] = "queue"
    shorthand: ClassVar[str] = "queue"
    goes_on: ClassVar[bool] = False

    queue: QueueName
    priority: Annotated[int, Field(ge=0, le=100)] = 0
    closed: BlockName | None = None
    promised: bool = False

    async def run(self, session: Session) -> Result:
        queue = session.promised_queue if self.promised and session.promised_queue else self.queue
        if self.closed is not None and not session.is_open(queue):
            return GoTo(self.closed)
        await session.hand_over(queue, priority=self.priority)
        return Ended(Outcome.HANDED_OVER)

    def exits(self) -> Sequence[Exit]:
        return [Exit(), Exit(self.closed)] if self.closed else [Exit()]

    def leads_to(self, session: Session) -> Sequence[BlockName]:
        return [self.closed] if self.closed and not session.is_open(self.queue) else []
