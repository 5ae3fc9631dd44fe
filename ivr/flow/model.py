"""The model: flows as they are run, frozen, each with the version it was loaded as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from ivr.domain.language import Language
from ivr.domain.speech import Utterance
from ivr.flow.expressions import Expression, Text
from ivr.flow.names import AnswerName, BlockName
from ivr.flow.step import Step
from ivr.flow.triage import Triage


@dataclass(frozen=True, slots=True)
class Placed:
    """A step in its block. `label` is its name in the journal, such as `main.menu`.

    `keys_count`: a key pressed while it speaks counts for a step further on. `fields` are those of
    the customer that it uses.
    """

    step: Step
    label: str
    on_error: BlockName | None = None
    keys_count: bool = False
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow. `version` is the hash of its file, of those of the flows it may go on in, and of the texts.

    `otherwise` is where a caller goes whom a step could not serve; None: to a person, in the fallback queue. `gives` is
    what a flow that called it gets, `on_hangup` the block that is gone through when the caller has left.
    """

    name: str
    version: str
    languages: tuple[Language, ...]
    start: BlockName
    blocks: Mapping[BlockName, tuple[Placed, ...]]
    otherwise: BlockName | None = None
    gives: Mapping[AnswerName, Expression] = field(default_factory=dict)
    on_hangup: BlockName | None = None


@dataclass(frozen=True, slots=True)
class Prompts:
    """What can be said: the texts of every language, and the names that have a recording."""

    texts: Mapping[Language, Mapping[str, Text]] = field(default_factory=dict)
    recordings: Mapping[Language, frozenset[str]] = field(default_factory=dict)

    def text(self, language: Language, name: str) -> Text | None:
        """The text of a prompt, if it has one."""
        return self.texts.get(language, {}).get(name)

    def has(self, language: Language, name: str) -> bool:
        """Whether a prompt can be said in a language."""
        return name in self.texts.get(language, {}) or name in self.recordings.get(language, frozenset())


@dataclass(frozen=True, slots=True)
class FlowSet:
    """Every flow and prompt of one moment, checked together. A call keeps the set it began with.

    `files` are those it was made of, such as `flows/main.yaml` and `nl/texts.yaml`; `id` is the hash of them.
    `fields` are those of a customer that the flows use and connected systems are asked for.
    """

    flows: Mapping[str, Flow]
    prompts: Prompts
    files: Mapping[str, bytes] = field(default_factory=dict)
    triages: Mapping[str, Triage] = field(default_factory=dict)
    fields: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """The same whenever the same files are loaded."""
        digest = sha256()
        for name, content in sorted(self.files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:12]

    def versions(self) -> dict[str, str]:
        """The version of each flow, by its name."""
        return {name: flow.version for name, flow in self.flows.items()}

    def fixed_utterances(self) -> Iterator[Utterance]:
        """Everything that is the same in every call, so that it can be made beforehand."""
        for language in sorted({language for flow in self.flows.values() for language in flow.languages}):
            texts = self.prompts.texts.get(language, {})
            for name, text in texts.items():
                if text.fixed is not None:
                    yield Utterance(name, language, text.fixed)
            for name in sorted(self.prompts.recordings.get(language, frozenset()) - texts.keys()):
                yield Utterance(name, language, "")
