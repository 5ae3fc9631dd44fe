"""A new integration: its files, made from templates, and complete as they are."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template

from ivr.errors import SetupError

TEMPLATES = Path(__file__).parent / "new_integration"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST_NAME = 20
TEST = "test_connector.py"


def name_mistake(name: str) -> str:
    """Why an integration cannot have a name, with one it can have; '' when it can."""
    if NAME.fullmatch(name) and len(name) <= LONGEST_NAME and not keyword.iskeyword(name):
        return ""
    words = re.findall(r"[a-z0-9]+", name.lower())
    proposal = "_".join(words).lstrip("0123456789_")[:LONGEST_NAME].strip("_")
    if keyword.iskeyword(proposal):
        proposal += "_crm"
    hint = f"; '{proposal}' would do" if proposal else ""
    return f"a name has small letters, digits and single underscores, and at most {LONGEST_NAME} of them{hint}"


def write_integration(name: str, integrations: Path, tests: Path) -> Sequence[Path]:
    """Write an integration's folder and its tests; returns the files.

    Raises:
        SetupError: it is there already, the name will not do, or the files cannot be written.
    """
    mistake = name_mistake(name)
    if mistake:
        raise SetupError(f"'{name}' cannot be an integration's name: {mistake}")
    for folder in (integrations / name, tests / name):
        if folder.exists():
            raise SetupError(f"{folder} is there already; choose another name, or remove it first")
    words = {
        "name": name,
        "Name": "".join(word.capitalize() for word in name.split("_")),
        "title": name.replace("_", " "),
    }
    written: list[Path] = []
    try:
        for template in sorted(TEMPLATES.glob("*.tmpl")):
            file = template.name.removesuffix(".tmpl")
            path = tests / name / f"test_{name}_connector.py" if file == TEST else integrations / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Template(template.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise SetupError(f"{error.filename} cannot be written: {error.strerror}") from error
    return written
