"""Choosing sites by live splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from ivr.config.model import Queue, SiteQueues
from ivr.domain.site import Split
from ivr.errors import StepFailed
from ivr.routing.sites import LiveSites, problem_with

SITES = {
    "own": SiteQueues(queues={"support": "support-own", "sales": "sales-own"}),
    "partner": SiteQueues(queues={"support": "support-partner"}),
}
QUEUES = {"support": Queue(split={"own": 70, "partner": 30}), "sales": Queue(split={"own": 100})}


class MemorySplits:
    """A split store in memory."""

    def __init__(self) -> None:
        self.stored: dict[str, Split] = {}

    async def splits(self) -> Sequence[Split]:
        return list(self.stored.values())

    async def set(self, split: Split) -> None:
        self.stored[split.queue] = split


@pytest.fixture
def store() -> MemorySplits:
    return MemorySplits()


@pytest.fixture
def sites(store: MemorySplits) -> LiveSites:
    return LiveSites(SITES, QUEUES, store)


def taken(sites: LiveSites, calls: int) -> Counter[str]:
    return Counter(sites.choose("support").name for _ in range(calls))


def test_the_configured_split_holds_until_another_is_set(sites: LiveSites) -> None:
    assert taken(sites, 100) == {"own": 70, "partner": 30}
    assert sites.choose("support").queues["support"].startswith("support-")


async def test_the_next_call_after_a_change_follows_the_new_split(sites: LiveSites, store: MemorySplits) -> None:
    taken(sites, 13)
    await store.set(Split("support", {"own": 0, "partner": 100}))
    await sites.refresh()
    assert taken(sites, 10) == {"partner": 10}


async def test_after_a_change_the_run_is_exact_from_there_on(sites: LiveSites, store: MemorySplits) -> None:
    for own in (10, 90, 50):
        taken(sites, 7)
        await store.set(Split("support", {"own": own, "partner": 100 - own}))
        await sites.refresh()
    counts: Counter[str] = Counter()
    for number in range(1, 101):
        counts[sites.choose("support").name] += 1
        assert abs(counts["own"] - number * 0.5) <= 1


async def test_reading_the_same_split_again_does_not_break_the_run(sites: LiveSites) -> None:
    counts: Counter[str] = Counter()
    for _ in range(100):
        await sites.refresh()
        counts[sites.choose("support").name] += 1
    assert counts == {"own": 70, "partner": 30}


async def test_a_stored_split_that_no_longer_fits_is_not_followed(sites: LiveSites, store: MemorySplits) -> None:
    await store.set(Split("support", {"own": 50, "gone": 50}))
    await store.set(Split("gone", {"own": 100}))
    await sites.refresh()
    assert sites.splits() == [Split("support", {"own": 70, "partner": 30}), Split("sales", {"own": 100})]


def test_a_queue_that_does_not_exist_is_a_failed_step(sites: LiveSites) -> None:
    with pytest.raises(StepFailed, match="'nobody'"):
        sites.choose("nobody")


@pytest.mark.parametrize(
    ("queue", "percent", "problem"),
    [
        ("support", {"own": 60, "partner": 40}, None),
        ("support", {"own": 100}, None),
        ("support", {"own": 60, "partner": 30}, "adds up to 90"),
        ("support", {"own": 120, "partner": -20}, "120 is not a percentage"),
        ("support", {"won": 100}, "no site 'won'; there are: own, partner"),
        ("sales", {"partner": 100}, "does not serve"),
        ("suport", {"own": 100}, "no queue 'suport'; there are: sales, support"),
    ],
)
def test_a_split_is_judged_in_words(queue: str, percent: dict[str, int], problem: str | None) -> None:
    said = problem_with(Split(queue, percent), SITES, QUEUES)
    assert said is None if problem is None else problem in (said or "")
