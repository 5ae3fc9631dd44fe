"""Keys: those of a telephone, as they are written in flows."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

DIGIT_KEYS = "0123456789*"
ALL_KEYS = DIGIT_KEYS + "#"


def _key(text: str) -> str:
    if len(text) != 1 or text not in ALL_KEYS:
        raise ValueError(f'\'{text}\' is not a key; the keys are 0 to 9, "*" and "#"')
    return text


Key = Annotated[str, AfterValidator(_key)]
"""One key."""
