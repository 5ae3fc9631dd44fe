"""Drafts: flow files and texts as they were written, with places, before they are known to be right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ivr.domain.language import Language
from ivr.flow.expressions import Expression, Text, text_of
from ivr.flow.names import AnswerName, BlockName, FlowName, Name
from ivr.flow.step import Settings, Step, Taken
from ivr.flow.steps import KINDS
from ivr.yamlfile.binding import bind
from ivr.yamlfile.nodes import Listing, Node, Scalar, Table
from ivr.yamlfile.problem import Problem, did_you_mean
from ivr.yamlfile.reading import Document, parse_bytes, read_document

DOCS = "docs/flows.md"
ON_ERROR = "on_error"


class FlowFile(Settings):
    """What a flow file says, its steps not yet looked at."""

    flow: FlowName
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = (Language.NL,)
    start: BlockName
    otherwise: BlockName | None = None
    on_hangup: BlockName | None = None
    takes: dict[AnswerName, Taken] = Field(default={})
    gives: dict[AnswerName, Expression] = Field(default={})
    blocks: Annotated[dict[BlockName, Annotated[list[Any], Field(min_length=1)]], Field(min_length=1)]


class Modifiers(Settings):
    """What may stand beside any kind of step."""

    on_error: BlockName | None = None


@dataclass(frozen=True, slots=True)
class DraftStep:
    """A step that could be read: its settings, and where they stand (`value`) and are named (`item`)."""

    step: Step
    item: Table
    value: Node
    on_error: BlockName | None


@dataclass
class Draft:
    """A flow file. `whole` when every step of it could be read."""

    file: str
    root: Node | None
    digest: str = ""
    data: bytes = b""
    head: FlowFile | None = None
    blocks: dict[BlockName, list[DraftStep]] = field(default_factory=dict)
    whole: bool = True
    problems: list[Problem] = field(default_factory=list)

    def block_node(self, block: str) -> Node:
        """Where a block is written."""
        blocks = self.root.get("blocks") if isinstance(self.root, Table) else None
        assert isinstance(blocks, Table)
        return blocks.entries[block][0]


@dataclass
class DraftTexts:
    """The texts of one language, and where its recordings lie.

    `entries` keeps every text's place; names without a usable text are left out.
    """

    language: Language
    file: str
    digest: str = ""
    data: bytes = b""
    entries: dict[str, tuple[Text, Node]] = field(default_factory=dict)
    recordings: Mapping[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, shipped: DraftTexts) -> None:
        """Have the texts and recordings that come with Klantlijn where there are none of one's own.

        A text of one's own goes before a shipped recording, too.
        """
        sounds = {name: path for name, path in shipped.recordings.items() if name not in self.entries}
        self.recordings = {**sounds, **self.recordings}
        self.entries = {**shipped.entries, **self.entries}


def read_flow(path: Path, shown: str, data: bytes | None = None) -> Draft:
    """A flow file as far as it can be read, or what it says instead of what is on the disk; never raises."""
    document = read_document(path, shown=shown) if data is None else parse_bytes(data, shown)
    draft = Draft(shown, document.root, document.digest, document.data, problems=list(document.problems))
    if document.root is None:
        draft.whole = False
        return draft
    draft.head, problems = bind(document.root, FlowFile, docs=DOCS)
    draft.problems += problems
    blocks = document.root.get("blocks") if isinstance(document.root, Table) else None
    if isinstance(blocks, Table):
        for name, (_, steps) in blocks.entries.items():
            items = steps.items if isinstance(steps, Listing) else ()
            draft.blocks[BlockName(name)] = list(_read_steps(draft, items))
    draft.whole = not draft.problems
    return draft


def _read_steps(draft: Draft, items: tuple[Node, ...]) -> Iterator[DraftStep]:
    for item in items:
        step, problems = _read_step(item)
        draft.problems += problems
        if step is not None:
            yield step


def _read_step(item: Node) -> tuple[DraftStep | None, list[Problem]]:
    if isinstance(item, Scalar):
        hint = f"write '{item.text}: …'" if item.text in KINDS else did_you_mean(item.text, KINDS)
        return None, [item.place.problem("step", "a step is a kind and what it needs: say: welcome", hint, DOCS)]
    if not isinstance(item, Table) or not item.entries:
        return None, [item.place.problem("step", "a step is a kind and what it needs: say: welcome", "", DOCS)]
    kinds = [key for key in item.entries if key in KINDS]
    unknown = [key for key in item.entries if key not in KINDS and key != ON_ERROR]
    if len(kinds) != 1:
        return None, [_no_one_kind(item, kinds, unknown)]
    kind = kinds[0]
    value = item.entries[kind][1]
    problems = [
        item.key(key).problem(
            "unknown-key", f"unknown key '{key}' beside '{kind}'", _beside(key, kind), f"{DOCS}#{kind}"
        )
        for key in unknown
    ]
    step, found = bind(value, KINDS[kind], docs=f"{DOCS}#{kind}")
    if isinstance(value, Scalar) and value.plain is None:
        found = [_at_key(item, kind, problem) for problem in found]
    modifiers = Table(item.place, {key: entry for key, entry in item.entries.items() if key == ON_ERROR})
    beside, wrong = bind(modifiers, Modifiers, docs=f"{DOCS}#on_error")
    problems += [*found, *wrong]
    if step is None or beside is None or unknown:
        return None, problems
    return DraftStep(step, item, value, beside.on_error), problems


def _at_key(item: Table, kind: str, problem: Problem) -> Problem:
    return item.key(kind).problem(problem.rule, problem.message, problem.hint, problem.docs)


def _no_one_kind(item: Table, kinds: list[str], unknown: list[str]) -> Problem:
    if len(kinds) > 1:
        place = item.key(kinds[1])
        return place.problem("step", f"one step cannot be '{kinds[0]}' and '{kinds[1]}'", "put '- ' before it", DOCS)
    if unknown:
        place = item.key(unknown[0])
        return place.problem("unknown-step", f"unknown step '{unknown[0]}'", did_you_mean(unknown[0], KINDS), DOCS)
    return item.key(ON_ERROR).problem("step", "this step has no kind", "put it beside a step such as say", DOCS)


def _beside(key: str, kind: str) -> str:
    if key in KINDS[kind].model_fields:
        return f"indent it further, so that it belongs to '{kind}'"
    return did_you_mean(key, [ON_ERROR])


def read_texts(document: Document | None, folder: Path, language: Language, shown: str) -> DraftTexts:
    """The texts of a language (None: no such file), and its recordings in `folder`; never raises."""
    found = DraftTexts(language, shown)
    found.recordings = {path.stem: path for path in sorted((folder / language.value).glob("*.[wW][aA][vV]"))}
    if document is None:
        return found
    found.digest, found.data = document.digest, document.data
    found.problems += document.problems
    if document.root is None:
        return found
    if not isinstance(document.root, Table):
        found.problems.append(document.root.place.problem("texts", "here stand names and their texts", "", DOCS))
        return found
    for name, (key, value) in document.root.entries.items():
        try:
            Name.checked(name)
            found.entries[name] = (_text(value), value)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            place = value.place if isinstance(value, Scalar) and value.text else key.place
            found.problems.append(place.problem("text", message, hint, f"{DOCS}#texts"))
    return found


def _text(value: Node) -> Text:
    if not isinstance(value, Scalar) or not value.text.strip():
        raise ValueError("a text belongs here; write what is to be said")
    return text_of(value.text)
