"""The share of calls each site gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.routing.split import Shares

SITES = st.integers(2, 5)


@st.composite
def percents(draw: st.DrawFn, sites: st.SearchStrategy[int] = SITES) -> dict[str, int]:
    """Whole percents for two to five sites, together 100; 0 and 100 are among them."""
    count = draw(sites)
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=count - 1, max_size=count - 1)))
    return {f"site {number}": end - start for number, (start, end) in enumerate(pairwise([0, *cuts, 100]))}


def worst(percent: Mapping[str, int], taken: list[str]) -> float:
    """The furthest that any site was from its share after any of the calls, in calls."""
    counts: Counter[str] = Counter()
    furthest = 0.0
    for number, name in enumerate(taken, start=1):
        counts[name] += 1
        furthest = max(furthest, *(abs(counts[site] - number * share / 100) for site, share in percent.items()))
    return furthest


@given(percents(), st.integers(1, 250))
def test_every_site_is_within_one_call_of_its_share_after_every_call(percent: dict[str, int], calls: int) -> None:
    shares = Shares(percent)
    taken = [shares.next() for _ in range(calls)]
    getting = sum(1 for share in percent.values() if share)
    bound = 1 - 1 / (2 * getting - 2) if getting > 1 else 0
    assert worst(percent, taken) <= bound + 1e-9


@given(percents(sites=st.just(2)), st.integers(0, 150), st.integers(1, 150))
def test_with_two_sites_any_stretch_is_within_one_call(percent: dict[str, int], skipped: int, calls: int) -> None:
    shares = Shares(percent)
    for _ in range(skipped):
        shares.next()
    counts = Counter(shares.next() for _ in range(calls))
    assert all(abs(counts[site] - calls * share / 100) < 1 for site, share in percent.items())


@given(percents(), st.integers(0, 150), st.integers(1, 150))
def test_any_stretch_is_within_two_calls(percent: dict[str, int], skipped: int, calls: int) -> None:
    shares = Shares(percent)
    for _ in range(skipped):
        shares.next()
    counts = Counter(shares.next() for _ in range(calls))
    assert all(abs(counts[site] - calls * share / 100) < 2 for site, share in percent.items())


@given(percents())
def test_a_hundred_calls_give_exactly_the_percents(percent: dict[str, int]) -> None:
    shares = Shares(percent)
    assert Counter(shares.next() for _ in range(100)) == Counter({site: share for site, share in percent.items()})


def test_the_weights_that_bring_smooth_round_robin_off_by_more_than_one_call() -> None:
    percent = {"a": 7, "b": 52, "c": 39, "d": 1, "e": 1}
    shares = Shares(percent)
    assert worst(percent, [shares.next() for _ in range(100)]) < 1


def test_a_site_with_nothing_gets_nothing_and_one_with_everything_gets_everything() -> None:
    shares = Shares({"own": 0, "partner": 100})
    assert {shares.next() for _ in range(50)} == {"partner"}


def test_calls_are_spread_not_bunched() -> None:
    shares = Shares({"own": 70, "partner": 30})
    assert "".join(shares.next()[0] for _ in range(10)) == "opooopoopo"


@pytest.mark.parametrize("percent", [{}, {"own": 0}, {"own": 110, "partner": -10}])
def test_a_split_that_cannot_be_followed_is_refused(percent: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="split"):
        Shares(percent)
