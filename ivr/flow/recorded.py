"""Recorded prompts: recordings that cannot be heard, and those that hide what a text would say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ivr.flow.drafts import DraftTexts
from ivr.yamlfile.nodes import Place, Source
from ivr.yamlfile.problem import Problem

DOCS = "docs/prompts.md#recordings"
Listen = Callable[[Path], str]
"""What keeps a recording from being heard, in an admin's words; empty when nothing does."""


def recording_problems(texts: DraftTexts, listen: Listen | None, shown: Callable[[Path], str]) -> Iterator[Problem]:
    """What is wrong with the recordings of a language."""
    for name, path in sorted(texts.recordings.items()):
        text, node = texts.entries.get(name, (None, None))
        fault = listen(path) if listen else ""
        if fault and text is not None:
            yield whole_file(shown(path)).warning("recording", f"{fault}; the text is spoken instead", "", DOCS)
        elif fault:
            yield whole_file(shown(path)).problem("recording", fault, "", DOCS)
        elif text is not None and text.fixed is None and node is not None:
            message = f"{shown(path)} is heard instead of this text, and never says what belongs between the braces"
            yield node.place.problem(
                "recording", message, "remove it, or record the fixed part as another prompt", DOCS
            )


def whole_file(file: str) -> Place:
    """The place of a file that has no lines."""
    return Place(Source(file, ()), 1, 1, 1, 2)
