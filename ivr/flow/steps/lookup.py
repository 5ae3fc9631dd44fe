"""lookup: asks the connected systems again for what the caller calls about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from ivr.domain.capability import Capability
from ivr.domain.contact import EventKind
from ivr.domain.dossier import Appointment, Case, Fault, Invoice, Order
from ivr.errors import ConnectorError
from ivr.flow.expression_types import Names
from ivr.flow.expressions import Expression
from ivr.flow.kinds import Kind
from ivr.flow.meanwhile import meanwhile
from ivr.flow.names import AnswerName, BlockName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GiveUp, GoTo, Kept, Next, Result, Step

MOMENT = "lookup_moment"

Part = Literal["orders", "invoices", "cases", "faults", "appointments"]

KINDS_OF: dict[Part, Kind] = {
    "orders": tuple[Order, ...],
    "invoices": tuple[Invoice, ...],
    "cases": tuple[Case, ...],
    "faults": tuple[Fault, ...],
    "appointments": tuple[Appointment, ...],
}


class Lookup(Step):
    """Asks the connected systems for the caller's orders, invoices, cases, faults or appointments as they are now.

    They are kept as the list `answers.<into>`, or `answers.<block>`; with `number` those alone
    whose number has the same letters and digits. When there are none the flow goes on at
    `none`, if that is given. When nobody is known, or no system can tell, it goes on at
    `otherwise`; without it, to the flow's `otherwise`. So what is said after this step is true,
    where `caller.invoices` may be empty because a system did not answer in time. While a
    system takes its time the caller hears `lookup_moment`.

    ```yaml
    - lookup: invoices
    - lookup: { part: orders, number: answers.order_number, into: order, none: no_such_order }
    ```
    """

    kind: ClassVar[str] = "lookup"
    shorthand: ClassVar[str] = "part"
    own_texts: ClassVar[Mapping[str, Names]] = {MOMENT: {}}

    part: Part
    number: Expression | None = None
    into: AnswerName | None = None
    none: BlockName | None = None
    otherwise: BlockName | None = None

    async def run(self, session: Session) -> Result:
        number = self.number.value(session.values()) if self.number else None
        if session.customer is None:
            return self._unknown()
        try:
            found = await meanwhile(session, session.enquiry.look_up(Capability(self.part)), MOMENT)
        except ConnectorError as error:
            session.log.note(EventKind.LOOKED_UP, session.step, part=self.part, error=type(error).__name__)
            return self._unknown()
        if self.number is not None:
            found = [each for each in found if _bare(each.number) == _bare(str(number))]
        session.log.note(EventKind.LOOKED_UP, session.step, part=self.part, found=len(found))
        session.answers[self.into or session.block] = tuple(found)
        return GoTo(self.none) if self.none and not found else Next()

    def exits(self) -> Sequence[Exit]:
        nothing = [Exit(self.none)] if self.none else []
        return [*nothing, Exit(self.otherwise, gives_up=self.otherwise is None)]

    def keeps(self, block: BlockName, names: Names) -> Iterator[Kept]:
        yield Kept(self.into or block, KINDS_OF[self.part], ("into",) if self.into else ())

    def asks(self) -> frozenset[Capability]:
        return frozenset({Capability(self.part)})

    def fields(self) -> frozenset[str]:
        return frozenset({self.part})

    def _unknown(self) -> Result:
        return GoTo(self.otherwise) if self.otherwise else GiveUp()


def _bare(number: Any) -> str:
    return "".join(each for each in str(number).casefold() if each.isalnum()).lstrip("0")
