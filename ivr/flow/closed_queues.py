"""Closed queues: steps that would send a caller where nobody is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivr.flow.drafts import DOCS, Draft, DraftStep
from ivr.flow.expressions import Expression
from ivr.flow.names import QueueName
from ivr.flow.step import mentioned
from ivr.flow.steps.queue import Queue
from ivr.flow.steps.transfer import Transfer
from ivr.flow.ways import can_give_up, giving_up
from ivr.yamlfile.nodes import place_of
from ivr.yamlfile.problem import Problem


@dataclass(frozen=True, slots=True)
class ClosedQueues:
    """Finds the steps at which a caller could wait for nobody: a queue has a gap, and nothing looks at the hours.

    `gaps` says when the first gap in a queue's hours is, for each of the `queues` that is not always open. `fallback`
    takes callers whom nothing else takes. A flow that has `open` or `queue.open` in a condition is taken to know what
    it does.
    """

    drafts: Sequence[Draft]
    gaps: Mapping[str, str]
    queues: Collection[str]
    fallback: str | None

    def problems(self) -> Iterator[Problem]:
        """Every problem of that kind."""
        unaware = [draft for draft in self.drafts if not _looks_at_hours(draft)] if self.gaps else []
        for draft in unaware:
            yield from self._waiting(draft)
        if self.fallback in self.gaps:
            yield from self._given_up(unaware)

    def _waiting(self, draft: Draft) -> Iterator[Problem]:
        for found in _steps(draft):
            match found.step:
                case Queue(queue=queue, closed=None) if queue in self.gaps:
                    message = f"queue '{queue}' is closed ({self.gaps[queue]}), and a caller would wait there"
                    hint = "write where to go then: { queue: …, closed: … }"
                    yield place_of(found.value, ("queue",)).problem("closed-queue", message, hint, f"{DOCS}#queue")
                case Transfer(queue=queue) if (queue or self.fallback) in self.gaps:
                    yield self._after_transfer(found, queue)

    def _after_transfer(self, found: DraftStep, queue: QueueName | None) -> Problem:
        """A queue has nowhere else to go here, so only another queue helps; without one that is always open, it is
        a warning.
        """
        name = queue or self.fallback or ""
        place = place_of(found.value, ("queue",)) if queue else found.item.key(found.step.kind)
        message = (
            f"queue '{name}' is closed ({self.gaps[name]}), and a caller would wait there when the telephone is not "
            "answered"
        )
        always = min((each for each in self.queues if each not in self.gaps), default="")
        other = f"name a queue that is always open: {{ to: …, queue: {always} }}; or " if always else ""
        hint, docs = f"{other}let a condition mind queue.open or open.<name>", f"{DOCS}#transfer"
        if always:
            return place.problem("closed-queue", message, hint, docs)
        return place.warning("closed-queue", message, hint, docs)

    def _given_up(self, drafts: Sequence[Draft]) -> Iterator[Problem]:
        """A warning for each flow that leaves callers to the fallback queue, at the first step that does.

        Whom a flow that was called gives up goes on in the one that called it.
        """
        called = {call.flow for draft in self.drafts for found in _steps(draft) if (call := found.step.calls())}
        leaving = giving_up(self.drafts)
        for draft in drafts:
            if draft.head is None or draft.head.otherwise is not None or draft.head.flow in called:
                continue
            giving = [found for found in _steps(draft) if any(way.gives_up for way in found.step.exits())]
            for found in [found for found in giving if can_give_up(found.step, leaving)][:1]:
                message = (
                    f"who is not helped here goes to the fallback queue '{self.fallback}', which is closed "
                    f"({self.gaps[str(self.fallback)]})"
                )
                hint, docs = (
                    "write otherwise: in this flow, and a block that minds the hours",
                    f"{DOCS}#when-a-caller-is-not-helped",
                )
                yield found.item.key(found.step.kind).warning("closed-queue", message, hint, docs)


def _steps(draft: Draft) -> Iterator[DraftStep]:
    return (found for steps in draft.blocks.values() for found in steps)


def _looks_at_hours(draft: Draft) -> bool:
    expressions = (
        value for found in _steps(draft) for _, value in mentioned(found.step) if isinstance(value, Expression)
    )
    return any(not {"open", "queue.open"}.isdisjoint(expression.examine({}).reads) for expression in expressions)
