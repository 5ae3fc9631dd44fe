"""Facts about the order of a menu."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flow.menu_order import ASSIGNED, likeliest_first, with_keys
from ivr.simulation.scripted_channel import Press


@given(st.lists(st.floats(), max_size=12))
def test_every_option_is_there_once_and_equal_weights_keep_their_order(weights: list[float]) -> None:
    options = list(range(len(weights)))
    ranked = likeliest_first(options, weights)
    assert sorted(ranked) == options
    assert likeliest_first(options, [1.0] * len(weights)) == options


@pytest.mark.parametrize("weight", [nan, inf, -inf])
def test_what_is_no_number_does_not_come_before_what_is(weight: float) -> None:
    assert likeliest_first(["odd", "likely", "unlikely"], [weight, 2, -1]) == ["likely", "odd", "unlikely"]


@given(st.lists(st.none() | st.sampled_from([*"0123456789*#"]), max_size=12, unique_by=lambda key: key or object()))
def test_no_key_is_given_twice_and_written_keys_stay(written: list[str | None]) -> None:
    wanting = written.count(None)
    if wanting > len(set(ASSIGNED) - set(written)):
        with pytest.raises(ValueError, match="are left"):
            with_keys(written)
        return
    keys = with_keys(written)
    assert len(set(keys)) == len(keys)
    assert all(key == wish for key, wish in zip(keys, written, strict=True) if wish)
    assigned = [key for key, wish in zip(keys, written, strict=True) if wish is None]
    assert assigned == sorted(assigned)


LIKELY = """\
here:
  - say: welcome
  - menu:
      prompt: shortest_question
      order: likely
      options: [{ goto: there, say: two, likely: 2 }, { goto: person, key: "0" }]
there:
  - hang_up:
person:
  - queue: support
"""


@pytest.mark.parametrize(("key", "comes_to"), [("0", "person.queue"), ("1", "there.hang_up")])
def test_a_key_pressed_before_a_likely_menu_speaks_only_counts_if_it_is_written_there(
    key: str, comes_to: str, world: Any, flow_of: Any
) -> None:
    """Nobody can know beforehand what a key that is given out will mean."""
    flows = flow_of(LIKELY, {"two": "Kies {{ key }}."})
    played = world.play(flows, script=[Press(key, during="welcome"), Press("1")])
    heard = [heard.utterance.text for heard in played.heard]
    assert ("Kies één." in heard) == (key == "1")
    assert [step for _, kind, step, _ in played.events() if kind == "step"][-1] == comes_to
