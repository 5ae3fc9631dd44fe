"""Inspection: what is wrong with flows that can be read but would not do what they say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ivr.domain.language import Language
from ivr.flow.answers import different_answers
from ivr.flow.closed_queues import closed_queues
from ivr.flow.drafts import DOCS, Draft, DraftStep, DraftTexts
from ivr.flow.engine import APOLOGY
from ivr.flow.expression_types import Complaint, Names
from ivr.flow.graph import Graph, Node
from ivr.flow.kinds import Kind
from ivr.flow.names import BlockName, FlowName, Name, QueueName, TriageName
from ivr.flow.signatures import Signatures
from ivr.flow.step import Said, mentioned
from ivr.flow.triage_drafts import DraftTriage
from ivr.flow.views import CallerView, CallView, Moment, OutageView, QueueView
from ivr.yamlfile.nodes import Place, place_of, word_place
from ivr.yamlfile.problem import Problem, did_you_mean

CONTEXT: Names = {"caller": CallerView, "call": CallView, "outage": OutageView, "queue": QueueView, "now": Moment}
"""What every expression may use, besides `answers`, `given` and `open`."""


@dataclass
class Inspection:
    """Looks at all flows together. `queues` and `hours` are the names in config.yaml; None: not known here.

    `queue_gaps` says when the first gap in a queue's hours is, for each that is not always open.
    """

    drafts: Sequence[Draft]
    texts: Mapping[Language, DraftTexts]
    triages: Sequence[DraftTriage] = ()
    queues: Collection[str] | None = None
    hours: Collection[str] | None = None
    queue_gaps: Mapping[str, str] = field(default_factory=dict)
    _seen: set[tuple[str, Language, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        hours: Kind = object if self.hours is None else dict.fromkeys(self.hours, bool)
        self._signatures = Signatures(self.drafts, {**CONTEXT, "open": hours})

    def problems(self) -> Iterator[Problem]:
        """Every problem, in no order."""
        first: dict[str, Draft] = {}
        for draft in self.drafts:
            if draft.head is None or draft.root is None:
                continue
            same = first.setdefault(draft.head.flow, draft)
            if same is not draft:
                message = f"flow '{draft.head.flow}' is also written in {same.file}"
                yield place_of(draft.root, ("flow",)).problem("flow", message, "", DOCS)
            yield from self._flow(draft)
        named: dict[str, DraftTriage] = {}
        for found in self.triages:
            if found.triage is not None and found.root is not None:
                other = named.setdefault(found.triage.triage, found)
                if other is not found:
                    message = f"triage '{found.triage.triage}' is also written in {other.file}"
                    yield place_of(found.root, ("triage",)).problem("flow", message, "", DOCS)

    def _flow(self, draft: Draft) -> Iterator[Problem]:
        head, root = draft.head, draft.root
        if head is None or root is None:
            return
        for key, name in (("start", head.start), ("otherwise", head.otherwise)):
            if name is not None:
                yield from self._name(draft, name, place_of(root, (key,)))
        yield from self._said(draft, Said(APOLOGY, (), {}), place_of(root, ("flow",)), {})
        names = self.names(draft)
        yield from different_answers(draft, names, self._signatures.gives)
        yield from self._signatures.problems(draft)
        found = [
            problem for steps in draft.blocks.values() for step in steps for problem in self._step(draft, step, names)
        ]
        yield from found
        yield from closed_queues(draft, self.queue_gaps)
        if draft.whole and not any(problem.rule == "unknown-block" for problem in found):
            yield from self._ways(draft)

    def names(self, draft: Draft) -> Names:
        """What the expressions of a flow may use."""
        return self._signatures.names(draft)

    def _step(self, draft: Draft, found: DraftStep, names: Names) -> Iterator[Problem]:
        kind, key = found.step.kind, found.item.key(found.step.kind)
        for loc, value in mentioned(found.step):
            if isinstance(value, Name):
                yield from self._name(draft, value, place_of(found.value, loc) if loc else key)
            if isinstance(value, TriageName):
                yield from self._triage(draft, value, names)
        if found.on_error is not None:
            yield from self._name(draft, found.on_error, place_of(found.item, ("on_error",)))
        for loc, complaint in found.step.complaints(names):
            place = word_place(found.value, loc, complaint.word)
            yield place.problem("expression", complaint.message, complaint.hint, f"{DOCS}#expressions")
        for said in found.step.says(names):
            place = place_of(found.value, said.loc) if said.loc else key
            yield from self._said(draft, said, place, names, of_kind="" if said.loc else kind)

    def _name(self, draft: Draft, name: Name, place: Place) -> Iterator[Problem]:
        known: Collection[str] | None = None
        if isinstance(name, BlockName):
            known = draft.blocks
        elif isinstance(name, FlowName):
            known = [other.head.flow for other in self.drafts if other.head is not None]
        elif isinstance(name, TriageName):
            known = [found.triage.triage for found in self.triages if found.triage is not None]
        elif isinstance(name, QueueName):
            known = self.queues
        if known is not None and name not in known:
            message = f"unknown {name.what} '{name}'"
            yield place.problem(f"unknown-{name.what}", message, did_you_mean(name, known), f"{DOCS}#{name.what}s")

    def _said(self, draft: Draft, said: Said, place: Place, names: Names, *, of_kind: str = "") -> Iterator[Problem]:
        """Whether a prompt can be said in every language of the flow, with the names it has here."""
        languages = draft.head.languages if draft.head else ()
        having = [language for language in languages if self._has(language, said.prompt)]
        for language in languages:
            if language not in having:
                file = self.texts[language].file
                whose = f", which '{of_kind}' says," if of_kind else ""
                if having:
                    message = f"prompt '{said.prompt}'{whose} is not there in {language.name}"
                    yield place.problem("missing-text", message, f"add it to {file}", f"{DOCS}#texts")
                else:
                    hint = did_you_mean(said.prompt, self.texts[language].entries)
                    hint = hint if hint.startswith("did") else f"add it to {file}"
                    yield place.problem(
                        "unknown-prompt", f"unknown prompt '{said.prompt}'{whose}", hint, f"{DOCS}#texts"
                    )
                    return
            else:
                yield from self._text(draft, language, said, names)
                yield from self._unsaid(language, said, place)

    def _triage(self, draft: Draft, name: TriageName, names: Names) -> Iterator[Problem]:
        """Whether a triage can be gone through in every language of the flow."""
        for found in self.triages:
            if found.triage is not None and found.triage.triage == name:
                for prompt, place in found.says():
                    yield from self._said(draft, Said(prompt, (), {}), place, names)

    def _has(self, language: Language, prompt: str) -> bool:
        texts = self.texts[language]
        return prompt in texts.entries or prompt in texts.recordings

    def _text(self, draft: Draft, language: Language, said: Said, names: Names) -> Iterator[Problem]:
        entry = self.texts[language].entries.get(said.prompt)
        if entry is None:
            return
        text, node = entry
        use = (draft.file, language, f"{said.prompt} {sorted((name, str(kind)) for name, kind in said.names.items())}")
        if text.fixed is not None or use in self._seen:
            return
        self._seen.add(use)
        for complaint in text.examine({**names, **said.names}).complaints:
            place = word_place(node, (), complaint.word)
            yield place.problem("expression", _in_text(complaint, said), complaint.hint, f"{DOCS}#expressions")

    def _unsaid(self, language: Language, said: Said, place: Place) -> Iterator[Problem]:
        """A prompt that has to tell something, and does not."""
        if not said.must_say:
            return
        texts = self.texts[language]
        text, node = texts.entries.get(said.prompt, (None, None))
        if said.prompt in texts.recordings:
            message = f"a recording cannot say its {said.must_say}, and '{said.prompt}' has one in {language.name}"
            yield place.problem("unsaid", message, f"write the {said.must_say} here, or remove the recording", DOCS)
        elif text is not None and node is not None and said.must_say not in text.reads:
            message = f"'{said.prompt}' does not say its {said.must_say}, and a menu decides it"
            hint = f"write {{{{ {said.must_say} }}}} where it belongs"
            yield node.place.problem("unsaid", message, hint, f"{DOCS}#menu")

    def _ways(self, draft: Draft) -> Iterator[Problem]:
        """Where calls cannot come, cannot go on, or go round for ever."""
        if draft.head is None:
            return
        nodes = {name: [Node(found.step, found.on_error) for found in steps] for name, steps in draft.blocks.items()}
        graph = Graph(nodes, draft.head.start, draft.head.otherwise)
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


def _in_text(complaint: Complaint, said: Said) -> str:
    own = ", ".join(sorted(said.names))
    return f"{complaint.message} in '{said.prompt}'" + (f" (which also has {own})" if own else "")
