"""Fields: which of a customer's a step uses, so that these are asked of the connected systems and waited for."""

from __future__ import annotations

from ivr.domain.capability import KEPT_BY
from ivr.flow.expression_types import reads
from ivr.flow.expressions import Expression, Text
from ivr.flow.model import Prompts
from ivr.flow.names import PromptName
from ivr.flow.step import Step, mentioned

CALLER = "caller."


def fields_used(step: Step, prompts: Prompts) -> frozenset[str]:
    """The fields that a step reads, by its conditions, its texts and itself; those alone that systems keep."""
    read = set(step.fields())
    said = list(step.own_texts)
    for _, found in mentioned(step):
        if isinstance(found, PromptName):
            said.append(found)
        elif isinstance(found, Expression | Text):
            read |= _of_caller(reads(found.tree))
    for texts in prompts.texts.values():
        for name in said:
            if name in texts:
                read |= _of_caller(texts[name].reads)
    return frozenset(read & KEPT_BY.keys())


def _of_caller(paths: set[str] | frozenset[str]) -> set[str]:
    return {path.removeprefix(CALLER).partition(".")[0] for path in paths if path.startswith(CALLER)}
