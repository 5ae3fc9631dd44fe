"""Askable: whether there are connected systems for what steps ask of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ivr.domain.capability import Capability
from ivr.flow.drafts import DOCS, Draft
from ivr.yamlfile.problem import Problem


def unaskable(draft: Draft, capabilities: Collection[Capability]) -> Iterator[Problem]:
    """The steps that ask what no connected system can do."""
    for steps in draft.blocks.values():
        for found in steps:
            for missing in sorted(found.step.asks() - set(capabilities)):
                message = (
                    f"no connector under identify.connectors in config.yaml has '{missing}', which this step asks for"
                )
                hint = "connect a system that has it, or leave the step out"
                yield found.item.key(found.step.kind).problem("capability", message, hint, f"{DOCS}#{found.step.kind}")


def nobody_does(draft: Draft, errands: Collection[str]) -> Iterator[Problem]:
    """The steps whose errands no connector does."""
    for steps in draft.blocks.values():
        for found in steps:
            for missing in sorted(found.step.errands() - set(errands)):
                message = f"errands.{missing} in config.yaml names no connector for this step"
                hint = "name one there, or leave the step out"
                yield found.item.key(found.step.kind).problem("errand", message, hint, f"{DOCS}#{found.step.kind}")
