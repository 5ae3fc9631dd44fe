"""Triage files as they were written, with places, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from ivr.flow.names import PromptName
from ivr.flow.triage import Ask, Solution, Triage
from ivr.yamlfile.binding import bind
from ivr.yamlfile.nodes import Node, Place, place_of
from ivr.yamlfile.problem import Problem, did_you_mean
from ivr.yamlfile.reading import parse_bytes, read_document

DOCS = "docs/flows.md#triage"


@dataclass
class DraftTriage:
    """A triage file. `triage` is None when it could not be read."""

    file: str
    root: Node | None = None
    data: bytes = b""
    digest: str = ""
    triage: Triage | None = None
    problems: list[Problem] = field(default_factory=list)

    def says(self) -> Iterator[tuple[PromptName, Place]]:
        """The prompts it says, and where they are named."""
        if self.triage is None or self.root is None:
            return
        for name, question in self.triage.questions.items():
            prompt, key = (question.ask, "ask") if isinstance(question, Ask) else (question.prompt, "try")
            yield prompt, place_of(self.root, ("questions", name, key))


def read_triage(path: Path, shown: str, data: bytes | None = None) -> DraftTriage:
    """A triage file, or what `data` says instead of it, and every problem in it; never raises."""
    document = read_document(path, shown=shown) if data is None else parse_bytes(data, shown)
    draft = DraftTriage(shown, document.root, document.data, document.digest, problems=list(document.problems))
    if document.root is None:
        return draft
    draft.triage, problems = bind(document.root, Triage, docs=DOCS)
    draft.problems += problems
    if draft.triage is not None:
        draft.problems += _mistakes(draft.triage, document.root)
    return draft


def _mistakes(triage: Triage, root: Node) -> list[Problem]:
    """Ways that lead nowhere, questions nobody is asked, and rings."""
    unknown = list(_unknown(triage, root))
    return unknown or [*_never_asked(triage, root), *_rings(triage, root)]


def _unknown(triage: Triage, root: Node) -> Iterator[Problem]:
    known = [*triage.questions, *triage.results, *Solution]
    ways: list[tuple[tuple[str, ...], str]] = [(("start",), triage.start)]
    for name, question in triage.questions.items():
        ways += [(("questions", name, *loc), target) for loc, target in question.targets()]
    for loc, target in ways:
        if target not in known:
            hint = did_you_mean(target, known)
            yield place_of(root, loc).problem("unknown-question", f"unknown question '{target}'", hint, DOCS)
    for name in triage.results:
        if name in triage.questions:
            place = place_of(root, ("results", name), key=True)
            yield place.problem("key", f"'{name}' is a question too", "give one of them another name", DOCS)


def _never_asked(triage: Triage, root: Node) -> Iterator[Problem]:
    seen, waiting = {triage.start}, [triage.start]
    while waiting:
        question = triage.questions.get(waiting.pop())
        found = {target for _, target in question.targets()} - seen if question else set()
        seen |= found
        waiting += found
    for section, names in (("questions", triage.questions), ("results", triage.results)):
        for name in names:
            if name not in seen:
                place = place_of(root, (section, name), key=True)
                yield place.problem("unreachable", f"no answer leads to '{name}'", "remove it, or lead to it", DOCS)


def _rings(triage: Triage, root: Node) -> Iterator[Problem]:
    graph = {name: {target for _, target in question.targets()} for name, question in triage.questions.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring = [str(name) for name in reversed(error.args[1])]
        first = min(range(len(ring) - 1), key=lambda at: list(triage.questions).index(ring[at]))  # type: ignore[arg-type]
        ring = [*ring[first:-1], *ring[:first], ring[first]]
        place = place_of(root, ("questions", ring[0]), key=True)
        message = f"these questions come round again: {' → '.join(ring)}"
        yield place.problem("endless", message, "let an answer lead to a result", DOCS)
