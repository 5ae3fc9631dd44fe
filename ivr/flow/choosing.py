"""Choosing: what becomes chosen for a flow when somebody returns to a version or tries one on a share of the calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ivr.domain.flow_version import FILES, FlowChoice
from ivr.flow.history import FlowHistory

THE_FILES = "files"
"""What a user writes for the version that the files hold."""


@dataclass(frozen=True, slots=True)
class Chooser:
    """Somebody who chooses for a flow, now. Every method gives what is chosen then; None: what the files say.

    Every method raises ValueError, with words for the user, when there is nothing to choose.
    """

    history: FlowHistory
    flow: str
    at: datetime
    by: str

    def roll_back(self, wanted: str | None) -> FlowChoice | None:
        """All calls get the wanted version; without one, that before the one they get now."""
        if wanted is None:
            now = self.history.named(self.flow, self._version())
            before = self.history.before(self.flow, now)
            if before is None:
                raise ValueError(f"there is no version of '{self.flow}' before {now}")
            return self._choice(before.version)
        return self._choice(self._find(wanted))

    def try_out(self, wanted: str, percent: int) -> FlowChoice | None:
        """A share of the calls gets the wanted version, the others what they get now.

        When both are that of the files, the others get the version before.
        """
        candidate, others = self._find(wanted), self._version()
        if candidate == others == FILES:
            before = self.history.before(self.flow, self.history.files_version(self.flow))
            if before is None:
                raise ValueError(f"there is no earlier version of '{self.flow}' for the other calls")
            others = before.version
        if candidate == others:
            raise ValueError(f"all calls that begin in '{self.flow}' get that version already")
        return self._choice(others, candidate, percent)

    def promote(self) -> FlowChoice | None:
        """All calls get the version that a share has now."""
        return self._choice(self._candidate())

    def stop(self) -> FlowChoice | None:
        """No call gets the version that a share has now."""
        self._candidate()
        return self._choice(self._version())

    def _version(self) -> str:
        choice = self.history.choice(self.flow)
        return choice.version if choice else FILES

    def _candidate(self) -> str:
        choice = self.history.choice(self.flow)
        if choice is None or choice.candidate is None:
            raise ValueError(f"no version of '{self.flow}' is tried on a share of the calls")
        return choice.candidate

    def _find(self, wanted: str) -> str:
        files = self.history.files_version(self.flow)
        if wanted == THE_FILES:
            return FILES
        found = self.history.matching(self.flow, wanted)
        if len(found) != 1:
            problem = "more than one version" if found else "no version"
            raise ValueError(f"{problem} of '{self.flow}' begins with '{wanted}'; `ivr flows --all` shows them")
        return FILES if found[0].version == files else found[0].version

    def _choice(self, version: str, candidate: str | None = None, percent: int = 0) -> FlowChoice | None:
        if version == FILES and candidate is None:
            return None
        files = self.history.files_version(self.flow)
        return FlowChoice(self.flow, files, version, self.at, self.by, candidate, percent)
