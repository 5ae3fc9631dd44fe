"""Signatures: what flows take and give, and whether those who call them agree."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ivr.domain.dossier import Order
from ivr.flow.answers import answer_kinds
from ivr.flow.course import MOST_CALLS
from ivr.flow.drafts import DOCS, Draft, DraftStep
from ivr.flow.expression_types import Names
from ivr.flow.graph import components
from ivr.flow.keyed import Address
from ivr.flow.kinds import Kind, bare, called, fits
from ivr.flow.names import FlowName
from ivr.flow.step import FlowCall, Taken
from ivr.flow.steps.goto import Goto
from ivr.flow.steps.return_ import Return
from ivr.yamlfile.nodes import place_of, word_place
from ivr.yamlfile.problem import Problem, did_you_mean

KINDS_OF: dict[Taken, Kind] = {
    "text": str,
    "number": int,
    "amount": Decimal,
    "yes_no": bool,
    "date": date,
    "address": Address,
    "order": Order,
}
"""The types of what a flow takes, by the words they are written with."""

PAGE = f"{DOCS}#flows-that-are-called"


@dataclass
class Signatures:
    """Knows the flows by name, and works out the names of each and what it gives when that is asked for."""

    drafts: Sequence[Draft]
    context: Names
    _names: dict[str, Names] = field(default_factory=dict)
    _ring: dict[str, int] = field(default_factory=dict)
    """Which flows come to each other again: those with the same number."""
    _depth: dict[int, int] = field(default_factory=dict)
    """How deep the flows of a ring call flows."""

    def __post_init__(self) -> None:
        self.flows: Mapping[str, Draft] = {
            draft.head.flow: draft for draft in reversed(self.drafts) if draft.head is not None
        }
        self._calls: dict[str, set[str]] = {
            name: set(leads_to(draft, by_goto=False)) for name, draft in self.flows.items()
        }
        self._gotos: dict[str, set[str]] = {
            name: set(leads_to(draft, by_call=False)) for name, draft in self.flows.items()
        }
        for number, ring in enumerate(components({name: self.leads(name) for name in self.flows})):
            self._fathom(number, ring)
        for ring in components(self._calls):  # so that a flow is known before those that call it
            for draft in [self.flows[name] for name in ring]:
                self._names[draft.file] = {**self._base(draft), "answers": object}
            for draft in [self.flows[name] for name in ring]:
                self._names[draft.file] = self._worked_out(draft)

    def _fathom(self, number: int, ring: Collection[str]) -> None:
        """How deep flows that come to each other call others, which are known by now. A call inside is refused."""
        self._ring |= dict.fromkeys(ring, number)
        deep = [0]
        for targets, more in ((self._calls, 1), (self._gotos, 0)):
            rings = {self._ring[to] for name in ring for to in targets[name] if to in self.flows}
            deep += [self._depth[below] + more for below in rings - {number}]
        self._depth[number] = max(deep)

    def leads(self, flow: str) -> set[str]:
        """The flows that a flow goes on in, or calls."""
        return self._calls.get(flow, set()) | self._gotos.get(flow, set())

    def names(self, draft: Draft) -> Names:
        """What the expressions of a flow may use."""
        if draft.file not in self._names:  # another file has a flow of that name
            self._names[draft.file] = self._worked_out(draft)
        return self._names[draft.file]

    def _worked_out(self, draft: Draft) -> Names:
        base = self._base(draft)
        return {**base, "answers": answer_kinds(draft, base, self.gives)}

    def _base(self, draft: Draft) -> dict[str, Kind]:
        return {**self.context, "given": self.takes(draft)}

    def takes(self, draft: Draft) -> dict[str, Kind]:
        """The types of what a flow takes."""
        return {str(name): KINDS_OF[word] for name, word in draft.head.takes.items()} if draft.head else {}

    def gives(self, flow: str) -> Kind:
        """The types of what a flow gives, by name; `object` when there is no such flow."""
        draft = self.flows.get(flow)
        if draft is None or draft.head is None:
            return object
        names = self.names(draft)
        return {str(name): bare(value.examine(names).kind) for name, value in draft.head.gives.items()}

    def problems(self, draft: Draft) -> Iterator[Problem]:
        """Where a flow gives what it cannot, or its calls do not agree with the flows they call."""
        if draft.head is None or draft.root is None:
            return
        names = self.names(draft)
        for name, expression in draft.head.gives.items():
            for complaint in expression.examine(names).complaints:
                place = word_place(draft.root, ("gives", name), complaint.word)
                yield place.problem("expression", complaint.message, complaint.hint, f"{DOCS}#expressions")
        steps = [found for block in draft.blocks.values() for found in block]
        if draft.head.gives and draft.whole and not _returns(draft):
            place = place_of(draft.root, ("gives",), key=True)
            yield place.problem("call", "this flow gives something and never returns", "end a block with return", PAGE)
        for found in steps:
            call = found.step.calls()
            if call is not None:
                yield from self._agrees(found, call, names)
            elif isinstance(found.step, Goto) and found.step.flow is not None:
                yield from self._goes_on(draft, found, found.step.flow)
        yield from self._too_deep(draft, steps)

    def _agrees(self, found: DraftStep, call: FlowCall, names: Names) -> Iterator[Problem]:
        callee = self.flows.get(call.flow)
        if callee is None:
            return
        takes = self.takes(callee)
        for name, expression in call.given.items():
            if name not in takes:
                message = f"flow '{call.flow}' does not take '{name}'"
                yield place_of(found.value, ("with", name), key=True).problem(
                    "call", message, did_you_mean(name, takes), PAGE
                )
                continue
            kind = bare(expression.examine(names).kind)
            if (kind is not bool and not fits(kind, (takes[name],))) or (kind is bool) != (takes[name] is bool):
                if kind is object:
                    continue
                message = f"flow '{call.flow}' takes {called(takes[name])} as '{name}', and this is {called(kind)}"
                yield place_of(found.value, ("with", name)).problem("call", message, "", PAGE)
        missing = [name for name in takes if name not in call.given]
        if missing:
            message = f"flow '{call.flow}' takes {', '.join(repr(name) for name in missing)} as well"
            yield found.item.key(found.step.kind).problem("call", message, "write it under with:", PAGE)
        if call.into is not None and callee.head is not None and not callee.head.gives:
            message = f"flow '{call.flow}' gives nothing to keep"
            yield place_of(found.value, ("into",)).problem("call", message, "leave out into:", PAGE)

    def _goes_on(self, draft: Draft, found: DraftStep, flow: FlowName) -> Iterator[Problem]:
        """Whether a flow can go on in another, and that one return for it."""
        place = place_of(found.value, ("flow",))
        callee = self.flows.get(flow)
        if callee is not None and self.takes(callee):
            message = f"flow '{flow}' takes something, which goto cannot give"
            yield place.problem("call", message, "write call: instead", PAGE)
        if draft.head is None or not draft.head.gives:
            return
        for name in sorted(self.reached(flow, by_call=False)):
            other = self.flows.get(name)
            if other is not None and _returns(other) and self.gives(name) != self.gives(draft.head.flow):
                message = f"flow '{name}' returns from here and gives other things than '{draft.head.flow}'"
                yield place.problem("call", message, "write call: instead", PAGE)

    def _too_deep(self, draft: Draft, steps: Sequence[DraftStep]) -> Iterator[Problem]:
        """Calls from which a call could come here again, and so for ever, or deeper than is followed."""
        assert draft.head is not None
        for found in steps:
            call = found.step.calls()
            if call is None or call.flow not in self.flows:
                continue
            place, ring = found.item.key(found.step.kind), self._ring[call.flow]
            if ring == self._ring[draft.head.flow]:
                message = f"flow '{call.flow}' comes to '{draft.head.flow}' again, which calls it"
                yield place.problem("call", message, "let it return instead", PAGE)
            elif self._depth[ring] + 1 == MOST_CALLS + 1:
                message = f"flows call each other {MOST_CALLS + 1} deep from here, and {MOST_CALLS} is the most"
                yield place.problem("call", message, "let one go on in the next with goto", PAGE)

    def reached(self, flow: str, *, by_call: bool = True) -> set[str]:
        """A flow and all it goes on in, or calls."""
        seen, waiting = {flow}, [flow]
        while waiting:
            name = waiting.pop()
            for target in self.leads(name) if by_call else self._gotos.get(name, ()):
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return seen


def leads_to(draft: Draft, *, by_call: bool = True, by_goto: bool = True) -> Iterator[FlowName]:
    """The flows that a flow calls, or goes on in."""
    for block in draft.blocks.values():
        for found in block:
            call = found.step.calls()
            if call is not None and by_call:
                yield call.flow
            elif isinstance(found.step, Goto) and found.step.flow is not None and by_goto:
                yield found.step.flow


def _returns(draft: Draft) -> bool:
    return any(isinstance(found.step, Return) for block in draft.blocks.values() for found in block)
