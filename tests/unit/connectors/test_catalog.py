"""Integrations are found by their manifests, and mistakes are told before anything is opened."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.config.model import Connector as Configured
from ivr.connectors.catalog import Catalog, SettingProblem
from ivr.connectors.connector import Capability, Surroundings
from ivr.connectors.manifest import read_manifest
from ivr.errors import SetupError

MANIFEST = """
name: paper
title: A card index
capabilities: [find_caller]
settings: connector:Settings
connector: connector:Paper
"""
CONNECTOR = """
from pydantic import BaseModel

class Settings(BaseModel, extra="forbid"):
    drawer: int
    colour: str = "green"

class Paper:
    def __init__(self, settings, surroundings):
        self.settings, self.surroundings = settings, surroundings

    async def open(self): ...
    async def close(self): ...
    async def check(self): ...
    async def find_caller(self, number):
        return []

class Blank:
    def __init__(self, settings, surroundings): ...

class Mute(Paper):
    find_caller = None
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `drawer_of_tests` with one integration, `paper`."""
    package = tmp_path / "drawer_of_tests" / "paper"
    package.mkdir(parents=True)
    for place in (package.parent, package):
        (place / "__init__.py").touch()
    (package / "manifest.yaml").write_text(MANIFEST)
    (package / "connector.py").write_text(CONNECTOR)
    (package / "README.md").write_text("# Paper\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for module in [name for name in sys.modules if name.startswith("drawer_of_tests")]:
        del sys.modules[module]


def paper(**settings: object) -> Configured:
    return Configured(integration="paper", settings=settings)


def problems(configured: Configured) -> list[SettingProblem]:
    return list(Catalog("drawer_of_tests").problems(configured, find_caller=True))


def test_the_shipped_integrations_are_found_and_in_order() -> None:
    catalog = Catalog()
    assert "sql" in catalog.names()
    for name in catalog.names():
        manifest = catalog.manifest(name)
        assert manifest.capabilities <= set(Capability)


def test_a_connector_is_built_with_its_settings_and_surroundings(folder: Path) -> None:
    surroundings = Surroundings(country="BE", folder=Path("/etc"))
    built = Catalog("drawer_of_tests").build(paper(drawer=3), surroundings)
    assert vars(built)["settings"].model_dump() == {"drawer": 3, "colour": "green"}
    assert vars(built)["surroundings"] is surroundings


def test_nothing_is_wrong_with_right_settings(folder: Path) -> None:
    assert problems(paper(drawer=3)) == []


def test_every_wrong_setting_is_told_with_its_place_and_without_its_value(folder: Path) -> None:
    found = problems(paper(drawer="secret", color="red"))
    assert [(each.path, each.hint) for each in found] == [
        (("settings", "drawer"), ""),
        (("settings", "color"), "did you mean 'colour'?"),
    ]
    assert "secret" not in repr(found)
    with pytest.raises(SetupError, match=r"settings.drawer: .*settings.color: there is no such setting") as caught:
        Catalog("drawer_of_tests").build(paper(drawer="secret", color="red"), Surroundings())
    assert "secret" not in str(caught.value)


def test_an_unknown_integration_is_told_with_the_nearest_one(folder: Path) -> None:
    assert problems(Configured(integration="papers")) == [
        SettingProblem(("integration",), "there is no integration 'papers'", "did you mean 'paper'?")
    ]
    with pytest.raises(SetupError, match="did you mean 'paper'"):
        Catalog("drawer_of_tests").build(Configured(integration="papers"), Surroundings())


@pytest.mark.parametrize(
    ("line", "instead", "told"),
    [
        ("name: paper", "name: pencil", "its folder is 'paper'"),
        ("title: A card index", "titel: A card index", "title: Field required; titel: Extra"),
        ("[find_caller]", "[find_keys]", "capabilities"),
        ("[find_caller]", "[]", "capabilities"),
        ("connector: connector:Paper", "connector: connector:Pen", "there is no class connector:Pen"),
        ("connector: connector:Paper", "connector: pens:Pen", "cannot be imported"),
        ("connector: connector:Paper", "connector: connector.Paper", "connector: String should match"),
        ("settings: connector:Settings", "settings: connector:Paper", "not a pydantic model"),
        ("name: paper", "name: [", "is not YAML"),
        ("name: paper", "docs: other.md\nname: paper", "docs names other.md"),
    ],
)
def test_a_wrong_manifest_is_refused(folder: Path, line: str, instead: str, told: str) -> None:
    (folder / "manifest.yaml").write_text(MANIFEST.replace(line, instead))
    (problem,) = problems(paper(drawer=3))
    assert problem.path == ("integration",)
    assert told in problem.message


@pytest.mark.parametrize("cls", ["Blank", "Mute"])
def test_a_connector_must_do_what_its_manifest_declares(folder: Path, cls: str) -> None:
    (folder / "manifest.yaml").write_text(MANIFEST.replace(":Paper", f":{cls}"))
    with pytest.raises(SetupError, match="declares find_caller"):
        Catalog("drawer_of_tests").build(paper(drawer=3), Surroundings())


def test_a_manifest_that_is_far_too_long_is_not_read(folder: Path) -> None:
    (folder / "manifest.yaml").write_text(MANIFEST + "#" * 70_000)
    with pytest.raises(SetupError, match="larger than"):
        read_manifest(folder)


def test_a_package_that_is_not_there_is_told() -> None:
    with pytest.raises(SetupError, match="not installed"):
        Catalog("no_such_package_anywhere").names()


def test_a_setting_that_is_missing_is_named(folder: Path) -> None:
    (problem,) = problems(paper())
    assert problem == SettingProblem(("settings", "drawer"), "the setting 'drawer' is missing")
