"""Entrances: the flows in which calls begin, as the configuration names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivr.domain.language import Language
from ivr.flow.drafts import Draft
from ivr.yamlfile.nodes import Place
from ivr.yamlfile.problem import Problem, did_you_mean

DOCS = "docs/config.md"


@dataclass(frozen=True, slots=True)
class Entrance:
    """A flow in which calls begin, the language they begin in if it is set, and where each is written.

    `needed_by` is the kind of step that leads to such calls, if none come without it.
    """

    flow: str
    place: Place
    language: Language | None = None
    language_place: Place | None = None
    needed_by: str = ""


def entrance_problems(entrances: Sequence[Entrance], flows: Mapping[str, Draft]) -> Iterator[Problem]:
    """Entrances to flows that do not exist, that need to be given something, or that do not speak the language."""
    for entrance in entrances:
        draft = flows.get(entrance.flow)
        if draft is None and entrance.needed_by and not _have(flows, entrance.needed_by):
            continue
        if draft is None or draft.head is None:
            hint = did_you_mean(entrance.flow, flows)
            yield entrance.place.problem("unknown-flow", f"unknown flow '{entrance.flow}'", hint, DOCS)
            continue
        if draft.head.takes:
            taken = ", ".join(f"'{name}'" for name in draft.head.takes)
            message = f"flow '{entrance.flow}' takes {taken}, and a call that begins in it gives nothing"
            yield entrance.place.problem("call", message, "name a flow that calls it", DOCS)
        language = entrance.language
        if language is not None and language not in draft.head.languages:
            spoken = ", ".join(spoken.name for spoken in draft.head.languages)
            message = f"flow '{entrance.flow}' does not speak {language.name}"
            place = entrance.language_place or entrance.place
            yield place.problem("language", message, f"it speaks {spoken}", DOCS)


def _have(flows: Mapping[str, Draft], kind: str) -> bool:
    """Whether any flow has a step of a kind."""
    return any(
        found.step.kind == kind for draft in flows.values() for steps in draft.blocks.values() for found in steps
    )
