"""The report of triage: along each path of answers, how many faults were solved without a visit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivr.domain.contact import ContactEvent, EventKind

SOLVED, LEFT = "solved", "left"
Path = tuple[tuple[str, str], ...]
"""Questions with the answers to them, in the order they were asked."""


@dataclass(frozen=True, slots=True)
class PathReport:
    """What became of the callers who answered along a path.

    `results` counts them by `solved`, `ticket`, `visit`, `agent`, and `left` for who hung up
    before there was a result.
    """

    triage: str
    path: Path
    results: Mapping[str, int]

    @property
    def calls(self) -> int:
        """All who answered along this path."""
        return sum(self.results.values())

    @property
    def solved_share(self) -> float:
        """Those whose fault was solved on the telephone, as a share of all on this path."""
        return self.results.get(SOLVED, 0) / self.calls


def triage_paths(contacts: Iterable[Sequence[ContactEvent]]) -> Sequence[PathReport]:
    """The paths that contacts took, by triage, that of most calls first. A contact's events are in order of time."""
    counted: dict[tuple[str, Path], Counter[str]] = defaultdict(Counter)
    for events in contacts:
        for triage, path, result in _walks(events):
            counted[triage, path][result] += 1
    reports = [PathReport(triage, path, dict(results)) for (triage, path), results in counted.items()]
    return sorted(reports, key=lambda report: (report.triage, -report.calls, report.path))


def _walks(events: Sequence[ContactEvent]) -> Iterator[tuple[str, Path, str]]:
    """Every time that one contact went through a triage."""
    under_way: dict[str, list[tuple[str, str]]] = {}
    for event in events:
        triage = str(event.detail.get("triage", ""))
        if event.kind is EventKind.TRIAGE_ANSWER:
            answer = (str(event.detail.get("question")), str(event.detail.get("answer")))
            under_way.setdefault(triage, []).append(answer)
        elif event.kind is EventKind.TRIAGE_RESULT:
            yield triage, tuple(under_way.pop(triage, [])), str(event.detail.get("result"))
    for triage, answers in under_way.items():
        yield triage, tuple(answers), LEFT
