"""message: sends a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import model_validator

from ivr.domain import errand
from ivr.domain.contact import EventKind
from ivr.domain.errand import MessageKind
from ivr.domain.line import LineState, mask, read_line
from ivr.errors import ExpressionFailed, StepFailed
from ivr.flow.expressions import Text, Values
from ivr.flow.names import BlockName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GoTo, Loc, Next, Result, Step

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
WEB = re.compile(r"https?://[^\s]+")
CUSTOMERS_OWN = {"caller", "caller.email"}
"""What is read to write to the address that is known of a customer."""
ADDRESSES = {
    MessageKind.SMS: ("telephone number", re.compile(r"\+?[\d ()/-]{3,}"), "+31612345678"),
    MessageKind.EMAIL: ("e-mail address", EMAIL, "planning@example.nl"),
    MessageKind.WEBHOOK: ("web address", WEB, "https://example.nl/hook"),
}
"""What each kind is sent to, roughly how that looks, and an example."""


class Message(Step):
    """Sends a message by `sms`, `email` or `webhook`.

    The connector for each is named under `errands.messages` in `config.yaml`. `text`,
    `subject` and `to` are written as texts are; what is not known is left out. Without `to`
    an SMS goes to the number that calls, and an e-mail, which alone has a `subject`, to the
    address of the customer; a webhook needs it, a web address. When there is nobody to send
    it to (a withheld number, no address) the flow goes on at `otherwise`; without it, with
    the next step. It is sent soon after, and never waited for.

    ```yaml
    - message: { by: sms, text: "Uw melding is {{ answers.fault }}. Lijnnet" }
    - message: { by: email, to: planning@example.nl, subject: Visit, text: "{{ caller.name }}" }
    ```
    """

    kind: ClassVar[str] = "message"
    needs_caller: ClassVar[bool] = False

    by: MessageKind
    text: Text
    to: Text | None = None
    subject: Text | None = None
    otherwise: BlockName | None = None

    @model_validator(mode="after")
    def _fits(self) -> Message:
        if self.by is MessageKind.WEBHOOK and self.to is None:
            raise ValueError("a webhook needs an address; write to: https://…")
        if self.by is not MessageKind.EMAIL and self.subject is not None:
            raise ValueError("only an e-mail has a subject; write it in the text")
        what, pattern, example = ADDRESSES[self.by]
        if self.to is not None and self.to.fixed is not None and not pattern.fullmatch(self.to.fixed):
            raise ValueError(f"'{self.to.fixed}' is no {what}; write such as {example}")
        return self

    async def run(self, session: Session) -> Result:
        desk = session.services.errands
        if desk is None:
            raise StepFailed("there is nobody to send messages")
        values = session.values()
        to = self._address(session, self._written_to(values) if self.to else self._callers(session))
        if to:
            session.messages += 1
            key = f"{session.contact_id}-message-{session.messages}"
            subject = " ".join(self.subject.written(values).splitlines()) if self.subject else ""
            desk.send(errand.Message(key, self.by, to, self.text.written(values), subject), session.contact_id)
        session.log.note(EventKind.MESSAGE, session.step, by=self.by.value, to=_shown(to) or None)
        return GoTo(self.otherwise) if self.otherwise and not to else Next()

    def exits(self) -> Sequence[Exit]:
        return [Exit(self.otherwise)] if self.otherwise else []

    def errands(self) -> frozenset[str]:
        return frozenset({f"messages.{self.by.value}"})

    def fields(self) -> frozenset[str]:
        return frozenset({"email"}) if self.by is MessageKind.EMAIL and self.to is None else frozenset()

    def tells_who_calls(self) -> Iterator[tuple[Loc, Text]]:
        """Its texts, when they go to whoever calls: to their number, or to an address that they may have keyed.

        What an admin wrote is an address of the organisation's own people, and one in the record is the customer's.
        """
        if self.to is None:
            is_theirs = self.by is MessageKind.SMS
        else:
            is_known = self.to.fixed is not None or self.to.reads <= CUSTOMERS_OWN
            is_theirs = self.by is not MessageKind.WEBHOOK and not is_known
        if is_theirs:
            yield ("text",), self.text
            if self.subject is not None:
                yield ("subject",), self.subject

    def _written_to(self, values: Values) -> str:
        """What `to` comes to; empty when it is not known."""
        try:
            return self.to.written(values) if self.to else ""
        except ExpressionFailed:
            return ""

    def _callers(self, session: Session) -> str:
        """The caller's own number or address; empty when it is not known."""
        if self.by is MessageKind.SMS:
            return session.caller().line.number or ""
        customer = session.customer
        return (customer.email or "") if customer else ""

    def _address(self, session: Session, to: str) -> str:
        """An address as it is sent to; empty when it is none."""
        if self.by is MessageKind.SMS:
            line = read_line(to, country=session.services.country)
            return line.number or "" if line.state is LineState.KNOWN else ""
        pattern = EMAIL if self.by is MessageKind.EMAIL else WEB
        return to if pattern.fullmatch(to) else ""


def _shown(to: str) -> str:
    """An address as the journal has it: enough to know it by, too little to use it."""
    name, at, domain = to.partition("@")
    if at and not WEB.fullmatch(to):
        return f"{name[:1]}…@{domain}"
    return to if WEB.fullmatch(to) else mask(to)
