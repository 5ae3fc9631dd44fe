"""An enquiry of a recorded call: of what connected systems said then, as much as the journal holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ivr.domain.caller import Caller
from ivr.domain.capability import Capability
from ivr.domain.contact import ContactEvent, EventKind
from ivr.domain.identity import Identity
from ivr.errors import CallerHungUp, ConnectorUnavailable


@dataclass
class RecordedEnquiry:
    """An `ivr.ports.Enquiry` that finds nothing, or no system, where that was so then.

    Where the journal does not hold what was found the call cannot go on: it ends there, and `unknown` says what.
    """

    caller: Caller
    events: Iterable[ContactEvent]
    unknown: str = ""

    def __post_init__(self) -> None:
        self._found = [event.detail for event in self.events if event.kind is EventKind.LOOKED_UP]

    def current(self) -> Caller:
        """The caller."""
        return self.caller

    async def ready(self, fields: frozenset[str]) -> None:
        """Everything is known at once."""

    async def look_up(self, part: Capability) -> Sequence[Any]:
        """Nothing. Raises ConnectorUnavailable, and CallerHungUp where it is not known what was found."""
        then = next((found for found in self._found if found.get("part") == part.value), None)
        if then is None or then.get("found"):
            self.unknown = f"what was found of {part.value}"
            raise CallerHungUp
        self._found.remove(then)
        if "error" in then:
            raise ConnectorUnavailable("the journal says so")
        return ()

    async def recognise(self, identity: Identity, postcode: str) -> bool:
        """Whom they said to be is not in the journal. Raises CallerHungUp."""
        self.unknown = "who they said to be"
        raise CallerHungUp
