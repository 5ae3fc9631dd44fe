"""How far the index of a connected system's customers is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RunPhase(StrEnum):
    """What a full run is at: none is under way, it reads every customer, or it removes those it did not see."""

    NONE = "none"
    READING = "reading"
    SWEEPING = "sweeping"


@dataclass(frozen=True, slots=True)
class IndexState:
    """What is known of a connector's index, as it is stored beside the customers.

    `cursor` is where its changes go on, None until everything was read once. `run` counts
    full runs; `run_cursor` is how far the one under way is. Everything that changed before
    `synced_at` is in the index, and everybody who was gone before `full_at` is out of it;
    both are None until the first run is complete.
    """

    connector: str
    cursor: str | None = None
    run: int = 0
    phase: RunPhase = RunPhase.NONE
    run_cursor: str | None = None
    run_began_at: datetime | None = None
    synced_at: datetime | None = None
    full_at: datetime | None = None
    customers: int = 0
