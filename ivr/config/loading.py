"""Loading: `config.yaml` as a Config, or every problem in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ivr.config.model import Config
from ivr.errors import InvalidFiles, SetupError
from ivr.yamlfile.binding import bind
from ivr.yamlfile.nodes import Node
from ivr.yamlfile.reading import read

DOCS = "docs/config.md"
RELATIVE_SQLITE = "sqlite+aiosqlite:///"


def load(path: Path) -> Config:
    """The configuration in a file; relative paths in it are made absolute from its folder.

    Raises:
        InvalidFiles: with every problem.
    """
    root = read(path)
    config, problems = bind(root, Config, docs=DOCS)
    if config is None:
        raise InvalidFiles(problems)
    return _rooted(config, path.resolve().parent, root)


def _rooted(config: Config, folder: Path, root: Node) -> Config:
    rooted: Config = _with_paths(config, folder)
    database = rooted.database.model_copy(update={"url": _url(config.database.url, folder)})
    return rooted.model_copy(update={"database": database}).read_from(folder, root)


def _with_paths(section: Any, folder: Path) -> Any:
    changes: dict[str, object] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Path):
            changes[name] = folder / value
        elif isinstance(value, BaseModel):
            changes[name] = _with_paths(value, folder)
    return section.model_copy(update=changes)


def _url(url: str, folder: Path) -> str:
    if url.startswith(RELATIVE_SQLITE) and not url.startswith(RELATIVE_SQLITE + "/"):
        return RELATIVE_SQLITE + str(folder / url.removeprefix(RELATIVE_SQLITE))
    return url


def secret(path: Path) -> str:
    """The secret on the first line of a file. Raises SetupError when there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SetupError(f"the secret in {path} cannot be read ({error.strerror})") from error
    if not lines or not lines[0].strip():
        raise SetupError(f"{path} holds no secret; write it on the first line")
    return lines[0].strip()
