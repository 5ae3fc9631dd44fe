"""Binding: a located file read by a pydantic model, its complaints said plainly and at their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ivr.yamlfile.nodes import Loc, Node, place_of
from ivr.yamlfile.problem import Problem, did_you_mean, in_order

M = TypeVar("M", bound=BaseModel)

WANTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a number of this size",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a table of keys and values",
    "mapping_type": "a table of keys and values",
    "model_type": "a table of keys and values",
    "model_attributes_type": "a table of keys and values",
    "date_type": "a date such as 2026-12-25",
    "date_parsing": "a date such as 2026-12-25",
    "date_from_datetime_parsing": "a date such as 2026-12-25",
    "time_parsing": "a time such as 14:30",
    "path_type": "a path",
}
"""What was expected, by pydantic's error type."""


def bind(node: Node, model: type[M], *, docs: str = "") -> tuple[M | None, list[Problem]]:
    """The model that a node describes, or every problem; `docs` is the page the problems point to.

    A validator's ValueError becomes the message as it stands; what follows its first "; "
    becomes the suggestion. To point at a value deeper down, a validator raises
    `PydanticCustomError("value", "message; suggestion", {"at": ("queues", name, "split")})`.
    """
    try:
        return model.model_validate(node.plain), []
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=True)
    return None, in_order(_one_per_place(node, model, errors, docs))


def place_problem(node: Node, loc: Loc, rule: str, message: str, hint: str = "", docs: str = "") -> Problem:
    """A problem with the value at `loc`, for checks that come after binding."""
    return place_of(node, loc).problem(rule, message, hint, docs)


def _one_per_place(node: Node, model: type[BaseModel], errors: Sequence[ErrorDetails], docs: str) -> Iterable[Problem]:
    """A problem for each place: where a value might have been several things, what it might have been is joined."""
    wanted: dict[tuple[int, int], list[str]] = {}
    first: dict[tuple[int, int], Problem] = {}
    misspelt = {_meant(model, error) for error in errors if error["type"] == "extra_forbidden"}
    for error in errors:
        if error["type"] == "missing" and error["loc"] in misspelt:
            continue  # the unknown key's suggestion says it already
        if error["type"] == "too_short" and any(_lies_in(other["loc"], error["loc"]) for other in errors):
            continue  # pydantic does not count elements that are wrong
        problem, what = _problem(node, model, error, docs)
        at = (problem.line, problem.column)
        if what is None:
            yield problem
            continue
        first.setdefault(at, problem)
        if what not in wanted.setdefault(at, []):
            wanted[at].append(what)
    for at, problem in first.items():
        message = problem.message.replace(wanted[at][0], " or ".join(wanted[at]), 1)
        yield replace(problem, message=message)


def _lies_in(loc: tuple[str | int, ...], around: tuple[str | int, ...]) -> bool:
    return len(loc) > len(around) and loc[: len(around)] == around


def _meant(model: type[BaseModel], error: ErrorDetails) -> tuple[str | int, ...]:
    """The loc of the key that an unknown key most likely stands for."""
    above, word = error["loc"][:-1], str(error["loc"][-1])
    close = get_close_matches(word, keys_at(model, above), n=1)
    return (*above, *close)


def _problem(node: Node, model: type[BaseModel], error: ErrorDetails, docs: str) -> tuple[Problem, str | None]:
    """An error as a problem, and what was wanted when that may be one of several things."""
    loc, kind, context = error["loc"], error["type"], error.get("ctx", {})
    last = str(loc[-1]) if loc else ""
    if kind == "extra_forbidden":
        place = place_of(node, loc, key=True)
        return place.problem(
            "unknown-key", f"unknown key '{last}'", did_you_mean(last, keys_at(model, loc[:-1])), docs
        ), None
    if kind == "missing":
        place = place_of(node, loc[:-1], key=True)
        return place.problem("missing-key", f"'{last}' is missing here", f"add '{last}: …'", docs), None
    if last == "[key]":
        place = place_of(node, loc[:-1], key=True)
        said, hint = _said(error, f"'{loc[-2]}'")
        hint = hint or did_you_mean(str(loc[-2]), re.findall(r"'([^']*)'", str(context.get("expected", ""))))
        return place.problem("key", said, hint, docs), None
    place = place_of(node, [*loc, *context.get("at", ())])
    given = error["input"]
    shown = _shown(given)
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        hint = did_you_mean(given, choices) if isinstance(given, str) else ""
        what = "one of: " + ", ".join(choices) if len(choices) > 1 else f"'{''.join(choices)}'"
        if hint.startswith("known here"):
            hint = ""
        return place.problem("value", f"{shown} is not {what}", hint, docs), what
    if kind in WANTED:
        message = (
            f"nothing is written here; it must be {WANTED[kind]}"
            if given in (None, "")
            else f"{shown} is not {WANTED[kind]}"
        )
        return place.problem("type", message, "", docs), WANTED[kind]
    said, hint = _said(error, shown)
    return place.problem("value", said, hint, docs), None


def _said(error: ErrorDetails, shown: str) -> tuple[str, str]:
    """The message and the suggestion of an error that says itself what is wrong."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        message, _, hint = str(context.get("error", error["msg"])).partition("; ")
        return message, hint
    limits = {
        "greater_than_equal": "{ge} is the least",
        "less_than_equal": "{le} is the most",
        "greater_than": "it must be more than {gt}",
        "less_than": "it must be less than {lt}",
        "string_too_short": "at least {min_length} characters are needed",
        "string_too_long": "{max_length} characters are the most",
        "too_short": "at least {min_length} are needed",
        "too_long": "{max_length} are the most",
        "string_pattern_mismatch": "it must look like {pattern}",
        "literal_error": "it must be {expected}",
        "enum": "it must be {expected}",
    }
    if kind in limits:
        return f"{shown} does not fit: {limits[kind].format(**context)}", ""
    if "at" in context:
        message, _, hint = error["msg"].partition("; ")
        return message, hint
    message = error["msg"]
    return f"{shown} does not fit: {message[:1].lower()}{message[1:]}", ""


def _shown(given: object) -> str:
    """A value in a message: short, and never a Python repr."""
    if given in (None, ""):
        return "an empty value"
    if isinstance(given, str):
        return f"'{given[:60]}…'" if len(given) > 60 else f"'{given}'"
    if isinstance(given, list | tuple):
        return "a list"
    if isinstance(given, Mapping):
        return "a table"
    return f"'{given}'"


def keys_at(model: type[BaseModel], loc: Loc) -> set[str]:
    """The keys that a model allows at `loc`."""
    found: list[Any] = [model]
    for part in loc:
        below = [inner for annotation in found for inner in _below(annotation, part)]
        found = below or found
    return {
        field.alias or name
        for annotation in found
        for bare in _bare(annotation)
        if isinstance(bare, type) and issubclass(bare, BaseModel)
        for name, field in bare.model_fields.items()
    }


def _bare(annotation: Any) -> list[Any]:
    """The types behind Annotated and unions."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [bare for inner in get_args(annotation) for bare in _bare(inner)]
    return [annotation]


def _below(annotation: Any, part: str | int) -> list[Any]:
    """The types one step further down."""
    below: list[Any] = []
    for bare in _bare(annotation):
        if isinstance(bare, type) and issubclass(bare, BaseModel):
            below += [f.annotation for name, f in bare.model_fields.items() if part in (name, f.alias)]
        elif isinstance(part, int) or get_origin(bare) in (dict, Mapping):
            below += get_args(bare)[-1:] if get_origin(bare) is not tuple else get_args(bare)[:1]
    return below
