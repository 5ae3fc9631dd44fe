"""The course of a call through flows: where it is, where it came from, and where a step's result takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.errors import StepFailed
from ivr.flow.model import Flow, Placed
from ivr.flow.names import AnswerName, BlockName
from ivr.flow.session import Session
from ivr.flow.step import Enter, GiveUp, GoTo, Leave, Result
from ivr.flow.views import Answers

MOST_CALLS = 16
"""How deep flows may call flows; loading refuses those that call themselves, so no checked flow comes there."""


@dataclass
class Place:
    """A step of a flow, with what the flow was given and what its steps kept, by the flow's name.

    `into`, `otherwise` and `on_error` are those of the step that calls another flow from here.
    """

    flow: Flow
    block: BlockName
    index: int = 0
    given: Mapping[str, Any] = field(default_factory=dict)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    into: AnswerName | None = None
    otherwise: BlockName | None = None
    on_error: BlockName | None = None


class Course:
    """Follows one call. Flows that wait for a flow they called are kept in the order they called."""

    def __init__(self, session: Session, flow: str) -> None:
        """Begin at the start of a flow. Raises StepFailed when there is none of that name."""
        self._session = session
        self.began_in = flow
        self._waiting: list[Place] = []
        self._here = self._start(flow)

    @property
    def flow(self) -> str:
        """The name of the flow it is in."""
        return self._here.flow.name

    def arrive(self) -> Placed:
        """Tell the session where the call is. Raises StepFailed behind the last step of a block."""
        here = self._here
        if here.index >= len(here.flow.blocks[here.block]):
            raise StepFailed(f"block '{here.block}' of flow '{here.flow.name}' has no way on")
        self._session.answers = here.kept.setdefault(here.flow.name, {})
        self._session.given = here.given
        return self._session.arrive(here.flow, here.block, here.index)

    def follow(self, placed: Placed, result: Result) -> bool:
        """Go where the result of a step says. False: nobody is left to take a caller who was given up.

        Raises:
            StepFailed: there is no such flow, or flows call flows too deep.
        """
        match result:
            case Enter():
                self._enter(placed, result)
            case Leave() if self._waiting:
                self._here = self._waiting.pop()
                if self._here.into is not None:
                    self._here.kept[self._here.flow.name][self._here.into] = Answers(result.given)
                self._here.index += 1
            case GoTo(flow=other) if other is not None:
                there = self._start(other)
                there.kept = self._here.kept
                self._here = there
            case GoTo(block=target) if target is not None:
                self._go(target)
            case GiveUp() | Leave():
                return self._given_up()
            case _:
                self._here.index += 1
        return True

    def rescue(self) -> BlockName | None:
        """The block for a step that failed and has none itself: that of the nearest flow that called, which goes on."""
        for position in reversed(range(len(self._waiting))):
            if self._waiting[position].on_error is not None:
                self._here = self._waiting[position]
                del self._waiting[position:]
                return self._here.on_error
        return None

    def hang_up(self) -> bool:
        """Go to the block for when the caller has left: this flow's, else the nearest one's that called it.

        Nobody waits for what is done there. False: none of them has one.
        """
        for place in (self._here, *reversed(self._waiting)):
            if place.flow.on_hangup is not None:
                self._here, self._waiting = place, []
                self._go(place.flow.on_hangup)
                return True
        return False

    @property
    def is_over(self) -> bool:
        """Whether the block has no more steps."""
        return self._here.index >= len(self._here.flow.blocks[self._here.block])

    def _enter(self, placed: Placed, call: Enter) -> None:
        if len(self._waiting) >= MOST_CALLS:
            raise StepFailed(f"flow '{self.flow}' is called too deep")
        there = self._start(call.flow)
        there.given = call.given
        self._here.into, self._here.otherwise, self._here.on_error = call.into, call.otherwise, placed.on_error
        self._waiting.append(self._here)
        self._here = there

    def _given_up(self) -> bool:
        while self._here.flow.otherwise is None:
            if not self._waiting:
                return False
            self._here = self._waiting.pop()
            if self._here.otherwise is not None:
                self._go(self._here.otherwise)
                return True
        self._go(self._here.flow.otherwise)
        return True

    def _go(self, block: BlockName) -> None:
        self._here.block, self._here.index = block, 0

    def _start(self, name: str) -> Place:
        flow = self._session.flows.flows.get(name)
        if flow is None:
            raise StepFailed(f"there is no flow '{name}'")
        return Place(flow, flow.start)
