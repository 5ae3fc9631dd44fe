"""Unproven: the steps that a call can come to while its caller has not proven who they are, and by which way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from jinja2 import nodes

from ivr.flow.drafts import Draft, DraftStep
from ivr.flow.expression_types import PROOF, path_of
from ivr.flow.expressions import Expression
from ivr.flow.names import BlockName
from ivr.flow.step import Enter, GiveUp, GoTo, Leave, Next, Result, Step
from ivr.flow.steps.branch import Branch
from ivr.flow.steps.goto import Goto
from ivr.flow.steps.menu import Menu
from ivr.flow.steps.return_ import Return
from ivr.flow.steps.verify import Verify

End = type[Leave] | type[GiveUp]
"""How a flow that was called can be over for an unproven caller."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A step by where it stands, and whether its flow was called, so that another one waits for it."""

    flow: str
    block: BlockName
    index: int = 0
    called: bool = False


class Unproven:
    """Follows the calls that begin in some flows, along every way that does not go through a proof.

    A flow that is called is gone through once, and what becomes of an unproven caller there holds for all its calls.
    So the work grows with the steps and the ways between them.
    """

    def __init__(self, flows: Mapping[str, Draft], beginning: Iterable[str]) -> None:
        self._flows = flows
        self._before: dict[Spot, Spot | None] = {}
        self._waiting: list[Spot] = []
        self._callers: dict[str, list[Spot]] = {}
        """The steps that call a flow."""
        self._continued: dict[str, set[str]] = {}
        """The flows that go on in a flow."""
        self._ends: dict[str, set[End]] = {}
        self._over: list[tuple[str, End]] = []
        """Flows that are over, which those who called them have not been told yet."""
        for flow in sorted(beginning):
            self._enter(flow, None, called=False)
        for spot in self._waiting:  # which grows meanwhile
            self._leave(spot)
            while self._over:
                self._end(*self._over.pop())

    def spots(self) -> Iterator[tuple[Spot, DraftStep]]:
        """Every step that is come to, once, the nearest first."""
        told: set[Spot] = set()
        for spot in self._waiting:
            same = replace(spot, called=not spot.called)
            if same not in told:
                told.add(spot)
                yield spot, self._found(spot)

    def way_to(self, spot: Spot) -> str:
        """A short way to a step: the blocks that are passed, each flow's after its name."""
        passed: list[tuple[str, BlockName]] = []
        at: Spot | None = spot
        while at is not None:
            if not passed or passed[-1] != (at.flow, at.block):
                passed.append((at.flow, at.block))
            at = self._before[at]
        told, flow = "", ""
        for name, block in reversed(passed):
            told += f"{' → ' if told else ''}{f'{name}: ' if name != flow else ''}{block}"
            flow = name
        return told

    def _found(self, spot: Spot) -> DraftStep:
        return self._flows[spot.flow].blocks[spot.block][spot.index]

    def _arrive(self, spot: Spot, before: Spot | None) -> None:
        blocks = self._flows[spot.flow].blocks
        if spot not in self._before and spot.index < len(blocks.get(spot.block, ())):
            self._before[spot] = before
            self._waiting.append(spot)

    def _enter(self, flow: str, before: Spot | None, *, called: bool) -> None:
        draft = self._flows.get(flow)
        if draft is not None and draft.head is not None:
            self._arrive(Spot(flow, draft.head.start, 0, called), before)
            if draft.head.on_hangup is not None:  # who is not proven yet may leave, and then no flow waits for this one
                self._arrive(Spot(flow, draft.head.on_hangup), before)

    def _leave(self, spot: Spot) -> None:
        """Follow every way out of a step."""
        found = self._found(spot)
        if found.on_error is not None:
            self._go(spot, found.on_error)
        for way in _ways(found.step):
            match way:
                case Next():
                    self._arrive(replace(spot, index=spot.index + 1), spot)
                case GoTo(block=block) if block is not None:
                    self._go(spot, block)
                case GoTo(flow=flow) if flow is not None:
                    self._enter(flow, spot, called=spot.called)
                    if spot.called:
                        self._continued.setdefault(flow, set()).add(spot.flow)
                        self._over += [(spot.flow, how) for how in self._ends.get(flow, ())]
                case Enter(flow=flow):
                    self._enter(flow, spot, called=True)
                    self._callers.setdefault(flow, []).append(spot)
                    for how in self._ends.get(flow, ()):
                        self._come_back(spot, how)
                case Leave() if spot.called:
                    self._over.append((spot.flow, Leave))
                case Leave() | GiveUp():
                    self._give_up(spot)

    def _go(self, spot: Spot, block: BlockName) -> None:
        self._arrive(replace(spot, block=block, index=0), spot)

    def _give_up(self, spot: Spot) -> None:
        head = self._flows[spot.flow].head
        if head is not None and head.otherwise is not None:
            self._go(spot, head.otherwise)
        elif spot.called:
            self._over.append((spot.flow, GiveUp))

    def _end(self, flow: str, how: End) -> None:
        """A flow is over so for an unproven caller: so are those that went on in it, and those that called it go on."""
        ends = self._ends.setdefault(flow, set())
        if how not in ends:
            ends.add(how)
            self._over += [(name, how) for name in self._continued.get(flow, ())]
            for caller in self._callers.get(flow, ()):
                self._come_back(caller, how)

    def _come_back(self, caller: Spot, how: End) -> None:
        call = self._found(caller).step
        otherwise = next((way.block for way in call.exits()), None)
        if how is Leave:
            self._arrive(replace(caller, index=caller.index + 1), caller)
        elif otherwise is not None:
            self._go(caller, otherwise)
        else:
            self._give_up(caller)


def _ways(step: Step) -> Iterator[Result]:
    """Where a step can take a caller who has not proven who they are; nothing where the call ends."""
    call = step.calls()
    if call is not None:
        yield Enter(call.flow, {})
        return
    match step:
        case Verify(otherwise=otherwise):
            yield GoTo(otherwise) if otherwise else GiveUp()
        case Branch(ways=ways):
            for way in ways:
                truth = unproven_truth(way.when)
                if truth is not False:
                    yield GoTo(way.goto)
                if truth is True:
                    return
            yield Next()
        case Menu():
            yield from (GoTo(option.goto) for option in step.all_options() if unproven_truth(option.when) is not False)
            yield GoTo(step.no_input) if step.no_input else GiveUp()
        case Goto(flow=flow) if flow is not None:
            yield GoTo(flow=flow)
        case Return():
            yield Leave({})
        case _:
            for exit_ in step.exits():
                if exit_.block is not None or exit_.gives_up:
                    yield GoTo(exit_.block) if exit_.block else GiveUp()
            if step.goes_on:
                yield Next()


def unproven_truth(condition: Expression | None) -> bool | None:
    """What a condition comes to for a caller who has not proven who they are; None: that depends on other things."""
    return True if condition is None else _truth(condition.tree)


def _truth(tree: nodes.Node) -> bool | None:
    if path_of(tree) == PROOF:
        return False
    match tree:
        case nodes.Const():
            return bool(tree.value)
        case nodes.Not():
            inner = _truth(tree.node)
            return None if inner is None else not inner
        case nodes.And() | nodes.Or():
            sides, deciding = {_truth(tree.left), _truth(tree.right)}, isinstance(tree, nodes.Or)
            return deciding if deciding in sides else None if None in sides else not deciding
    return None
