"""Facts about reading files beside calls."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from ivr.flow.stepping_aside import TURN, stepping_aside


@pytest.fixture(autouse=True)
def nothing_stays_frozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_the_collector_keeps_still_and_others_get_their_turn_soon_until_it_is_over() -> None:
    interval = sys.getswitchinterval()
    with stepping_aside():
        assert not gc.isenabled()
        assert sys.getswitchinterval() == pytest.approx(TURN)
    assert gc.isenabled()
    assert sys.getswitchinterval() == interval


def test_a_failure_leaves_everything_as_it_was() -> None:
    interval = sys.getswitchinterval()
    with pytest.raises(ValueError, match="no file"), stepping_aside():
        raise ValueError("no file")
    assert gc.isenabled()
    assert sys.getswitchinterval() == interval


def test_what_was_made_is_not_looked_at_again() -> None:
    before = gc.get_freeze_count()
    with stepping_aside():
        made = [{"step": number} for number in range(100)]
    assert gc.get_freeze_count() >= before + len(made)
