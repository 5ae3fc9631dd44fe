"""Answers are remembered as long as their age limit says, and never more than fit."""

from __future__ import annotations

from ivr.connectors.cache import AnswerCache
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.line import PhoneNumber
from ivr.simulation.manual_clock import ManualClock

ONE, TWO, THREE = map(PhoneNumber, ("+31300000101", "+31300000102", "+31300000103"))
ANNA = (Customer(CustomerId("1"), "Anna", (ONE,)),)


async def test_a_customer_is_kept_longer_than_an_unknown_number() -> None:
    clock = ManualClock()
    cache = AnswerCache(known_for=60, unknown_for=10, kept_for=0, clock=clock)
    cache.put(ONE, ANNA)
    cache.put(TWO, ())
    await clock.advance(9.9)
    assert cache.get(ONE) == ANNA
    assert cache.get(TWO) == ()
    await clock.advance(0.1)
    assert cache.get(TWO) is None
    await clock.advance(49.9)
    assert cache.get(ONE) == ANNA
    await clock.advance(0.1)
    assert cache.get(ONE) is None
    assert len(cache) == 0


def test_an_age_limit_of_nothing_keeps_nothing() -> None:
    cache = AnswerCache(known_for=0, unknown_for=0, kept_for=0, clock=ManualClock())
    cache.put(ONE, ANNA)
    cache.put(TWO, ())
    assert len(cache) == 0


def test_the_one_that_was_not_used_for_longest_makes_room() -> None:
    cache = AnswerCache(known_for=60, unknown_for=60, kept_for=0, clock=ManualClock(), most=2)
    cache.put(ONE, ANNA)
    cache.put(TWO, ())
    assert cache.get(ONE) == ANNA
    cache.put(THREE, ())
    assert cache.get(TWO) is None
    assert cache.get(ONE) == ANNA
    assert cache.get(THREE) == ()


async def test_what_was_found_last_is_told_with_its_age_until_that_is_too_old() -> None:
    clock = ManualClock()
    cache = AnswerCache(known_for=60, unknown_for=10, kept_for=600, clock=clock)
    cache.put(ONE, ANNA)
    await clock.advance(61)
    assert cache.get(ONE) is None
    assert cache.last(ONE) == (ANNA, 61)
    await clock.advance(539)
    assert cache.last(ONE) is None
