"""Closed queues: steps that would send a caller where nobody is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ivr.flow.drafts import DOCS, Draft
from ivr.flow.expressions import Expression
from ivr.flow.step import mentioned
from ivr.flow.steps.queue import Queue
from ivr.yamlfile.nodes import place_of
from ivr.yamlfile.problem import Problem


def closed_queues(draft: Draft, gaps: Mapping[str, str]) -> Iterator[Problem]:
    """The `queue` steps at which a caller could wait for nobody: the queue has a gap, and nothing looks at the hours.

    A flow that has `open` or `queue.open` in a condition is taken to know what it does.
    """
    if any(_looks_at_hours(found.step) for steps in draft.blocks.values() for found in steps):
        return
    for steps in draft.blocks.values():
        for found in steps:
            if isinstance(found.step, Queue) and found.step.closed is None and found.step.queue in gaps:
                place = place_of(found.value, ("queue",))
                message = (
                    f"queue '{found.step.queue}' is closed ({gaps[found.step.queue]}), and a caller would wait there"
                )
                hint = "write where to go then: { queue: …, closed: … }"
                yield place.problem("closed-queue", message, hint, f"{DOCS}#queue")


def _looks_at_hours(step: object) -> bool:
    read = {path for _, value in mentioned(step) if isinstance(value, Expression) for path in value.examine({}).reads}
    return "open" in read or "queue.open" in read
