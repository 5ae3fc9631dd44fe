"""Ways: every step of a flow file with the ways out of it, and which of them a call took."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from ivr.domain.contact import EventKind, Json
from ivr.flow.drafts import Draft, DraftStep
from ivr.flow.expressions import Expression
from ivr.flow.names import BlockName, FlowName, Name
from ivr.flow.step import Loc, Step, mentioned
from ivr.yamlfile.nodes import place_of


class To(StrEnum):
    """What a way leads to."""

    BLOCK = "block"
    NEXT = "next"
    FLOW = "flow"
    PERSON = "person"
    END = "end"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Way:
    """A way out of a step: to a block (also when it fails), the next step, another flow, a person, or the call's end.

    `target` is the name of the block or flow, `label` what opens the way: a key, a condition, a word. `line` is where
    it is written.
    """

    to: To
    target: str
    label: str
    line: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A step by its label in the journal, where it is written, what it is, and the ways out of it.

    `about` is what it says or where it takes a caller: the first prompt, queue or flow that it names.
    """

    label: str
    block: BlockName
    kind: str
    about: str
    line: int
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class FlowMap:
    """All steps of a flow file, in the order they are written."""

    flow: str
    file: str
    start: BlockName
    stops: Mapping[str, Stop]
    on_hangup: BlockName | None = None

    @classmethod
    def all_of(cls, drafts: Sequence[Draft]) -> Sequence[FlowMap]:
        """The maps of flow files without problems."""
        leaving = giving_up(drafts)
        return [cls._of(draft, leaving) for draft in drafts]

    @classmethod
    def _of(cls, draft: Draft, giving_up: Collection[str]) -> FlowMap:
        assert draft.head is not None, "a map is made of a flow that was checked"
        stops: dict[str, Stop] = {}
        for block, steps in draft.blocks.items():
            labels = list(step_labels(block, [found.step.kind for found in steps]))
            for position, found in enumerate(steps):
                after = labels[position + 1] if position + 1 < len(labels) else ""
                line = found.item.key(found.step.kind).line
                ways = tuple(_ways(found, after, draft.head.otherwise, line, giving_up))
                stops[labels[position]] = Stop(labels[position], block, found.step.kind, _about(found), line, ways)
        return cls(draft.head.flow, draft.file, draft.head.start, stops, draft.head.on_hangup)

    def begins(self, label: str) -> BlockName | None:
        """The block that begins with this step, if one does."""
        stop = self.stops.get(label)
        first = next((other for other in self.stops.values() if stop and other.block == stop.block), None)
        return stop.block if stop and first is stop else None

    def taken(self, move: Move) -> Sequence[Way]:
        """The ways a move may have gone: more than one only when no key tells apart those that lead to the same place.

        None of them: the call was left in the middle of the step, or the flow was another version.
        """
        stop = self.stops.get(move.step)
        if stop is None:
            return ()
        found = [way for way in stop.ways if self._goes(way, move)]
        if not found and move.next_flow != self.flow and not move.failed and not move.hung_up:
            # The step gave up, and the call is back in the flow that called this one.
            return [way for way in stop.ways if way.to is To.PERSON]
        by_key = [way for way in found if move.keys and way.label == move.keys]
        return by_key or [way for way in found if not move.keys or not _is_key(way.label)] or found

    def _goes(self, way: Way, move: Move) -> bool:
        if move.hung_up:
            return False
        if move.failed or way.to is To.ERROR:
            return move.failed and way.to is To.ERROR and self.begins(move.next) == way.target
        if move.next_flow != self.flow:
            return way.to is To.FLOW and way.target == move.next_flow
        match way.to:
            case To.NEXT:
                return way.target == move.next
            case To.BLOCK:
                return bool(move.next) and self.begins(move.next) == way.target
            case To.PERSON | To.END:
                return not move.next
        return False


@dataclass(frozen=True, slots=True)
class Move:
    """A call went from one step to `next` (empty: it was over), in `next_flow`. `keys`: pressed last in the step."""

    flow: str
    step: str
    next: str
    next_flow: str
    keys: str = ""
    failed: bool = False
    hung_up: bool = False


class Happened(Protocol):
    """An event of a call, from the journal or a simulation."""

    @property
    def kind(self) -> EventKind: ...
    @property
    def step(self) -> str: ...
    @property
    def detail(self) -> Mapping[str, Json]: ...


