"""Modules keep to the habits of the house."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = [
    path
    for folder in ("ivr", "integrations", "deploy", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
]
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "handler", "processor"}
LONGEST = 400


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_module_is_too_long_to_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_module_has_a_name_that_says_nothing(path: Path) -> None:
    assert path.stem not in BANNED


@pytest.mark.parametrize("path", [path for path in MODULES if path.is_relative_to(ROOT / "ivr")], ids=relative)
def test_a_module_s_first_line_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_class_has_a_name_that_says_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert [
        name for name in names if name.lower().endswith(("manager", "handler", "processor", "helper", "utils"))
    ] == []
