"""Whether an integration is whole: what it declares and does, its settings, its page and its four tests."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ivr.connectors.catalog import Catalog
from ivr.connectors.connector import Surroundings
from ivr.connectors.manifest import FILE_NAME, Manifest
from ivr.domain.capability import Capability
from ivr.errors import SetupError

MODULES = ("__init__.py", "connector.py", "client.py", "mapping.py")
SECTIONS = ("## Settings", "## When it fails")
CASES = ("found", "not_found", "slow", "refused")
"""The tests that each integration has, as their names begin after `test_`."""


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """What an integration lacks, and in which file."""

    integration: str
    file: Path
    message: str


def shortcomings(catalog: Catalog, name: str) -> Iterator[Shortcoming]:
    """Everything that an integration lacks; it is imported, and nothing is opened.

    Raises:
        SetupError: there is no integration of this name.
    """
    folder = catalog.folder / name
    if name not in catalog.names():
        catalog.manifest(name)
    for module in MODULES:
        if not (folder / module).is_file():
            yield Shortcoming(name, folder / module, "is missing")
    yield from (Shortcoming(name, file, message) for file, message in _of_tests(name, folder.parent.parent / "tests"))
    try:
        manifest, settings, connector = catalog.parts(name)
    except SetupError as error:
        yield Shortcoming(name, folder / FILE_NAME, str(error.args[0]))
        return
    yield from (Shortcoming(name, _source(settings), message) for message in _of_settings(settings))
    yield from (Shortcoming(name, _source(connector), message) for message in _of_connector(connector, manifest))
    page = folder / manifest.docs
    yield from (Shortcoming(name, page, message) for message in _of_page(page, manifest, settings))


def _of_settings(settings: type[BaseModel]) -> Iterator[str]:
    if settings.model_config.get("extra") != "forbid":
        yield f"{settings.__name__} takes settings that mean nothing; set extra='forbid', as Settings does"
    if not settings.model_config.get("hide_input_in_errors"):
        yield f"{settings.__name__} shows secrets in its errors; set hide_input_in_errors=True, as Settings does"


def _of_connector(connector: type[Any], manifest: Manifest) -> Iterator[str]:
    title = connector.__name__
    try:
        inspect.signature(connector).bind(object(), Surroundings())
    except TypeError:
        yield f"{title} cannot be made as {title}(settings, surroundings)"
    for method in ("open", "close", "check"):
        if not _is_coroutine(connector, method):
            yield f"{title} has no 'async def {method}'"
    for capability in sorted(manifest.capabilities):
        if not _is_coroutine(connector, capability):
            yield f"{title} has no 'async def {capability}', which {FILE_NAME} declares"
    for capability in sorted(set(Capability) - manifest.capabilities):
        if _is_coroutine(connector, capability):
            yield f"{title} has '{capability}', which {FILE_NAME} does not declare"


def _is_coroutine(kind: type[Any], method: str) -> bool:
    return inspect.iscoroutinefunction(inspect.getattr_static(kind, method, None))


def _of_page(page: Path, manifest: Manifest, settings: type[BaseModel]) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    lines = text.splitlines()
    if not lines or not lines[0].startswith("# "):
        yield "does not begin with a title"
    yield from (f"has no section '{section}'" for section in SECTIONS if section not in lines)
    words = {*manifest.capabilities, *settings.model_fields}
    yield from (f"says nothing of `{word}`" for word in sorted(words) if not re.search(rf"`{word}[`: ]", text))


def _of_tests(name: str, tests: Path) -> Iterator[tuple[Path, str]]:
    """Of a checkout; an installed Klantlijn has no tests."""
    if not tests.is_dir():
        return
    folder = tests / "integrations" / name
    files = [*folder.rglob("test_*.py"), *(tests / "crm").rglob(f"test_{name}*.py")]
    try:
        there = {function for file in files for function in _functions(file)}
    except SyntaxError as error:
        yield Path(error.filename or folder), f"line {error.lineno}: {error.msg}"
        return
    for case in CASES:
        if not any(re.match(rf"test_{case}(_|$)", function) for function in there):
            yield folder, f"has no test of the case '{case.replace('_', ' ')}': test_{case}…"


def _functions(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    return (each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


def _source(kind: type[Any]) -> Path:
    return Path(inspect.getfile(kind))
