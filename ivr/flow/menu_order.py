"""The order of a menu: which option comes first, and which key each one gets."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TypeVar

T = TypeVar("T")

ASSIGNED = "123456789"
"""The keys a menu gives out, in the order they are announced; "0" is for a person, and always written."""


def likeliest_first(options: Sequence[T], weights: Sequence[float]) -> list[T]:
    """The options, the heaviest first; equal ones stay in their order. A weight that is no number counts as 0.

    Weights are all that is known here of what a caller most likely wants, wherever they come from.
    """
    known = [weight if isfinite(weight) else 0.0 for weight in weights]
    order = sorted(range(len(options)), key=lambda position: -known[position])
    return [options[position] for position in order]


def with_keys(written: Sequence[str | None]) -> list[str]:
    """A key for each option, in the order they are announced: its own, else the next digit that nobody wrote.

    Raises:
        ValueError: there are more options than keys.
    """
    free = [key for key in ASSIGNED if key not in written]
    wanting = sum(key is None for key in written)
    if wanting > len(free):
        raise ValueError(f"{wanting} options are to get a key, and {len(free)} are left; make it two menus")
    left = iter(free)
    return [next(left) if key is None else key for key in written]
