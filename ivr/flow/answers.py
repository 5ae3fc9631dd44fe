"""Answers: what a flow's steps keep as `answers.<name>`, and of which types."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ivr.flow.drafts import DOCS, Draft, DraftStep
from ivr.flow.expression_types import Names
from ivr.flow.kinds import Kind, bare, called
from ivr.flow.step import Kept
from ivr.yamlfile.nodes import place_of
from ivr.yamlfile.problem import Problem

PASSES = 4
"""How often types are worked out anew: answers may be set from answers, `a` from `b` from `c`."""


Gives = Callable[[str], Kind]
"""The record that a flow gives to those who call it."""


def answer_kinds(draft: Draft, context: Names, gives: Gives) -> dict[str, Kind]:
    """The types of a flow's answers; what cannot be told, as when an answer is set from itself alone, is `object`."""
    known: dict[str, Kind] = {kept.name: object for _, kept in _kept(draft, {**context, "answers": {}}, gives)}
    for _ in range(PASSES):
        names = {**context, "answers": known}
        found: dict[str, Kind] = {}
        for _, kept in _kept(draft, names, gives):
            if found.get(kept.name, object) is object:
                found[kept.name] = bare(kept.kind)
        if found == known:
            break
        known = found
    return known


def different_answers(draft: Draft, names: Names, gives: Gives) -> Iterator[Problem]:
    """Answers that are of one type where one step keeps them, and of another where another does."""
    kinds = names["answers"]
    for found, kept in _kept(draft, names, gives):
        kind, first = bare(kept.kind), kinds[kept.name]
        if object not in (kind, first) and kind != first:
            place = place_of(found.value, kept.loc) if kept.loc else found.item.key(found.step.kind)
            message = f"'answers.{kept.name}' is {called(kind)} here and {called(first)} elsewhere"
            hint = "give one of them another name"
            if not kept.loc:
                hint += f": '{found.step.kind}' keeps its answer under the name of its block"
            yield place.problem("answer", message, hint, f"{DOCS}#answers")


def _kept(draft: Draft, names: Names, gives: Gives) -> Iterator[tuple[DraftStep, Kept]]:
    for block, steps in draft.blocks.items():
        for found in steps:
            for kept in found.step.keeps(block, names):
                yield found, kept
            call = found.step.calls()
            if call is not None and call.into is not None:
                yield found, Kept(call.into, gives(call.flow), ("into",))
