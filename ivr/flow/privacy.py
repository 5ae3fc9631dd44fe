"""Privacy: what is told of a customer on a way on which the caller has not proven to be them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass

from ivr.domain.language import Language
from ivr.flow.drafts import Draft, DraftStep, DraftTexts
from ivr.flow.expression_types import Findings, Names
from ivr.flow.kinds import Kind, bare, element_of, fields_of, is_list
from ivr.flow.step import Said
from ivr.flow.steps.message import Message
from ivr.flow.steps.set import Set
from ivr.flow.unproven import Unproven, unproven_truth
from ivr.flow.views import CallerView
from ivr.yamlfile.nodes import Place, place_of
from ivr.yamlfile.problem import Problem, did_you_mean

DOCS = "docs/config.md#privacy"
Says = Callable[[Draft, DraftStep], Iterator[tuple[Said, Place]]]
"""What a step says, and where that is written."""


@dataclass
class Private:
    """The fields of the caller that are private: each as the type that has it and its name, and whole types.

    A type is private when it is what a private field holds: with `invoices` every invoice is, wherever it comes from.
    """

    fields: dict[tuple[type, str], str] = field(default_factory=dict)
    types: dict[type, str] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Collection[str]) -> Private:
        """Those that are named, such as `postcode` or `invoices.amount`, as far as there are such fields."""
        private = cls()
        for name in names:
            holder, rest = _resolved(name)
            if rest or not name:
                continue
            above, word, kind = holder
            private.fields[above, word] = f"caller.{name}"
            if isinstance(kind, type) and is_dataclass(kind):
                private.types[kind] = f"caller.{name}"
        return private

    def kind(self, kind: Kind) -> str:
        """The private field that a value of this type comes from; empty when there is none."""
        kind = bare(kind)
        kind = bare(element_of(kind)) if is_list(kind) else kind
        return self.types.get(kind, "") if isinstance(kind, type) else ""


def unknown_fields(names: Mapping[str, Place | None]) -> Iterator[Problem]:
    """The names that are no fields of the caller, of those that an admin wrote."""
    for name, place in names.items():
        (above, _, _), rest = _resolved(name)
        if rest and place is not None:
            hint = did_you_mean(rest, fields_of(above) if is_dataclass(above) else ())
            yield place.problem("unknown-field", f"'caller.{name}' is no field of the caller", hint, DOCS)


def _resolved(name: str) -> tuple[tuple[type, str, Kind], str]:
    """The type that has the last field of a dotted name, that field, what it holds; and the word that is no field."""
    above, kind, word = CallerView, CallerView, ""
    for word in name.split("."):
        known = fields_of(kind) if isinstance(kind, type) and is_dataclass(kind) else {}
        if word not in known:
            return (kind if isinstance(kind, type) else above, word, object), word
        above, kind = kind, bare(known[word])
        kind = bare(element_of(kind)) if is_list(kind) else kind
    return (above, word, kind), ""


@dataclass
class Privacy:
    """Finds what is told too early, in flows that are whole.

    An answer, or something a flow is given or gives, is private when an expression that it comes from is.
    """

    flows: Mapping[str, Draft]
    texts: Mapping[Language, DraftTexts]
    private: Private
    names: Callable[[Draft], Names]
    says: Says
    _tainted: dict[str, dict[str, str]] = field(default_factory=dict)
    _told: dict[tuple[str, str, Language, str], str] = field(default_factory=dict)

    def problems(self, beginning: Collection[str]) -> Iterator[Problem]:
        """Where a caller who has not proven who they are would hear, or be sent, what is private."""
        self._follow()
        unproven = Unproven(self.flows, beginning)
        for spot, found in unproven.spots():
            draft = self.flows[spot.flow]
            for said, place in self.says(draft, found):
                what = self._says(draft, said)
                if what:
                    message = f"'{said.prompt}' says {what}, and not every caller has proven who they are here"
                    hint = f"let verify come before it on this way: {unproven.way_to(spot)}"
                    yield place.problem("before-verify", message, hint, DOCS)
            for loc, text in found.step.tells_who_calls() if isinstance(found.step, Message) else ():
                what = self._in(draft, text.examine(self.names(draft)))
                if what:
                    message = f"this tells whoever calls {what}, and not every caller has proven who they are here"
                    hint = f"let verify come before it on this way: {unproven.way_to(spot)}"
                    yield place_of(found.value, loc).problem("before-verify", message, hint, DOCS)

    def _says(self, draft: Draft, said: Said) -> str:
        """The private field that a prompt tells; empty when it tells none."""
        if draft.head is None or unproven_truth(said.when) is False:
            return ""
        names = self.names(draft)
        own = {name: what for name, kind in said.names.items() if (what := self.private.kind(kind))}
        own |= {name: what for name, value in said.own.items() if (what := self._in(draft, value.examine(names)))}
        for language in draft.head.languages:
            text, _ = self.texts[language].entries.get(said.prompt, (None, None))
            if text is None or text.fixed is not None or said.prompt in self.texts[language].recordings:
                continue
            use = (draft.file, said.prompt, language, f"{sorted(own.items())}{sorted(map(str, said.names.items()))}")
            if use not in self._told:
                self._told[use] = self._in(draft, text.examine({**names, **said.names}), own)
            if self._told[use]:
                return self._told[use]
        return ""

    def _in(self, draft: Draft, findings: Findings, own: Mapping[str, str] = {}) -> str:
        """The private field that an expression or text uses where it does not ask if the caller is verified itself."""
        tainted = {**self._tainted.get(draft.file, {}), **own}
        fields = [self.private.fields.get(used) or self.private.types.get(used[0]) for used in findings.open_fields]
        paths = [tainted.get(path) for path in findings.open_reads]
        return min((found for found in (*fields, *paths) if found), default="")

    def _follow(self) -> None:
        """Find out which answers, given and gained values are private, until nothing new is found."""
        steps: list[tuple[Draft, DraftStep]] = [
            (draft, found)
            for draft in self.flows.values()
            for block, found in ((block, found) for block, steps in draft.blocks.items() for found in steps)
            if isinstance(found.step, Set) or found.step.calls() is not None
        ]
        for draft in self.flows.values():
            self._tainted[draft.file] = self._by_type(draft)
        while any([self._passes_on(draft, found) for draft, found in steps]):
            pass

    def _by_type(self, draft: Draft) -> dict[str, str]:
        """The answers and given values that are private by what they are, wherever they come from."""
        names = self.names(draft)
        return {
            f"{group}.{name}": what
            for group in ("answers", "given")
            if isinstance(names[group], dict)
            for name, kind in names[group].items()
            if (what := self.private.kind(kind))
        }

    def _passes_on(self, draft: Draft, found: DraftStep) -> bool:
        """Whether a step was found to make something private that was not known to be so."""
        names, made = self.names(draft), list[tuple[str, str, str]]()
        if isinstance(found.step, Set):
            for name, value in found.step.answers.items():
                made.append((draft.file, f"answers.{name}", self._in(draft, value.examine(names))))
        call = found.step.calls()
        callee = self.flows.get(call.flow) if call else None
        if call is not None and callee is not None and callee.head is not None:
            for name, value in call.given.items():
                made.append((callee.file, f"given.{name}", self._in(draft, value.examine(names))))
            if call.into is not None:
                theirs = self.names(callee)
                for name, value in callee.head.gives.items():
                    made.append((draft.file, f"answers.{call.into}.{name}", self._in(callee, value.examine(theirs))))
        new = [(file, path, what) for file, path, what in made if what and path not in self._tainted[file]]
        for file, path, what in new:
            self._tainted[file][path] = what
        return bool(new)


def beginning_of(flows: Collection[str], named: Collection[str], leads_to: Mapping[str, Collection[str]]) -> set[str]:
    """The flows in which calls begin: those that are named, and of the others as few as lead to all of them."""
    led = {target for name, targets in leads_to.items() for target in targets if target != name}
    beginning = {name for name in flows if name in named or name not in led}
    seen: set[str] = set()
    for name in (*sorted(beginning), *flows):
        if name not in seen:
            beginning.add(name)
            waiting = [name]
            while waiting:
                found = waiting.pop()
                if found not in seen:
                    seen.add(found)
                    waiting += leads_to.get(found, ())
    return beginning
