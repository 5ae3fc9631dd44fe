"""The projects in `dialplans/examples` are right, whole and tried, and make nobody copy what comes with Klantlijn."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli.main import main
from ivr.domain.language import Language
from ivr.prompts import SHIPPED
from ivr.yamlfile.nodes import Table
from ivr.yamlfile.reading import read_document

EXAMPLES = Path(__file__).parents[3] / "dialplans" / "examples"
PROJECTS = sorted(path.parent for path in EXAMPLES.glob("*/config.yaml"))


def ivr(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(project / "config.yaml"), *arguments])


def names(path: Path) -> set[str]:
    root = read_document(path).root
    assert isinstance(root, Table)
    return set(root.entries)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_it_has_no_problem_and_no_warning(project: Path) -> None:
    checked = ivr(project, "check", "--strict")
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_scenarios_go_every_way_there_is(project: Path) -> None:
    tried = ivr(project, "test", "--min-coverage", "100")
    assert tried.exit_code == 0, tried.output


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_its_texts_are_its_own(project: Path, language: Language) -> None:
    assert not names(project / "prompts" / language / "texts.yaml") & names(SHIPPED / language / "texts.yaml")


def test_the_energy_company_s_customers_can_be_made(tmp_path: Path) -> None:
    company = EXAMPLES / "energy" / "company.py"
    crm = tmp_path / "var" / "crm.db"
    subprocess.run((sys.executable, str(company), "--only-customers", "--customers", str(crm)), check=True, timeout=30)
    with closing(sqlite3.connect(crm)) as made:
        assert made.execute("SELECT count(*) FROM customers").fetchone() == (5,)
