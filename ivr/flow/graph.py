"""The graph of a flow: where a call can go, where it cannot, and where it would go round for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ivr.flow.names import BlockName
from ivr.flow.step import Step


@dataclass(frozen=True, slots=True)
class Node:
    """A step as the graph sees it."""

    step: Step
    on_error: BlockName | None = None


Blocks = Mapping[BlockName, Sequence[Node]]
N = TypeVar("N", bound=str)


@dataclass
class Edges:
    """The ways out of one block. `alone` are those a call takes without the caller doing anything."""

    alone: set[BlockName] = field(default_factory=set)
    others: set[BlockName] = field(default_factory=set)
    ends_alone: bool = False


@dataclass(frozen=True)
class Graph:
    """A flow's blocks and the ways between them. Names of blocks that do not exist are left out.

    From `on_hangup` on nobody is on the line any more: a block there may just end.
    """

    blocks: Blocks
    start: BlockName
    otherwise: BlockName | None = None
    on_hangup: BlockName | None = None

    def edges(self) -> dict[BlockName, Edges]:
        """The ways out of every block."""
        return {name: self._edges(nodes) for name, nodes in self.blocks.items()}

    def unreachable(self) -> list[BlockName]:
        """Blocks that no call comes to."""
        reached = self._reached(self.start) | self.after_hangup()
        return [name for name in self.blocks if name not in reached]

    def after_hangup(self) -> set[BlockName]:
        """Blocks that a call comes to when the caller has left."""
        return self._reached(self.on_hangup) if self.on_hangup is not None else set()

    def never_reached(self) -> Iterator[tuple[BlockName, int]]:
        """Steps behind one after which nothing follows: the first such in each block."""
        for name, nodes in self.blocks.items():
            for position, node in enumerate(nodes[:-1]):
                if not node.step.goes_on:
                    yield name, position + 1
                    break

    def without_way_on(self) -> Iterator[BlockName]:
        """Blocks whose last step does not say where to go."""
        may_end = self.after_hangup() - self._reached(self.start)
        for name, nodes in self.blocks.items():
            if name not in may_end and all(node.step.goes_on for node in nodes):
                yield name

    def endless(self) -> Iterator[tuple[BlockName, ...]]:
        """Rings of blocks that a call never leaves when the caller does nothing."""
        edges = self.edges()
        alone = {name: found.alone for name, found in edges.items()}
        for ring in components(alone):
            inside = set(ring)
            is_ring = len(ring) > 1 or ring[0] in alone[ring[0]]
            if is_ring and not any(edges[name].ends_alone or edges[name].alone - inside for name in ring):
                yield tuple(name for name in self.blocks if name in inside)

    def keys_count(self) -> set[tuple[BlockName, int]]:
        """The steps after which, on some way, comes a step that takes keys."""
        taking = self._blocks_before_keys()
        found = set()
        for name, nodes in self.blocks.items():
            later = False
            for position in reversed(range(len(nodes))):
                step = nodes[position].step
                if later or any(target in taking for target in self._targets(step)):
                    found.add((name, position))
                later = later or step.takes_keys or (name, position) in found
        return found

    def _reached(self, start: BlockName) -> set[BlockName]:
        edges, seen, waiting = self.edges(), {start}, [start]
        while waiting:
            found = edges.get(waiting.pop())
            for target in (found.alone | found.others) - seen if found else ():
                seen.add(target)
                waiting.append(target)
        return seen

    def _blocks_before_keys(self) -> set[BlockName]:
        """Blocks that have a step that takes keys, and those from which such a block is reached."""
        before: dict[BlockName, set[BlockName]] = {}
        for name, found in self.edges().items():
            for target in found.alone | found.others:
                before.setdefault(target, set()).add(name)
        taking = {name for name, nodes in self.blocks.items() if any(node.step.takes_keys for node in nodes)}
        waiting = list(taking)
        while waiting:
            for name in before.get(waiting.pop(), set()) - taking:
                taking.add(name)
                waiting.append(name)
        return taking

    def _targets(self, step: Step) -> Iterator[BlockName]:
        for way in step.exits():
            target = way.block or (self.otherwise if way.gives_up else None)
            if target is not None:
                yield target

    def _edges(self, nodes: Sequence[Node]) -> Edges:
        edges, alone = Edges(), True
        for node in nodes:
            for way in node.step.exits():
                target = way.block or (self.otherwise if way.gives_up else None)
                by_itself = alone and not way.by_caller
                if target is None:
                    edges.ends_alone |= by_itself
                elif target in self.blocks:
                    (edges.alone if by_itself else edges.others).add(target)
            if node.on_error is not None and node.on_error in self.blocks:
                edges.others.add(node.on_error)
            if not node.step.goes_on:
                break
            alone = alone and not node.step.takes_keys
        return edges


def components(edges: Mapping[N, Collection[N]]) -> Iterator[list[N]]:
    """The strongly connected parts, each after those it leads to (Tarjan 1972, without recursion)."""
    order: dict[N, int] = {}
    low: dict[N, int] = {}
    path: list[N] = []
    on_path: dict[N, int] = {}
    for root in edges:
        if root in order:
            continue
        work = [(root, iter(sorted(edges[root])))]
        order[root] = low[root] = len(order)
        on_path[root] = len(path)
        path.append(root)
        while work:
            name, targets = work[-1]
            target = next((other for other in targets if other in edges), None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == order[name]:
                    ring = path[on_path[name] :]
                    del path[on_path[name] :]
                    for left in ring:
                        del on_path[left]
                    yield ring
            elif target not in order:
                order[target] = low[target] = len(order)
                on_path[target] = len(path)
                path.append(target)
                work.append((target, iter(sorted(edges[target]))))
            elif target in on_path:
                low[name] = min(low[name], order[target])
