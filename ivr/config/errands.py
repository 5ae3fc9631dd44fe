"""Errands: which connectors do what connected systems are asked to do, and for how long it is tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ivr.config.units import Seconds
from ivr.config.words import Name
from ivr.domain.capability import Capability


class Messages(BaseModel):
    """The connector that sends each kind of message."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sms: Name | None = None
    email: Name | None = None
    webhook: Name | None = None

    def of(self, kind: str) -> str | None:
        """The connector for a kind of message, if one is named."""
        found: str | None = getattr(self, kind)
        return found


class Errands(BaseModel):
    """What connected systems are asked to do: open `tickets`, write `contacts` in customers' records, send `messages`.

    What does not succeed is tried again after `retry_after`, then after pauses twice as long each time up to
    `retry_max`, until `give_up_after`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tickets: Name | None = None
    contacts: list[Name] = []
    messages: Messages = Messages()
    retry_after: Annotated[Seconds, Field(gt=0)] = 5.0
    retry_max: Annotated[Seconds, Field(gt=0)] = 900.0
    give_up_after: Annotated[Seconds, Field(gt=0)] = 86400.0
    poll_interval: Annotated[Seconds, Field(gt=0)] = 1.0

    def named(self) -> Iterator[tuple[tuple[str | int, ...], str, Capability]]:
        """Every connector it names: where, its name, and what it must be able to do."""
        if self.tickets is not None:
            yield ("tickets",), self.tickets, Capability.CREATE_TICKET
        for position, name in enumerate(self.contacts):
            yield ("contacts", position), name, Capability.LOG_CONTACT
        for kind in Messages.model_fields:
            sender = self.messages.of(kind)
            if sender is not None:
                yield ("messages", kind), sender, Capability.SEND_MESSAGE
