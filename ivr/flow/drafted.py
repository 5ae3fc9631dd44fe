"""Drafted flows: the flows as they would be if one of them said what a file says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ivr.errors import InvalidFiles
from ivr.flow.drafts import read_flow
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.flow.sources import FLOWS, Sources
from ivr.yamlfile.problem import Problem


def drafted(sources: Sources, file: Path) -> tuple[str, FlowSet]:
    """The flow that a file says anew, by name, and all flows with it.

    Raises:
        InvalidFiles: the file has mistakes, or the flows have without it.
    """
    draft = read_flow(file, sources.shown(file))
    if draft.head is None:
        raise InvalidFiles(draft.problems)
    name = str(draft.head.flow)
    files = dict(load(sources).files)
    own = next((path for path, content in files.items() if _says(path, content) == name), FLOWS + file.name)
    files[own] = draft.data
    try:
        return name, load(replace(sources, given=files))
    except InvalidFiles as invalid:
        replaced = sources.shown(sources.flows / own.removeprefix(FLOWS))
        raise InvalidFiles(
            [
                replace(problem, file=draft.file)
                if isinstance(problem, Problem) and problem.file == replaced
                else problem
                for problem in invalid.problems
            ]
        ) from invalid


def _says(path: str, content: bytes) -> str:
    """The name of the flow that a file says; empty when it is a file with texts."""
    head = read_flow(Path(path), path, content).head if path.startswith(FLOWS) else None
    return str(head.flow) if head else ""
