"""Facts about where the boxes of a picture stand."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.flow.layers import BEND_WIDTH, layers
from ivr.flow.picture import Arrow, Box, Picture
from ivr.flow.svg import svg

NAMES = [f"b{number}" for number in range(8)]


def drawn(*ways: str) -> Picture:
    boxes = tuple(Box(name, ("say hello",), is_start=name == NAMES[0]) for name in NAMES)
    return Picture("a flow", boxes, tuple(Arrow(*way.split("-"), "1") for way in dict.fromkeys(ways)))


@given(st.lists(st.builds("{}-{}".format, st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_box_lies_on_another_and_ways_go_down_unless_they_must_go_up(ways: list[str]) -> None:
    shown = drawn(*ways)
    made = layers(shown, dict.fromkeys(NAMES, 80.0))
    row_of = {spot: number for number, row in enumerate(made.rows) for spot in row}
    for row in made.rows:
        for left, right in pairwise(row):
            width = (80.0 if left[0] in NAMES else BEND_WIDTH) / 2 + (80.0 if right[0] in NAMES else BEND_WIDTH) / 2
            assert made.x[right] - made.x[left] >= width
    for number, arrow in enumerate(shown.arrows):
        down = row_of[arrow.end, 0] - row_of[arrow.start, 0]
        assert (down < 0 or arrow.start == arrow.end) == (number in made.turned)
        assert [row_of[below] - row_of[above] for above, below in pairwise(made.bends[number])] in (
            [1] * abs(down),
            [0],
        )
    assert svg(shown).count("<path class=") == len(shown.arrows)


def test_a_flow_without_rings_has_nothing_that_goes_up() -> None:
    made = layers(drawn("b0-b1", "b1-b2", "b0-b2", "b2-b3"), dict.fromkeys(NAMES, 80.0))
    assert made.turned == set()
    assert [name for name, _ in made.rows[2] if name in NAMES] == ["b2"]
