"""What happens to a SIP call, as told to those who use it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LegState(StrEnum):
    """How far a call is."""

    CALLING = "calling"
    INCOMING = "incoming"
    UP = "up"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Ringing:
    """The other side rings, or promises to (180 to 199); `status` says which."""

    status: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The call is up. `body` is the other side's session description, empty when it had come before."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Offered:
    """The other side wants the sound to go elsewhere (re-INVITE); answer with `Leg.accept` or `Leg.reject`."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over: `by` is `us` or `them`, `status` what a failed INVITE got (0 after a call that was up)."""

    by: str
    status: int
    reason: str


Event = Ringing | Answered | Offered | Ended
"""Anything that can happen."""
