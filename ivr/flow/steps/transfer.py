"""transfer: takes the caller to a telephone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from ivr.config.units import Seconds
from ivr.domain.contact import Outcome
from ivr.domain.hand_over import Destination
from ivr.errors import StepFailed
from ivr.flow.expression_types import Complaint, Names
from ivr.flow.expressions import Expression
from ivr.flow.kinds import bare, called, fits
from ivr.flow.names import QueueName, TelephoneName
from ivr.flow.session import Session
from ivr.flow.step import Ended, Exit, Loc, Result, Step


class Transfer(Step):
    """Takes the caller to a telephone. The flow ends.

    `to` is a name under `transfers.telephones` in `config.yaml`, a telephone number, or an
    extension of the own exchange (two to six digits); `number` an expression that comes to a
    number or an extension. Numbers and extensions must begin as one of `transfers.prefixes`
    does: any other literal is refused by `ivr check`, and a step whose expression comes to any
    other number fails (`on_error`). The telephone rings for `ring_for`, while the caller hears
    music; it is shown the caller's own number, or that it is withheld. When it is
    busy, does not answer or cannot be reached, the caller goes on to `queue`; without it, to
    the fallback queue.

    ```yaml
    - transfer: reception
    - transfer: { to: "+31208001234", ring_for: 20s, queue: support }
    - transfer: { number: answers.colleague }
    ```
    """

    kind: ClassVar[str] = "transfer"
    shorthand: ClassVar[str] = "to"
    goes_on: ClassVar[bool] = False

    to: TelephoneName | None = None
    number: Expression | None = None
    ring_for: Annotated[Seconds, Field(ge=5, le=120)] = 25.0
    queue: QueueName | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Transfer:
        if (self.to is None) == (self.number is None):
            raise ValueError(
                "transfer needs one telephone; write to: and a name or number, or number: and an expression"
            )
        return self

    async def run(self, session: Session) -> Result:
        queue = self.queue or session.services.fallback_queue
        await session.transfer(self._destination(session), ring_for=self.ring_for, queue=queue)
        return Ended(Outcome.HANDED_OVER)

    def exits(self) -> Sequence[Exit]:
        return [Exit()]

    def complaints(self, names: Names) -> Iterator[tuple[Loc, Complaint]]:
        yield from super().complaints(names)
        if self.number is not None:
            kind = bare(self.number.examine(names).kind)
            if not fits(kind, (str,)):
                yield ("number",), Complaint("", f"{called(kind)} is not a telephone number", "a text is")

    def _destination(self, session: Session) -> Destination:
        destinations = session.services.destinations
        if self.to is not None:
            found = destinations.find(self.to)
        else:
            assert self.number is not None
            found = destinations.allowed(str(self.number.value(session.values())))
        if found is None:
            # Without the number: it may be a customer's.
            raise StepFailed("callers may not be taken to this number")
        return found
