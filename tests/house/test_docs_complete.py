"""What is offered is documented: every configuration key, command, exception and dependency."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from ivr import errors
from ivr.cli.main import COMMANDS
from ivr.config.model import Config

ROOT = Path(__file__).parents[2]


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and those below it."""
    yield model
    for field in model.model_fields.values():
        for kind in (field.annotation, *get_args(field.annotation)):
            if inspect.isclass(kind) and issubclass(kind, BaseModel):
                yield from models(kind)


@pytest.mark.parametrize("key", sorted({name for model in models(Config) for name in model.model_fields}))
def test_every_configuration_key_is_in_the_reference(key: str) -> None:
    assert re.search(rf"\b{key}\b", (ROOT / "docs/config.md").read_text())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference(command: str) -> None:
    assert f"`ivr {command}" in (ROOT / "docs/commands.md").read_text()


def test_every_exception_is_drawn_in_the_tree() -> None:
    tree = inspect.getdoc(errors) or ""
    kinds = [name for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]
    assert [name for name in kinds if name not in tree] == []
    assert len(kinds) > 10


def test_every_dependency_has_a_line_that_says_why() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = [re.split(r"[\[<>=~!]", requirement)[0] for requirement in wanted]
    lines = (ROOT / "docs/dependencies.md").read_text()
    assert [name for name in names if f"`{name}`" not in lines and f"| {name} |" not in lines] == []


def test_every_decision_is_numbered_once() -> None:
    numbers = [path.name[:4] for path in sorted((ROOT / "docs/decisions").glob("*.md"))]
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
