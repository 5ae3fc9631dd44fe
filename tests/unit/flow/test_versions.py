"""Facts about which version of a flow a call gets."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.domain.flow_version import FILES, FlowChoice, KeptFlows
from ivr.errors import StoreUnavailable
from ivr.flow.catalog import FlowCatalog
from ivr.flow.model import FlowSet
from ivr.flow.sources import Sources
from ivr.flow.versions import LiveVersions
from ivr.routing.split import Shares
from ivr.simulation.manual_clock import ManualClock

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FLOW = "shortest"


@dataclass
class MemoryFlows:
    """What was kept and chosen, in memory (an `ivr.ports.FlowStore`)."""

    kept: list[tuple[KeptFlows, Mapping[str, bytes]]] = field(default_factory=list)
    chosen: list[FlowChoice] = field(default_factory=list)
    is_away: bool = False
    another: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self, flows: KeptFlows, files: Mapping[str, bytes]) -> bool:
        if self.is_away:
            raise StoreUnavailable
        self.kept.insert(0, (flows, files))
        self.another.set()
        return True

    async def history(self) -> Sequence[KeptFlows]:
        return [flows for flows, _ in self.kept]

    async def files(self, set_id: str) -> Mapping[str, bytes]:
        return next((files for flows, files in self.kept if flows.id == set_id), {})

    async def choose(self, choice: FlowChoice) -> None:
        self.chosen = [choice]

    async def forget(self, flow: str) -> None:
        self.chosen = []

    async def choices(self) -> Sequence[FlowChoice]:
        return self.chosen


class Desk:
    """A catalog on files of its own, with a store; `v1` was in force before `v2`, which the files say now."""

    def __init__(self, folder: Path) -> None:
        (folder / "d").mkdir()
        shutil.copy(ROOT / "dialplans" / "shortest.yaml", folder / "d")
        shutil.copytree(ROOT / "prompts", folder / "p")
        self.sources = Sources(folder / "d", folder / "p", {"support"})
        self.catalog = FlowCatalog(self.sources)
        self.store = MemoryFlows()
        self.clock = ManualClock()
        self.told: list[FlowSet] = []
        self.live = LiveVersions(
            self.catalog, self.sources, self.store, self.clock, turns=Shares, on_change=self.told.append
        )

    async def prepare(self) -> None:
        await self.live.keep()
        self.v1 = self.version()
        self.change("tries: 1", "tries: 2")
        await self.live.keep()
        self.v2 = self.version()

    def change(self, before: str, after: str) -> None:
        path = self.sources.flows / "shortest.yaml"
        path.write_text(path.read_text().replace(before, after))
        assert self.catalog.refresh()

    def version(self) -> str:
        return self.live.for_call(FLOW).flows[FLOW].version

    async def choose(self, version: str, candidate: str | None = None, percent: int = 0) -> None:
        files = self.catalog.current().versions()[FLOW]
        await self.store.choose(FlowChoice(FLOW, files, version, NOW, "anna", candidate, percent))
        await self.live.refresh()


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    await made.prepare()
    return made


async def test_calls_get_what_the_files_say_until_somebody_chooses(desk: Desk) -> None:
    await desk.live.refresh()
    assert desk.live.for_call(FLOW) is desk.catalog.current()
    assert desk.v1 != desk.v2


async def test_a_version_comes_back_and_a_call_in_progress_keeps_its_own(desk: Desk) -> None:
    mine = desk.live.for_call(FLOW)
    await desk.choose(desk.v1)
    assert desk.version() == desk.v1
    assert mine.flows[FLOW].version == desk.v2
    assert desk.live.for_call("another") is desk.catalog.current()
    assert [flows.versions()[FLOW] for flows in desk.told] == [desk.v1]


async def test_a_later_change_of_the_files_makes_them_current_at_once(desk: Desk) -> None:
    await desk.choose(desk.v1)
    desk.change("tries: 2", "tries: 3")
    assert desk.version() not in (desk.v1, desk.v2)


@pytest.mark.parametrize("of", [lambda desk: (FILES, desk.v1), lambda desk: (desk.v1, FILES)])
async def test_a_share_of_the_calls_gets_the_candidate_exactly(
    desk: Desk, of: Callable[[Desk], tuple[str, str]]
) -> None:
    version, candidate = of(desk)
    await desk.choose(version, candidate, 10)
    seen = [desk.version() for _ in range(200)]
    tenth = candidate or desk.v2
    assert Counter(seen)[tenth] == 20
    assert all(9 <= Counter(seen[at : at + 100])[tenth] <= 11 for at in range(100))


async def test_reading_the_same_choice_again_does_not_begin_its_shares_anew(desk: Desk) -> None:
    await desk.choose(FILES, desk.v1, 10)
    seen = []
    for _ in range(50):
        await desk.live.refresh()
        seen.append(desk.version())
    assert Counter(seen)[desk.v1] == 5


async def test_a_version_that_is_not_right_any_more_is_not_followed(desk: Desk) -> None:
    flows, files = desk.store.kept[-1]
    desk.store.kept[-1] = flows, {**files, "flows/shortest.yaml": b"flow: shortest\nstart: nowhere\nblocks: {}\n"}
    await desk.choose(desk.v1)
    assert desk.version() == desk.v2


async def test_a_version_that_was_never_kept_is_not_followed(desk: Desk) -> None:
    await desk.choose("0123456789ab")
    assert desk.version() == desk.v2


async def test_what_cannot_be_kept_is_kept_later(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.store.is_away = True
    await desk.live.keep()
    assert desk.store.kept == []
    desk.store.is_away = False
    await desk.live.keep()
    await desk.live.keep()
    [(kept, files)] = desk.store.kept
    assert (kept.versions, files) == (desk.catalog.current().versions(), desk.catalog.current().files)
    assert kept.by == (tmp_path / "d" / "shortest.yaml").owner()


async def test_watching_takes_over_and_keeps_a_change_each_interval(desk: Desk) -> None:
    desk.store.another.clear()
    watching = asyncio.create_task(desk.live.watch(1.0))
    path = desk.sources.flows / "shortest.yaml"
    path.write_text(path.read_text().replace("tries: 2", "tries: 3"))
    await desk.clock.advance(1.0)
    await asyncio.wait_for(desk.store.another.wait(), 10)
    assert desk.store.kept[0][0].versions[FLOW] == desk.version()
    watching.cancel()
