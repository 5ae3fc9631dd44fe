"""JUnit XML: results of scenarios in the form that build servers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import click


@dataclass(frozen=True, slots=True)
class Case:
    """One result: the file it is of, its name, how many seconds it took, and why it failed (empty: it did not)."""

    file: str
    name: str
    seconds: float
    failure: str = ""


def write_junit(path: Path, cases: Sequence[Case]) -> None:
    """Write results to a file. Raises click.FileError when it cannot be written."""
    suite = ElementTree.Element(
        "testsuite",
        name="ivr test",
        tests=str(len(cases)),
        failures=str(sum(bool(case.failure) for case in cases)),
        errors="0",
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    for case in cases:
        found = ElementTree.SubElement(
            suite, "testcase", classname=case.file, name=case.name, time=f"{case.seconds:.3f}"
        )
        if case.failure:
            first, _, rest = case.failure.partition("\n")
            ElementTree.SubElement(found, "failure", message=first).text = rest
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    try:
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error