def moves(events: Iterable[Happened], flow: str) -> Iterator[Move]:
    """How a call went from step to step. `flow` is the one it began with."""
    here, step, keys, failed, hung_up = flow, "", "", False, False
    left: dict[str, str] = {}
    for event in events:
        if event.kind is EventKind.STEP:
            there = str(event.detail.get("flow", flow))
            if step:
                yield Move(here, step, event.step, there, keys, failed, hung_up)
                if there != here:
                    left[here] = step
                    if there in left:  # back from a flow that was called
                        yield Move(there, left.pop(there), event.step, there)
            here, step, keys, failed, hung_up = there, event.step, "", False, False
        elif event.kind is EventKind.DIGITS:
            keys = str(event.detail.get("keys", ""))
        elif event.kind is EventKind.ERROR:
            # A step that copes with an error notes its kind alone, and goes on as it does for other reasons.
            failed = "message" in event.detail
        elif event.kind is EventKind.HUNG_UP:
            hung_up = True
    if step:
        yield Move(here, step, "", here, keys, failed, hung_up)


def step_labels(block: str, kinds: Sequence[str]) -> Iterator[str]:
    """The names that a block's steps have in the journal: block and kind, numbered from the second of a kind on."""
    counted: dict[str, int] = {}
    for kind in kinds:
        counted[kind] = counted.get(kind, 0) + 1
        yield f"{block}.{kind}" if counted[kind] == 1 else f"{block}.{kind}-{counted[kind]}"


def _about(found: DraftStep) -> str:
    named = [name for _, name in mentioned(found.step) if isinstance(name, Name) and not isinstance(name, BlockName)]
    return named[0] if named else ""


def giving_up(drafts: Sequence[Draft]) -> Collection[str]:
    """The flows that may leave a caller to the flow that called them, because they have no `otherwise`."""
    found: set[str] = set()
    while more := {draft.head.flow for draft in drafts if draft.head and _gives_up(draft, found)} - found:
        found |= more
    return found


def _gives_up(draft: Draft, giving_up: Collection[str]) -> bool:
    steps = [found.step for steps in draft.blocks.values() for found in steps]
    if any(name in giving_up for step in steps if not step.calls() for _, name in mentioned(step)):
        return True  # it goes on in such a flow, whatever `otherwise` it has itself
    return (draft.head is None or draft.head.otherwise is None) and any(
        way.gives_up and can_give_up(step, giving_up) for step in steps for way in step.exits()
    )


def can_give_up(step: Step, giving_up: Collection[str]) -> bool:
    """Whether a step that may give up ever does; one that calls a flow does when that flow does."""
    call = step.calls()
    return call is None or call.flow in giving_up


def _ways(
    found: DraftStep, after: str, otherwise: BlockName | None, line: int, giving_up: Collection[str]
) -> Iterator[Way]:
    step = found.step
    for loc, name in mentioned(step):
        if isinstance(name, BlockName | FlowName):
            to = To.BLOCK if isinstance(name, BlockName) else To.FLOW
            yield Way(to, name, _label(step, loc), place_of(found.value, loc, key=True).line if loc else line)
    for way in step.exits():
        if way.block is None and way.gives_up:
            if not can_give_up(step, giving_up):
                continue
            if otherwise is not None:
                yield Way(To.BLOCK, otherwise, "otherwise", line)
            else:
                yield Way(To.PERSON, "", "otherwise", line)
        elif way.block is None and not any(isinstance(name, FlowName) for _, name in mentioned(step)):
            yield Way(To.END, "", step.kind, line)
    if step.goes_on and after:
        yield Way(To.NEXT, after, "", line)
    if found.on_error is not None:
        yield Way(To.ERROR, found.on_error, "on_error", place_of(found.item, ("on_error",)).line)


def _label(step: BaseModel, loc: Loc) -> str:
    """What opens a way, by where its block is named: an option's key, a condition, a field's name."""
    around: Any = step
    for part in loc[:-1]:
        around = _inside(around, part)
    condition = _inside(around, "when")
    keys = [str(part) for part in loc if not isinstance(part, int)]
    if isinstance(loc[-2] if len(loc) > 1 else None, str):
        return str(loc[-2])  # the key of an option; its condition only says whether it is offered
    if key := _inside(around, "key"):
        return str(key)  # of an option in a list
    if isinstance(condition, Expression):
        return condition.source
    return "" if keys[-1:] in (["goto"], ["block"], ["flow"]) else keys[-1]


def _inside(around: object, part: str | int) -> Any:
    if isinstance(around, BaseModel):
        fields = type(around).model_fields
        name = next((name for name, field in fields.items() if part in (name, field.alias)), "")
        return getattr(around, name, None)
    if isinstance(around, Mapping):
        return around.get(part)
    if isinstance(around, Sequence) and isinstance(part, int):
        return around[part]
    return None


def _is_key(label: str) -> bool:
    return len(label) == 1 and label in "0123456789*#"
