"""The loader: a folder of flows and the prompts they say, as a FlowSet or as every problem in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from ivr.domain.language import Language
from ivr.errors import InvalidFiles
from ivr.flow.drafts import Draft, DraftStep, DraftTexts, read_flow, read_texts
from ivr.flow.fields import fields_used
from ivr.flow.graph import Graph, Node
from ivr.flow.inspection import Inspection
from ivr.flow.model import Flow, FlowSet, Placed, Prompts
from ivr.flow.names import BlockName, FlowName, Name, TriageName
from ivr.flow.sources import FLOWS, TEXTS, TRIAGE, Sources
from ivr.flow.step import mentioned
from ivr.flow.triage_drafts import DraftTriage, read_triage
from ivr.flow.ways import step_labels
from ivr.prompts import SHIPPED
from ivr.yamlfile.problem import Problem, errors_in, in_order
from ivr.yamlfile.reading import read_document

N = TypeVar("N", bound=Name)


def load(sources: Sources) -> FlowSet:
    """The flows of a folder, checked together.

    Raises:
        InvalidFiles: with every error.
    """
    flows, problems = examine(sources)
    if flows is None:
        raise InvalidFiles(errors_in(problems))
    return flows


def examine(sources: Sources) -> tuple[FlowSet | None, list[Problem]]:
    """The flows of a folder, unless there are errors in them; and every problem, sorted."""
    if sources.given is None and not sources.flows.is_dir():
        message = "there is no such folder with flows"
        return None, [Problem(sources.shown(sources.flows), 1, 1, 2, "unreadable", message)]
    paths, given = sources.flow_files(), sources.given or {}
    drafts = [read_flow(path, sources.shown(path), given.get(FLOWS + path.name)) for path in paths]
    texts = {language: _texts(sources, language) for language in Language}
    triages = [read_triage(path, sources.shown(path), given.get(TRIAGE + path.name)) for path in sources.triage_files()]
    problems = [problem for draft in drafts for problem in draft.problems]
    problems += [problem for found in triages for problem in found.problems]
    problems += [problem for found in texts.values() for problem in found.problems]
    problems += Inspection(drafts, texts, triages, sources).problems()
    problems = in_order(problems)
    if errors_in(problems):
        return None, problems
    prompts = Prompts(
        {language: {name: text for name, (text, _) in found.entries.items()} for language, found in texts.items()},
        {language: frozenset(found.recordings) for language, found in texts.items()},
    )
    versions = _versions(drafts, triages, texts.values())
    flows = [_flow(draft, versions, prompts) for draft in drafts]
    files = {FLOWS + path.name: draft.data for path, draft in zip(paths, drafts, strict=True)}
    files |= {f"{language.value}/{TEXTS}": found.data for language, found in texts.items() if found.data}
    files |= {TRIAGE + Path(found.file).name: found.data for found in triages}
    asked = {str(found.triage.triage): found.triage for found in triages if found.triage}
    made = {flow.name: flow for flow in flows if flow is not None}
    used = frozenset(
        name for flow in made.values() for block in flow.blocks.values() for placed in block for name in placed.fields
    )
    return FlowSet(made, prompts, files, asked, used), problems


def _texts(sources: Sources, language: Language) -> DraftTexts:
    shown = sources.shown(sources.prompts / language.value / TEXTS)
    found = read_texts(sources.texts(language), sources.prompts, language, shown)
    found.add(_shipped(language))
    return found


@cache
def _shipped(language: Language) -> DraftTexts:
    """What steps say where an organisation has no words of its own: part of the program, so it never changes."""
    path = SHIPPED / language.value / TEXTS
    return read_texts(read_document(path), SHIPPED, language, str(path))


def _versions(drafts: Sequence[Draft], triages: Sequence[DraftTriage], texts: Collection[DraftTexts]) -> dict[str, str]:
    """The version of each flow: what its calls may hear depends on the flows it goes on in and their triages, too."""
    asked = {found.triage.triage: found.digest for found in triages if found.triage}
    of_name = {draft.head.flow: draft for draft in drafts if draft.head}
    leads_to = {name: _named(draft, FlowName) & of_name.keys() for name, draft in of_name.items()}
    questions_of = {name: {asked[triage] for triage in _named(draft, TriageName)} for name, draft in of_name.items()}
    versions = {}
    for name, draft in of_name.items():
        reached, waiting = {name}, [name]
        while waiting:
            found = leads_to[waiting.pop()] - reached
            reached |= found
            waiting += found
        others = sorted(of_name[other].digest for other in reached - {name})
        questions = {question for other in reached for question in questions_of[other]}
        digests = [draft.digest, *others, *sorted(questions), *(found.digest for found in texts)]
        versions[str(name)] = sha256("".join(digests).encode()).hexdigest()[:12]
    return versions


def _named(draft: Draft, what: type[N]) -> set[N]:
    return {
        name
        for steps in draft.blocks.values()
        for found in steps
        for _, name in mentioned(found.step)
        if isinstance(name, what)
    }


def _flow(draft: Draft, versions: Mapping[str, str], prompts: Prompts) -> Flow | None:
    if draft.head is None:
        return None
    head = draft.head
    version = versions[head.flow]
    nodes = {name: [Node(found.step, found.on_error) for found in steps] for name, steps in draft.blocks.items()}
    keys_count = Graph(nodes, head.start, head.otherwise, head.on_hangup).keys_count()
    blocks = {name: tuple(_placed(name, steps, keys_count, prompts)) for name, steps in draft.blocks.items()}
    return Flow(head.flow, version, head.languages, head.start, blocks, head.otherwise, head.gives, head.on_hangup)


def _placed(
    block: BlockName, steps: Sequence[DraftStep], keys_count: set[tuple[BlockName, int]], prompts: Prompts
) -> Iterator[Placed]:
    """The steps of a block, each with its name in the journal."""
    labels = step_labels(block, [found.step.kind for found in steps])
    for position, (found, label) in enumerate(zip(steps, labels, strict=True)):
        used = fields_used(found.step, prompts)
        yield Placed(found.step, label, found.on_error, (block, position) in keys_count, used)
