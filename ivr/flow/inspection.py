"""Inspection: what is wrong with flows that can be read but would not do what they say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivr.domain.language import Language
from ivr.flow.after_hangup import steps_without_caller
from ivr.flow.answers import different_answers
from ivr.flow.askable import nobody_does, unaskable
from ivr.flow.closed_queues import ClosedQueues
from ivr.flow.drafts import DOCS, Draft, DraftStep, DraftTexts
from ivr.flow.engine import APOLOGY
from ivr.flow.entrances import entrance_problems
from ivr.flow.expression_types import Names
from ivr.flow.graph import Graph, Node
from ivr.flow.kinds import Kind
from ivr.flow.languages import language_problems
from ivr.flow.menu_problems import of_menu, of_triage
from ivr.flow.names import BlockName, FlowName, Name, QueueName, TriageName
from ivr.flow.privacy import Privacy, Private, beginning_of, unknown_fields
from ivr.flow.prompt_problems import PromptProblems
from ivr.flow.recorded import recording_problems
from ivr.flow.signatures import Signatures
from ivr.flow.sources import Sources
from ivr.flow.step import Said, mentioned
from ivr.flow.steps.menu import Menu
from ivr.flow.telephones import forbidden_telephones
from ivr.flow.triage_drafts import DraftTriage
from ivr.flow.unused import unused_prompts
from ivr.flow.views import CallerView, CallView, Moment, OutageView, QueueView
from ivr.yamlfile.nodes import Place, place_of, word_place
from ivr.yamlfile.problem import Problem, did_you_mean

CONTEXT: Names = {"caller": CallerView, "call": CallView, "outage": OutageView, "queue": QueueView, "now": Moment}
"""What every expression may use, besides `answers`, `given` and `open`."""


@dataclass
class Inspection:
    """Looks at all flows together, and at whether they agree with what `sources` say of the configuration."""

    drafts: Sequence[Draft]
    texts: Mapping[Language, DraftTexts]
    triages: Sequence[DraftTriage]
    sources: Sources

    def __post_init__(self) -> None:
        # Old files are looked at for what they say, not for where calls begin now.
        self._entrances = self.sources.entrances if self.sources.given is None else None
        hours: Kind = object if self.sources.hours is None else dict.fromkeys(self.sources.hours, bool)
        self._signatures = Signatures(self.drafts, {**CONTEXT, "open": hours})
        self._prompts = PromptProblems(self.texts)
        self._triage = {found.triage.triage: found for found in reversed(self.triages) if found.triage is not None}

    def problems(self) -> Iterator[Problem]:
        """Every problem, in no order."""
        yield from self._flows()
        yield from self._triages()
        for found in self.texts.values():
            yield from recording_problems(found, self.sources.listen, self.sources.shown)
        yield from unknown_fields(self.sources.private)
        yield from ClosedQueues(
            self.drafts, self.sources.queue_gaps, self.sources.queues or (), self.sources.fallback
        ).problems()
        if self._entrances is not None and all(draft.head for draft in self.drafts):
            yield from entrance_problems(self._entrances, self._signatures.flows)
        if all(draft.whole for draft in self.drafts):
            yield from self._all_together()

    def _flows(self) -> Iterator[Problem]:
        first: dict[str, Draft] = {}
        for draft in self.drafts:
            if draft.head is None or draft.root is None:
                continue
            same = first.setdefault(draft.head.flow, draft)
            if same is not draft:
                message = f"flow '{draft.head.flow}' is also written in {same.file}"
                yield place_of(draft.root, ("flow",)).problem("flow", message, "", DOCS)
            yield from self._flow(draft)

    def _triages(self) -> Iterator[Problem]:
        """What is wrong with triages, also with those that no flow asks."""
        languages = {language for draft in self.drafts if draft.head for language in draft.head.languages}
        spoken = [language for language in Language if language in languages]
        names: Names = dict.fromkeys((*CONTEXT, "open", "answers", "given"), object)
        for found in self.triages:
            if found.triage is None or found.root is None:
                continue
            same = self._triage[found.triage.triage]
            if same is not found:
                message = f"triage '{found.triage.triage}' is also written in {same.file}"
                yield place_of(found.root, ("triage",)).problem("flow", message, "", DOCS)
            for prompt, place in found.says():
                if prompt not in self._prompts.said:
                    yield from self._prompts.of(Said(prompt, (), {}), place, spoken, names, flow=found.file)
            for question in of_triage(found):
                yield from question.problems(spoken, self.texts)

    def _all_together(self) -> Iterator[Problem]:
        """What only shows in all flows together, when every one of them is whole."""
        flows = self._signatures.flows
        if self._entrances is not None and not self._prompts.unknown:  # a misspelt name is told of once
            for found in self.texts.values():
                yield from unused_prompts(found, self._prompts.said, self.sources.shown)
        if self.sources.private:
            leading = {name: self._signatures.leads(name) for name in flows}
            beginning = beginning_of(flows, [entrance.flow for entrance in self._entrances or ()], leading)
            privacy = Privacy(flows, self.texts, Private.of(self.sources.private), self.names, self._says)
            yield from privacy.problems(beginning)

    def _flow(self, draft: Draft) -> Iterator[Problem]:
        head, root = draft.head, draft.root
        if head is None or root is None:
            return
        for key, name in (("start", head.start), ("otherwise", head.otherwise), ("on_hangup", head.on_hangup)):
            if name is not None:
                yield from self._name(draft, name, place_of(root, (key,)))
        apology = Said(APOLOGY, (), {})
        yield from self._prompts.of(apology, place_of(root, ("flow",)), head.languages, {}, flow=draft.file)
        names = self.names(draft)
        yield from different_answers(draft, names, self._signatures.gives)
        yield from self._signatures.problems(draft)
        found = [
            problem for steps in draft.blocks.values() for step in steps for problem in self._step(draft, step, names)
        ]
        yield from found
        yield from language_problems(draft, self._signatures.flows, self._signatures.reached)
        if self.sources.capabilities is not None:
            yield from unaskable(draft, self.sources.capabilities)
        if self.sources.errands is not None:
            yield from nobody_does(draft, self.sources.errands)
        if self.sources.destinations is not None:
            yield from forbidden_telephones(draft, self.sources.destinations)
        if draft.whole and not any(problem.rule == "unknown-block" for problem in found):
            yield from self._ways(draft)

    def names(self, draft: Draft) -> Names:
        """What the expressions of a flow may use."""
        return self._signatures.names(draft)

    def _step(self, draft: Draft, found: DraftStep, names: Names) -> Iterator[Problem]:
        key = found.item.key(found.step.kind)
        for loc, value in mentioned(found.step):
            if isinstance(value, Name):
                yield from self._name(draft, value, place_of(found.value, loc) if loc else key)
        if found.on_error is not None:
            yield from self._name(draft, found.on_error, place_of(found.item, ("on_error",)))
        for loc, complaint in found.step.complaints(names):
            place = word_place(found.value, loc, complaint.word)
            yield place.problem("expression", complaint.message, complaint.hint, f"{DOCS}#expressions")
        languages = draft.head.languages if draft.head else ()
        for said, place in self._says(draft, found):
            yield from self._prompts.of(said, place, languages, names, flow=draft.file)
        if isinstance(found.step, Menu):
            yield from of_menu(found, found.step).problems(languages, self.texts)

    def _says(self, draft: Draft, found: DraftStep) -> Iterator[tuple[Said, Place]]:
        """What a step says and where that is written: at its kind, when it is not."""
        key = found.item.key(found.step.kind)
        for said in found.step.says(self.names(draft)):
            yield said, place_of(found.value, said.loc) if said.loc else key
        for _, name in mentioned(found.step):
            triage = self._triage.get(name) if isinstance(name, TriageName) else None
            for prompt, place in triage.says() if triage else ():
                yield Said(prompt, (), {}), place

    def _name(self, draft: Draft, name: Name, place: Place) -> Iterator[Problem]:
        known: Collection[str] | None = None
        if isinstance(name, BlockName):
            known = draft.blocks
        elif isinstance(name, FlowName) and all(draft.head for draft in self.drafts):
            known = self._signatures.flows
        elif isinstance(name, TriageName):
            known = [found.triage.triage for found in self.triages if found.triage is not None]
        elif isinstance(name, QueueName):
            known = self.sources.queues
        if known is not None and name not in known:
            message = f"unknown {name.what} '{name}'"
            yield place.problem(f"unknown-{name.what}", message, did_you_mean(name, known), f"{DOCS}#{name.what}s")

    def _ways(self, draft: Draft) -> Iterator[Problem]:
        """Where calls cannot come, cannot go on, or go round for ever."""
        if draft.head is None:
            return
        nodes = {name: [Node(found.step, found.on_error) for found in steps] for name, steps in draft.blocks.items()}
        graph = Graph(nodes, draft.head.start, draft.head.otherwise, draft.head.on_hangup)
        yield from steps_without_caller(draft, graph.after_hangup())
        for name in graph.unreachable():
            place = draft.block_node(name).place
            yield place.problem("unreachable", f"no call comes to block '{name}'", "remove it, or go to it", DOCS)
        for name, position in graph.never_reached():
            before, after = draft.blocks[name][position - 1].step, draft.blocks[name][position]
            place = after.item.key(after.step.kind)
            message = f"this step is never reached: nothing follows '{before.kind}'"
            yield place.problem("unreachable", message, "move it before that step, or remove it", DOCS)
        for name in graph.without_way_on():
            last = draft.blocks[name][-1]
            place = last.item.key(last.step.kind)
            message = f"block '{name}' has no way on after this step"
            yield place.problem("no-way-on", message, "end it with goto, menu, queue or hang_up", DOCS)
        for ring in graph.endless():
            place = draft.block_node(ring[0]).place
            round_trip = " → ".join([*ring, ring[0]])
            message = f"a caller who does nothing stays here for ever: {round_trip}"
            yield place.problem("endless", message, "let it end at a person", DOCS)
