"""The board of open outages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from ivr.domain.outage import Outage, OutageId
from ivr.errors import StoreUnavailable
from ivr.outages.board import LiveOutageBoard

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def outage(name: str, minutes: int, region: str | None = None, product: str | None = None) -> Outage:
    return Outage(OutageId(name), START + timedelta(minutes=minutes), region, product)


@dataclass
class MemoryOutages:
    """An outage store in memory, which can be away."""

    stored: list[Outage] = field(default_factory=list)
    is_away: bool = False

    async def add(self, outage: Outage) -> None:
        self.stored.append(outage)

    async def close(self, outage_id: OutageId, at: datetime) -> bool:
        raise NotImplementedError

    async def outages(self, *, only_open: bool) -> Sequence[Outage]:
        if self.is_away:
            raise StoreUnavailable
        return self.stored


def ids(board: LiveOutageBoard, region: str | None, *products: str) -> list[str]:
    return [outage.id for outage in board.concerning(region=region, products=frozenset(products))]


async def test_the_own_region_comes_first_and_then_the_longest_known() -> None:
    board = LiveOutageBoard(
        MemoryOutages([outage("a", 1), outage("b", 5, "Utrecht"), outage("c", 3, "Utrecht"), outage("d", 2, "Arnhem")])
    )
    await board.refresh()
    assert ids(board, "Utrecht") == ["c", "b", "a"]
    assert ids(board, None) == ["a"]
    assert [outage.id for outage in board.all()] == ["d", "c", "b", "a"]


async def test_an_outage_of_a_product_touches_those_who_have_it_or_may_have_it() -> None:
    board = LiveOutageBoard(MemoryOutages([outage("a", 1, product="tv")]))
    await board.refresh()
    assert ids(board, "Utrecht", "tv", "internet") == ["a"]
    assert ids(board, "Utrecht") == ["a"]
    assert ids(board, "Utrecht", "internet") == []


async def test_the_last_known_outages_stay_while_the_database_is_away() -> None:
    store = MemoryOutages([outage("a", 1)])
    board = LiveOutageBoard(store)
    await board.refresh()
    store.is_away = True
    with pytest.raises(StoreUnavailable):
        await board.refresh()
    assert ids(board, None) == ["a"]
