"""Sources: where flows and prompts are, and what a configuration says that they have to agree with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ivr.domain.capability import Capability
from ivr.domain.hand_over import Destinations
from ivr.domain.language import Language
from ivr.flow.entrances import Entrance
from ivr.flow.recorded import Listen
from ivr.yamlfile.nodes import Place
from ivr.yamlfile.reading import Document, parse_bytes, read_document

FLOWS, TRIAGE, TEXTS = "flows/", "triage/", "texts.yaml"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where flows and prompts are, and the queues and named hours there are (None: not to be checked).

    `queue_gaps` says when the first gap in a queue's hours is, for each that is not always open,
    `destinations` where callers may be taken besides, `capabilities` what the connected systems can do,
    `errands` the keys under `errands` that name a connector.
    `shown_from`: paths in problems are shown relative to this folder where they lie in it.
    `given`: what the files say instead of what is on the disk, named as in `FlowSet.files`.
    `entrances`: where calls begin; None when these are not all the flows of a configuration.
    `fallback` is the queue of callers whom nothing else takes.
    `private`: fields of the caller that are only spoken after `verify`, and where they are named, if somebody did.
    `listen` tells what keeps a recording from being heard.
    """

    flows: Path
    prompts: Path
    queues: Collection[str] | None = None
    shown_from: Path | None = None
    given: Mapping[str, bytes] | None = None
    hours: Collection[str] | None = None
    queue_gaps: Mapping[str, str] = field(default_factory=dict)
    destinations: Destinations | None = None
    capabilities: Collection[Capability] | None = None
    errands: Collection[str] | None = None
    entrances: Sequence[Entrance] | None = None
    private: Mapping[str, Place | None] = field(default_factory=dict)
    fallback: str | None = None
    listen: Listen | None = None

    def flow_files(self) -> list[Path]:
        """The flow files, sorted by name."""
        if self.given is not None:
            return sorted(self.flows / name.removeprefix(FLOWS) for name in self.given if name.startswith(FLOWS))
        return sorted(self.flows.glob("*.yaml"))

    def triage_files(self) -> list[Path]:
        """The files with triage, sorted by name."""
        if self.given is not None:
            return sorted(self.flows / name for name in self.given if name.startswith(TRIAGE))
        return sorted((self.flows / TRIAGE).glob("*.yaml"))

    def texts(self, language: Language) -> Document | None:
        """What the file with a language's texts says; None when there is none."""
        name = f"{language.value}/{TEXTS}"
        path = self.prompts / name
        if self.given is not None:
            return parse_bytes(self.given[name], self.shown(path)) if name in self.given else None
        return read_document(path, shown=self.shown(path)) if path.exists() else None

    def shown(self, path: Path) -> str:
        """A path as problems show it."""
        if self.shown_from is not None and path.is_relative_to(self.shown_from):
            return str(path.relative_to(self.shown_from))
        return str(path)

    def state(self) -> tuple[tuple[str, int, int], ...]:
        """Changes when any file does: names, times and sizes."""
        return tuple(sorted(self._states()))

    def changed_by(self) -> str:
        """The user whose file changed last; empty when that cannot be told."""
        texts = [self.prompts / language.value / TEXTS for language in Language]
        try:
            files = [path for path in (*self.flow_files(), *texts) if path.exists()]
            return max(files, key=lambda path: path.stat().st_mtime_ns).owner()
        except (OSError, KeyError, ValueError):
            return ""

    def _states(self) -> Iterator[tuple[str, int, int]]:
        files = [self.flows, *self.flow_files(), self.flows / TRIAGE, *self.triage_files()]
        for language in Language:
            files += [self.prompts / language.value, self.prompts / language.value / TEXTS]
        for path in files:
            try:
                found = path.stat()
            except OSError:
                continue
            yield str(path), found.st_mtime_ns, found.st_size
