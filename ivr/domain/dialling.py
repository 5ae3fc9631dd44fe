"""Dialling: a call to make, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ivr.domain.line import PhoneNumber


class DialOutcome(StrEnum):
    """How dialling somebody ended."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CONGESTION = "congestion"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DialRequest:
    """A call to make. `channel_id` becomes the new channel's Uniqueid; an answered call runs `context`,`exten`.

    `variables` are set on the channel. `timeout` is how many seconds it may ring.
    """

    channel_id: str
    number: PhoneNumber
    context: str
    exten: str
    timeout: float
    caller_id: str
    variables: Mapping[str, str]
