"""Unused prompts: texts and recordings that nobody ever hears."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from ivr.flow.drafts import DOCS, DraftTexts
from ivr.flow.engine import APOLOGY
from ivr.flow.recorded import whole_file
from ivr.flow.steps import KINDS
from ivr.yamlfile.problem import Problem

UNUSED = "unused-prompt"
OWN = frozenset({APOLOGY}).union(*(kind.own_texts for kind in KINDS.values()))
"""What steps say by themselves: it is there for the flow that will have such a step."""


def unused_prompts(texts: DraftTexts, said: Collection[str], shown: Callable[[Path], str]) -> Iterator[Problem]:
    """The prompts of a language that no flow, triage or kind of step says."""
    places = {name: whole_file(shown(path)) for name, path in texts.recordings.items()}
    places |= {name: node.place for name, (_, node) in texts.entries.items()}
    for name in places.keys() - said - OWN:
        yield places[name].warning(UNUSED, f"nothing says '{name}'", "remove it, or say it", f"{DOCS}#prompts")
