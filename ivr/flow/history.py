"""The history: which versions of a flow there were, and which one its calls get now and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.domain.flow_version import FILES, FlowChoice, KeptFlows, Origin


@dataclass(frozen=True, slots=True)
class Period:
    """A version of a flow: the files held it from `since` on, or it was tried as a draft then; `set_id` has it."""

    version: str
    since: datetime
    by: str
    origin: Origin
    set_id: str


class FlowHistory:
    """What was kept (newest first) and what was chosen, looked at flow by flow."""

    def __init__(self, kept: Sequence[KeptFlows], choices: Iterable[FlowChoice]) -> None:
        self._kept = kept
        self._files = next((found for found in kept if found.origin is Origin.FILES), None)
        self._choices = {choice.flow: choice for choice in choices}

    @property
    def flows(self) -> Sequence[str]:
        """The flows that the files held when they were last taken over, by name."""
        return sorted(self._files.versions) if self._files else ()

    def files_version(self, flow: str) -> str:
        """The version that the files held when they were last taken over; FILES when they have no such flow."""
        return self._files.versions.get(flow, FILES) if self._files else FILES

    def choice(self, flow: str) -> FlowChoice | None:
        """What is chosen for a flow, if the files have not overtaken it."""
        choice = self._choices.get(flow)
        return choice if choice and choice.files_version == self.files_version(flow) else None

    def shares(self, flow: str) -> dict[str, int]:
        """The percents of a flow's calls that each version gets."""
        choice = self.choice(flow)
        if choice is None:
            return {self.files_version(flow): 100}
        shares = {self.named(flow, choice.version): 100 - choice.percent}
        if choice.candidate is not None:
            shares[self.named(flow, choice.candidate)] = choice.percent
        return shares

    def named(self, flow: str, version: str) -> str:
        """A version, that of the files by its name."""
        return version or self.files_version(flow)

    def periods(self, flow: str) -> Sequence[Period]:
        """The versions of a flow, newest first, each by its latest period."""
        latest: dict[str, Period] = {}
        before = ""
        for kept in reversed(self._kept):
            version = kept.versions.get(flow)
            if kept.origin is Origin.DRAFT:
                # A draft is its own flow's version and leaves the others as the files have them.
                if version is not None and version not in latest:
                    latest[version] = Period(version, kept.at, kept.by, kept.origin, kept.id)
                continue
            if version is not None and version != before:
                latest.pop(version, None)
                latest[version] = Period(version, kept.at, kept.by, kept.origin, kept.id)
            before = version or ""
        return list(reversed(latest.values()))

    def before(self, flow: str, version: str) -> Period | None:
        """The last version that the files held before another."""
        periods = self.periods(flow)
        position = next((at for at, period in enumerate(periods) if period.version == version), len(periods))
        return next((period for period in periods[position + 1 :] if period.origin is Origin.FILES), None)

    def matching(self, flow: str, beginning: str) -> Sequence[Period]:
        """The versions that begin so."""
        return [period for period in self.periods(flow) if period.version.startswith(beginning)]
