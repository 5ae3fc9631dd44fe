"""Sites: contact centres that take calls, and the split of calls between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """A contact centre, own or partner. `queues` maps a queue's name to the Asterisk queue that serves it there."""

    name: str
    queues: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Split:
    """How a queue's calls are divided: whole percents per site name, together 100."""

    queue: str
    percent: Mapping[str, int]
