"""Facts about following files as they change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ivr.domain.language import Language
from ivr.errors import InvalidFiles
from ivr.flow.catalog import FlowCatalog
from ivr.flow.model import FlowSet
from ivr.flow.sources import Sources

ROOT = Path(__file__).parents[3]


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    (tmp_path / "d").mkdir()
    shutil.copy(ROOT / "dialplans" / "shortest.yaml", tmp_path / "d")
    shutil.copytree(ROOT / "prompts", tmp_path / "p")
    return Sources(tmp_path / "d", tmp_path / "p")


def change(sources: Sources, before: str, after: str) -> None:
    path = sources.flows / "shortest.yaml"
    path.write_text(path.read_text().replace(before, after))


def test_a_broken_start_is_refused(sources: Sources) -> None:
    change(sources, "hang_up", "hang_upp")
    with pytest.raises(InvalidFiles, match="did you mean 'hang_up'"):
        FlowCatalog(sources)


def test_nothing_is_read_while_nothing_changes(sources: Sources) -> None:
    catalog = FlowCatalog(sources)
    before = catalog.current()
    assert catalog.refresh() is False
    assert catalog.current() is before


def test_a_change_is_taken_over_and_a_call_keeps_what_it_has(sources: Sources) -> None:
    told: list[FlowSet] = []
    catalog = FlowCatalog(sources, on_change=told.append)
    mine = catalog.current()
    change(sources, "tries: 1", "tries: 2")
    assert catalog.refresh() is True
    assert told == [catalog.current()]
    assert mine.flows["shortest"].version != catalog.current().flows["shortest"].version


def test_a_broken_file_keeps_the_old_flows_and_says_why_until_it_is_repaired(sources: Sources) -> None:
    catalog = FlowCatalog(sources)
    before = catalog.current()
    change(sources, "goto", "gotto")
    change(sources, "say: shortest_answer", "sya: shortest_answer")
    assert catalog.refresh() is False
    assert catalog.current() is before
    assert [problem.line for problem in catalog.problems] == [17]
    change(sources, "sya", "say")
    assert catalog.refresh() is True
    assert not catalog.problems


def test_a_changed_text_and_a_new_recording_are_changes(sources: Sources) -> None:
    catalog = FlowCatalog(sources)
    with (sources.prompts / "nl" / "texts.yaml").open("a") as file:
        file.write("more: Meer.\n")
    assert catalog.refresh() is True
    (sources.prompts / "nl" / "jingle.wav").write_bytes(b"")
    assert catalog.refresh() is True
    assert "jingle" in catalog.current().prompts.recordings[Language.NL]
