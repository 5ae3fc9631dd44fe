"""After hang-up: steps that would speak to a caller who has left."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ivr.flow.drafts import DOCS, Draft
from ivr.flow.names import BlockName, FlowName
from ivr.flow.step import mentioned
from ivr.flow.steps import KINDS
from ivr.yamlfile.problem import Problem


def steps_without_caller(draft: Draft, blocks: Collection[BlockName]) -> Iterator[Problem]:
    """The steps of `blocks`, which are gone through when the caller has left, that need a caller."""
    possible = ", ".join(kind for kind, step in KINDS.items() if not step.needs_caller)
    for name, steps in draft.blocks.items():
        for found in steps if name in blocks else ():
            elsewhere = any(isinstance(named, FlowName) for _, named in mentioned(found.step))
            if found.step.needs_caller or elsewhere:
                message = (
                    "another flow speaks, and the caller has left here"
                    if elsewhere
                    else f"'{found.step.kind}' needs a caller, who has left here"
                )
                place = found.item.key(found.step.kind)
                yield place.problem("on-hangup", message, f"what can be done then: {possible}", f"{DOCS}#on_hangup")
