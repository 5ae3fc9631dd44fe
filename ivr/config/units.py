"""Durations as people write them: a number and its unit."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(value: object) -> float:
    """Seconds in `300ms`, `5s`, `10min`, `2h` or `3d`.

    Raises:
        ValueError: there is no number, or no known unit.
    """
    if isinstance(value, float):
        return value
    text = "" if value is None else str(value).strip()
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text)
    if not parts or parts[2] not in UNITS:
        hint = f"did you mean '{text}s'?" if parts and not parts[2] else "write such as 300ms, 5s, 10min, 2h or 3d"
        shown = f"'{text}'" if text else "an empty value"
        raise ValueError(f"{shown} is not a duration; {hint}")
    return float(parts[1]) * UNITS[parts[2]]


Seconds = Annotated[
    float,
    BeforeValidator(seconds),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|min|h|d)\s*$", "description": "Such as 5s."}
    ),
]
"""A duration in seconds, written with its unit."""
