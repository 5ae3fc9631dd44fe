"""What an integration lacks is told, each with its file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ivr.connectors.catalog import Catalog
from ivr.connectors.inspection import CASES, shortcomings
from ivr.errors import SetupError

MANIFEST = """
name: paper
title: A card index
capabilities: [find_caller]
settings: connector:Drawer
connector: connector:Paper
"""
CONNECTOR = """
from ivr.connectors.settings import Settings

class Drawer(Settings):
    drawer: int

class Paper:
    def __init__(self, settings, surroundings): ...
    async def open(self): ...
    async def close(self): ...
    async def check(self): ...
    async def find_caller(self, number): ...
"""
PAGE = "# paper\nIt can `find_caller`.\n\n## Settings\n`drawer`\n\n## When it fails\nNever.\n"
TESTS = "".join(f"def test_{case}(): ...\n" for case in CASES)

Change = Callable[[str, str, str], None]
"""Writes another text for a part of a file: file, part, text instead."""


@pytest.fixture
def change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Change]:
    """A whole integration `paper` with its tests, in the package `cabinet_of_tests`."""
    files = {
        "cabinet_of_tests/__init__.py": "",
        "cabinet_of_tests/paper/__init__.py": "",
        "cabinet_of_tests/paper/manifest.yaml": MANIFEST,
        "cabinet_of_tests/paper/connector.py": CONNECTOR,
        "cabinet_of_tests/paper/client.py": "",
        "cabinet_of_tests/paper/mapping.py": "",
        "cabinet_of_tests/paper/README.md": PAGE,
        "tests/integrations/paper/test_paper.py": TESTS,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)

    def changed(file: str, part: str, instead: str) -> None:
        path = next(tmp_path.rglob(file)) if "/" not in file else tmp_path / file
        assert part in path.read_text()
        path.write_text(path.read_text().replace(part, instead))

    yield changed
    for module in [name for name in sys.modules if name.startswith("cabinet_of_tests")]:
        del sys.modules[module]


def found() -> list[tuple[str, str]]:
    return [(each.file.name, each.message) for each in shortcomings(Catalog("cabinet_of_tests"), "paper")]


def test_a_whole_one_lacks_nothing(change: Change) -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("file", "part", "instead", "told"),
    [
        ("connector.py", "(Settings):", "(Settings, extra='allow'):", "takes settings that mean nothing"),
        ("connector.py", "(Settings):", "(Settings, hide_input_in_errors=False):", "shows secrets in its errors"),
        ("connector.py", "settings, surroundings", "settings", "cannot be made as Paper(settings, surroundings)"),
        ("connector.py", "async def check", "def check", "has no 'async def check'"),
        ("connector.py", "find_caller", "find", "has no 'async def find_caller', which manifest.yaml declares"),
        ("connector.py", "(self, number): ...", "(self, number): ...\n    async def orders(self, of): ...", "'orders'"),
        ("connector.py", "class Paper", "class Pen", "there is no class connector:Paper"),
        ("manifest.yaml", "[find_caller]", "[fly]", "capabilities"),
        ("README.md", "## Settings\n", "", "has no section '## Settings'"),
        ("README.md", "## When it fails", "### When it fails", "has no section '## When it fails'"),
        ("README.md", "`drawer`", "", "says nothing of `drawer`"),
        ("README.md", "`find_caller`", "", "says nothing of `find_caller`"),
        ("README.md", "# paper\n", "", "does not begin with a title"),
        ("test_paper.py", "test_slow", "test_quick", "no test of the case 'slow'"),
        ("test_paper.py", "def test_found", "def test_founded", "no test of the case 'found'"),
        ("test_paper.py", "def test_found", "def def", "line 1: invalid syntax"),
    ],
)
def test_what_is_missing_is_told(change: Change, file: str, part: str, instead: str, told: str) -> None:
    change(file, part, instead)
    (message,) = [message for _, message in found()]
    assert told in message


def test_missing_modules_and_tests_are_told_with_their_place(change: Change, tmp_path: Path) -> None:
    (tmp_path / "cabinet_of_tests/paper/mapping.py").unlink()
    (tmp_path / "tests/integrations/paper/test_paper.py").unlink()
    assert [name for name, _ in found()] == ["mapping.py", "paper", "paper", "paper", "paper"]


def test_an_installed_one_has_no_tests_to_look_for(change: Change, tmp_path: Path) -> None:
    (tmp_path / "tests").rename(tmp_path / "elsewhere")
    assert found() == []


def test_one_that_is_not_there_is_told_with_those_that_are(change: Change) -> None:
    with pytest.raises(SetupError, match=r"there is no integration 'papier'\. did you mean 'paper'"):
        list(shortcomings(Catalog("cabinet_of_tests"), "papier"))
