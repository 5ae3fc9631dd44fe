"""Facts about the ways through a flow."""

from __future__ import annotations

import pytest

from ivr.flow.graph import Graph, Node
from ivr.flow.names import BlockName
from ivr.flow.step import Step
from ivr.flow.steps import KINDS


def step(written: str) -> Step:
    """`menu a b -c` has options to a and b, and no_input c; `goto a`; `branch a b`; `callback a`; `say`…"""
    kind, *targets = written.split()
    match kind:
        case "menu":
            options = {str(n): name for n, name in enumerate(targets, 1) if not name.startswith("-")}
            silent = next((name[1:] for name in targets if name.startswith("-")), None)
            return KINDS[kind].model_validate({"prompt": "p", "options": options, "no_input": silent})
        case "goto":
            return KINDS[kind].model_validate(targets[0])
        case "branch":
            return KINDS[kind].model_validate([{"when": "true", "goto": target} for target in targets])
        case "callback":
            return KINDS[kind].model_validate({"queue": "q", "otherwise": targets[0] if targets else None})
        case "say":
            return KINDS[kind].model_validate("p")
        case "queue":
            return KINDS[kind].model_validate("q")
    return KINDS[kind].model_validate({})


def graph(otherwise: str | None = None, **blocks: str) -> Graph:
    """Blocks of steps divided by `;`, the first of which is the start. `!x` behind a step is its on_error."""
    made = {}
    for name, written in blocks.items():
        nodes = []
        for part in written.split(";"):
            head, _, on_error = part.partition("!")
            nodes.append(Node(step(head.strip()), BlockName(on_error.strip()) if on_error else None))
        made[BlockName(name)] = nodes
    return Graph(made, next(iter(made)), BlockName(otherwise) if otherwise else None)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (graph(a="goto b", b="hang_up", c="hang_up"), ["c"]),
        (graph(a="menu b -c", b="hang_up", c="hang_up"), []),
        (graph(a="say ! b; hang_up", b="hang_up"), []),
        (graph(a="menu b", b="hang_up", c="hang_up"), ["c"]),
        (graph(otherwise="c", a="menu b", b="hang_up", c="hang_up"), []),
        (graph(a="hang_up; goto b", b="hang_up"), ["b"]),
        (graph(a="goto nowhere", b="goto a"), ["b"]),
    ],
)
def test_blocks_that_no_call_comes_to(made: Graph, expected: list[str]) -> None:
    assert made.unreachable() == expected


def test_steps_behind_the_last_word_are_never_reached() -> None:
    made = graph(a="say; hang_up; say; say", b="branch a; say")
    assert list(made.never_reached()) == [("a", 2)]


def test_a_block_must_say_where_to_go() -> None:
    assert list(graph(a="say; branch b; callback", b="say; queue").without_way_on()) == ["a"]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (graph(a="goto a"), [("a",)]),
        (graph(a="goto b", b="say; goto c", c="goto b"), [("b", "c")]),
        (graph(a="menu a -a"), [("a",)]),
        (graph(a="menu a"), []),
        (graph(a="menu b -c", b="goto a", c="goto a"), [("a", "c")]),
        (graph(a="menu b -c", b="goto a", c="queue"), []),
        (graph(otherwise="a", a="menu a"), [("a",)]),
        (graph(otherwise="b", a="menu a", b="queue"), []),
        (graph(a="branch b; goto a", b="hang_up"), []),
        (graph(a="callback b; goto a", b="queue"), []),
        (graph(a="callback a; hang_up"), [("a",)]),
        (graph(a="say ! a; hang_up"), []),
    ],
)
def test_rings_that_only_a_caller_could_leave(made: Graph, expected: list[tuple[str, ...]]) -> None:
    assert list(made.endless()) == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (graph(a="say; menu b", b="say; hang_up"), {("a", 0)}),
        (graph(a="say; goto b", b="say; callback"), {("a", 0), ("a", 1), ("b", 0)}),
        (graph(a="say; hang_up"), set()),
        (graph(a="say; menu a"), {("a", 0), ("a", 1)}),
    ],
)
def test_where_a_key_counts_for_later(made: Graph, expected: set[tuple[str, int]]) -> None:
    assert made.keys_count() == expected


def test_a_chain_of_many_blocks_is_no_danger() -> None:
    blocks = {f"b{n}": f"say; goto b{n + 1}" for n in range(3000)} | {"b3000": "goto b0"}
    made = graph(**blocks)
    assert made.unreachable() == []
    assert [len(ring) for ring in made.endless()] == [3001]
