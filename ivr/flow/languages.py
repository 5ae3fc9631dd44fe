"""Languages: whether callers are spoken to in theirs all the way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from ivr.flow.drafts import DOCS, Draft, DraftStep
from ivr.flow.steps.goto import Goto
from ivr.flow.steps.set import Set
from ivr.yamlfile.nodes import place_of
from ivr.yamlfile.problem import Problem

PAGE = f"{DOCS}#languages"
LeadsTo = Callable[[str], Collection[str]]
"""A flow and all that a call may come to from there."""


def language_problems(draft: Draft, flows: Mapping[str, Draft], leads_to: LeadsTo) -> Iterator[Problem]:
    """Where a call comes to a flow that does not speak its language, or changes to one that nothing speaks."""
    if draft.head is None:
        return
    for found in (step for block in draft.blocks.values() for step in block):
        call = found.step.calls()
        if call is not None:
            message = _not_spoken(draft, flows.get(call.flow))
            if message:
                place = place_of(found.value, ("flow",))
                yield place.problem("language", message, "add it to its languages:", PAGE)
        elif isinstance(found.step, Goto) and found.step.flow is not None:
            message = _not_spoken(draft, flows.get(found.step.flow))
            if message:
                place = place_of(found.value, ("flow",))
                yield place.warning("language", message, "add it to its languages:", PAGE)
        elif isinstance(found.step, Set) and found.step.language not in (None, *draft.head.languages):
            yield from _chosen(found, found.step, flows, leads_to(draft.head.flow))


def _not_spoken(draft: Draft, other: Draft | None) -> str:
    """What to say of a flow that does not speak all that this one does; empty when it does."""
    if draft.head is None or other is None or other.head is None:
        return ""
    lacking = [language.name for language in draft.head.languages if language not in other.head.languages]
    return f"flow '{other.head.flow}' does not speak {', '.join(lacking)}, and this one does" if lacking else ""


def _chosen(found: DraftStep, step: Set, flows: Mapping[str, Draft], reached: Collection[str]) -> Iterator[Problem]:
    heads = [flows[name].head for name in reached if name in flows]
    if step.language is not None and not any(head and step.language in head.languages for head in heads):
        message = f"no flow that a call comes to from here speaks {step.language.name}"
        yield place_of(found.value, ("language",)).problem("language", message, "add it to languages:", PAGE)
