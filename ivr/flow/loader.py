"""The loader: a folder of flows and the prompts they say, as a FlowSet or as every problem in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from ivr.domain.capability import Capability
from ivr.domain.hand_over import Destinations
from ivr.domain.language import Language
from ivr.errors import InvalidFiles
from ivr.flow.drafts import Draft, DraftStep, DraftTexts, read_flow, read_texts
from ivr.flow.entrances import Entrance
from ivr.flow.fields import fields_used
from ivr.flow.graph import Graph, Node
from ivr.flow.inspection import Inspection
from ivr.flow.model import Flow, FlowSet, Placed, Prompts
from ivr.flow.names import BlockName, FlowName, Name, TriageName
from ivr.flow.recorded import Listen
from ivr.flow.step import mentioned
from ivr.flow.triage_drafts import DraftTriage, read_triage
from ivr.flow.ways import step_labels
from ivr.prompts import SHIPPED
from ivr.yamlfile.nodes import Place
from ivr.yamlfile.problem import Problem, errors_in, in_order
from ivr.yamlfile.reading import Document, parse_bytes, read_document

N = TypeVar("N", bound=Name)
FLOWS, TRIAGE, TEXTS = "flows/", "triage/", "texts.yaml"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where flows and prompts are, and the queues and named hours there are (None: not to be checked).

    `queue_gaps` says when the first gap in a queue's hours is, for each that is not always open,
    `destinations` where callers may be taken besides, `capabilities` what the connected systems can do,
    `errands` the keys under `errands` that name a connector.
    `shown_from`: paths in problems are shown relative to this folder where they lie in it.
    `given`: what the files say instead of what is on the disk, named as in `FlowSet.files`.
    `entrances`: where calls begin; None when these are not all the flows of a configuration.
    `fallback` is the queue of callers whom nothing else takes.
    `private`: fields of the caller that are only spoken after `verify`, and where they are named, if somebody did.
    `listen` tells what keeps a recording from being heard.
    """

    flows: Path
    prompts: Path
    queues: Collection[str] | None = None
    shown_from: Path | None = None
    given: Mapping[str, bytes] | None = None
    hours: Collection[str] | None = None
    queue_gaps: Mapping[str, str] = field(default_factory=dict)
    destinations: Destinations | None = None
    capabilities: Collection[Capability] | None = None
    errands: Collection[str] | None = None
    entrances: Sequence[Entrance] | None = None
    private: Mapping[str, Place | None] = field(default_factory=dict)
    fallback: str | None = None
    listen: Listen | None = None

    def flow_files(self) -> list[Path]:
        """The flow files, sorted by name."""
        if self.given is not None:
            return sorted(self.flows / name.removeprefix(FLOWS) for name in self.given if name.startswith(FLOWS))
        return sorted(self.flows.glob("*.yaml"))

    def triage_files(self) -> list[Path]:
        """The files with triage, sorted by name."""
        if self.given is not None:
            return sorted(self.flows / name for name in self.given if name.startswith(TRIAGE))
        return sorted((self.flows / TRIAGE).glob("*.yaml"))

    def texts(self, language: Language) -> Document | None:
        """What the file with a language's texts says; None when there is none."""
        name = f"{language.value}/{TEXTS}"
        path = self.prompts / name
        if self.given is not None:
            return parse_bytes(self.given[name], self.shown(path)) if name in self.given else None
        return read_document(path, shown=self.shown(path)) if path.exists() else None

    def shown(self, path: Path) -> str:
        """A path as problems show it."""
        if self.shown_from is not None and path.is_relative_to(self.shown_from):
            return str(path.relative_to(self.shown_from))
        return str(path)

    def state(self) -> tuple[tuple[str, int, int], ...]:
        """Changes when any file does: names, times and sizes."""
        return tuple(sorted(self._states()))

    def changed_by(self) -> str:
        """The user whose file changed last; empty when that cannot be told."""
        texts = [self.prompts / language.value / TEXTS for language in Language]
        try:
            files = [path for path in (*self.flow_files(), *texts) if path.exists()]
            return max(files, key=lambda path: path.stat().st_mtime_ns).owner()
        except (OSError, KeyError, ValueError):
            return ""

    def _states(self) -> Iterator[tuple[str, int, int]]:
        files = [self.flows, *self.flow_files(), self.flows / TRIAGE, *self.triage_files()]
        for language in Language:
            files += [self.prompts / language.value, self.prompts / language.value / TEXTS]
        for path in files:
            try:
                found = path.stat()
            except OSError:
                continue
            yield str(path), found.st_mtime_ns, found.st_size


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
    problems += Inspection(
        drafts,
        texts,
        triages,
        sources.queues,
        sources.hours,
        sources.queue_gaps,
        sources.destinations,
        sources.capabilities,
        sources.errands,
        entrances=sources.entrances if sources.given is None else None,
        private=sources.private,
        fallback=sources.fallback,
        listen=sources.listen,
        shown=sources.shown,
    ).problems()
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
