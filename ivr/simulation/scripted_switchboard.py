"""A switchboard that answers as a script says: Asterisk seen from the dialer, without Asterisk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ivr.domain.dialling import DialOutcome, DialRequest
from ivr.errors import AmiUnavailable


@dataclass
class ScriptedSwitchboard:
    """Dials nothing and remembers everything (a `ivr.ports.Switchboard`).

    `outcomes` are given out one a dial, the last for ever. `on_dial` runs before each
    outcome, to set marks or channels as Asterisk's extensions would, or to raise.
    """

    agents: int = 1
    outcomes: list[DialOutcome] = field(default_factory=lambda: [DialOutcome.ANSWERED])
    on_dial: Callable[[DialRequest], None] = lambda request: None
    available: bool = True
    dialled: list[DialRequest] = field(default_factory=list)
    channels: set[str] = field(default_factory=set)
    ringing: set[str] = field(default_factory=set)
    marks: dict[str, str] = field(default_factory=dict)

    async def dial(self, request: DialRequest) -> DialOutcome:
        """The next outcome. Raises AmiUnavailable when not available."""
        self._check()
        self.dialled.append(request)
        self.on_dial(request)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]

    async def is_up(self, channel_id: str) -> bool:
        """Whether `channels` or `ringing` holds it. Raises AmiUnavailable when not available."""
        self._check()
        return channel_id in self.channels | self.ringing

    async def mark(self, key: str) -> str | None:
        """What `marks` holds. Raises AmiUnavailable when not available."""
        self._check()
        return self.marks.get(key)

    async def forget_mark(self, key: str) -> None:
        """Take it out of `marks`. Raises AmiUnavailable when not available."""
        self._check()
        self.marks.pop(key, None)

    async def stop_ringing(self, channel_id: str) -> None:
        """Take it out of `ringing`. Raises AmiUnavailable when not available."""
        self._check()
        self.ringing.discard(channel_id)

    async def free_agents(self, asterisk_queues: Sequence[str]) -> int:
        """`agents`. Raises AmiUnavailable when not available."""
        self._check()
        return self.agents

    def _check(self) -> None:
        if not self.available:
            raise AmiUnavailable("the switchboard's script says so")
