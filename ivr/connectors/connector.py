"""What an integration implements to connect a system, capability by capability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from ivr.domain.caller import Customer
from ivr.domain.line import PhoneNumber


class Capability(StrEnum):
    """What a connected system can do for a call; the words of a manifest's `capabilities`."""

    FIND_CALLER = "find_caller"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an integration may know of where it runs.

    `country` is the organisation's (ISO 3166), for numbers in national form. Relative
    paths in settings start at `folder`. `timeout` (seconds) and `concurrency` (requests at
    once) are the guard's: after the first nobody waits for an answer any more, so drivers
    may give up too; the second is how many connections are of use.
    """

    country: str = "NL"
    folder: Path = Path()
    timeout: float = 2.0
    concurrency: int = 20


@runtime_checkable
class Connector(Protocol):
    """A link to one system, built as `Connector(settings, surroundings)` without touching the network.

    Every method raises ConnectorError and nothing else, and may be cancelled at any moment.
    """

    async def open(self) -> None:
        """Get ready; may be called again after it failed.

        Raises:
            ConnectorRefused: the settings do not fit the system; the message says what to change.
            ConnectorUnavailable: the system cannot be reached now.
        """

    async def close(self) -> None:
        """Give back everything that is held."""

    async def check(self) -> None:
        """Ask the system for a sign of life, as `ivr doctor` does. Raises ConnectorError."""


@runtime_checkable
class FindsCallers(Connector, Protocol):
    """The capability `find_caller`."""

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every customer with this number; empty when there is none.

        Each customer's `numbers` are those the system holds, in E.164: the guard drops
        a customer who does not have the number that was asked for.
        """


CAPABILITIES: Mapping[Capability, type] = {Capability.FIND_CALLER: FindsCallers}
"""What a connector must implement for each capability that its manifest declares."""
