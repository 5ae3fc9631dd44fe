"""Kinds: the types that values in expressions have, and what can be asked of a type."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Kind = Any
"""A type as Python writes it: `str`, `tuple[Order, ...]`, `date | None`, a view.

A dict stands for a record with those names; `object` for a type that is not known.
"""

WORDS: dict[Kind, str] = {
    str: "text",
    int: "a number",
    float: "a number",
    Decimal: "an amount",
    bool: "true or false",
    date: "a date",
    datetime: "a moment",
    time: "a time",
}


@cache
def fields_of(kind: Kind) -> dict[str, Kind]:
    """The public fields and properties of a class, with their types."""
    found = {name: hint for name, hint in get_type_hints(kind).items() if not name.startswith("_")}
    for name, value in vars(kind).items():
        if isinstance(value, property) and not name.startswith("_"):
            found[name] = get_type_hints(value.fget).get("return", object)
    return found


def may_be_empty(kind: Kind) -> bool:
    """Whether None is among the values."""
    return not isinstance(kind, dict) and type(None) in _options(kind)


def bare(kind: Kind) -> Kind:
    """A type without its None."""
    if isinstance(kind, dict):
        return kind
    left = [option for option in _options(kind) if option is not type(None)]
    return left[0] if len(left) == 1 else object


def is_list(kind: Kind) -> bool:
    """Whether values are lists."""
    return _origin(kind) is tuple


def element_of(kind: Kind) -> Kind:
    """The type of a list's elements; unknown for anything else."""
    return get_args(kind)[0] if is_list(kind) else object


def choices_of(kind: Kind) -> tuple[str, ...]:
    """The values there are of a type that has only so many."""
    if _origin(kind) is Literal:
        return get_args(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(member.value for member in kind)
    return ()


def fits(kind: Kind, accepted: tuple[Kind, ...]) -> bool:
    """Whether a value of a type can be taken where these are accepted."""
    if kind is object:
        return True
    if is_list(kind):
        return tuple in accepted
    if _origin(kind) is Literal:
        return str in accepted
    return isinstance(kind, type) and kind is not bool and issubclass(kind, accepted)


def called(kind: Kind) -> str:
    """A type in an admin's words."""
    if isinstance(kind, dict):
        return "a record"
    if is_list(kind):
        return "a list"
    if kind in WORDS:
        return WORDS[kind]
    return "text" if choices_of(kind) or (isinstance(kind, type) and issubclass(kind, str)) else "a record"


def _origin(kind: Kind) -> Any:
    return get_origin(kind)


def _options(kind: Kind) -> Iterator[Kind]:
    if _origin(kind) in (Union, UnionType):
        yield from get_args(kind)
    else:
        yield kind
