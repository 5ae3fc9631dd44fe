"""ticket: opens a ticket in a connected system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from ivr.config.units import Seconds
from ivr.domain import errand
from ivr.domain.contact import EventKind
from ivr.errors import StepFailed
from ivr.flow.answered import answered
from ivr.flow.expression_types import Names
from ivr.flow.expressions import Text
from ivr.flow.meanwhile import meanwhile
from ivr.flow.names import BlockName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GoTo, Kept, Next, Result, Step

MOMENT = "ticket_moment"


class Ticket(Step):
    """Opens a ticket, with the connector under `errands.tickets` in `config.yaml`.

    `subject` and `text` are written as texts are; what is not known is left out. Without
    `text` it says the contact reason and every answer of the caller, those to a triage
    among them, each on a line. The number is kept as `answers.<block>`. It is waited for
    `within` so long, while the caller hears `ticket_moment`; when it is not known by then the
    flow goes on at `otherwise`, if that is given, and the ticket is opened later. One that is
    refused makes the step fail (`on_error`). A caller who comes here again in the same call
    gets no second ticket.

    ```yaml
    - ticket: "Modem does not work: {{ caller.name or 'unknown caller' }}"
    - ticket: { subject: Fault, text: "{{ answers.fault }}", otherwise: number_follows }
    ```
    """

    kind: ClassVar[str] = "ticket"
    shorthand: ClassVar[str] = "subject"
    needs_caller: ClassVar[bool] = False
    own_texts: ClassVar[Mapping[str, Names]] = {MOMENT: {}}

    subject: Text
    text: Text | None = None
    within: Annotated[Seconds, Field(gt=0, le=15)] = 4.0
    otherwise: BlockName | None = None

    async def run(self, session: Session) -> Result:
        key = f"{session.contact_id}-ticket-{session.flow_name}.{session.step}"
        if key not in session.tickets:
            session.tickets[key] = await self._open(session, key)
        number = session.tickets[key]
        if number is None:
            return GoTo(self.otherwise) if self.otherwise else Next()
        session.answers[session.block] = number
        return Next()

    def exits(self) -> Sequence[Exit]:
        return [Exit(self.otherwise)] if self.otherwise else []

    def keeps(self, block: BlockName, names: Names) -> Iterator[Kept]:
        yield Kept(block, str)

    def errands(self) -> frozenset[str]:
        return frozenset({"tickets"})

    async def _open(self, session: Session, key: str) -> str | None:
        """The number of a ticket, if it is known in time. Raises ConnectorError, StepFailed, ExpressionFailed."""
        desk = session.services.errands
        if desk is None:
            raise StepFailed("there is nobody to open tickets")
        values = session.values()
        subject = " ".join(self.subject.written(values).splitlines())
        text = self.text.written(values) if self.text else answered(session) or subject
        ticket = errand.Ticket(key, subject, text, session.contact_id, session.reason or "")
        opening = desk.open_ticket(ticket, session.customer, within=self.within)
        number = await meanwhile(session, opening, MOMENT)
        session.log.note(EventKind.TICKET, session.step, number=number, subject=subject)
        return number
