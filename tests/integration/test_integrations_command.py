"""Facts about `ivr integrations`, on a connector to a real file and one to a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.demo.crm import NAMED, make_crm
from ivr.cli.main import main
from ivr.connectors.catalog import Catalog

ROOT = Path(__file__).parents[2]
ANNA = NAMED[0]
CONNECTORS = """
connectors:
  crm:
    integration: sql
    settings: { url: "sqlite+aiosqlite:///crm.db" }
  phone_list:
    integration: csv
    settings: { file: list.csv }
  wrong:
    integration: csv
    settings: { file: list.csv, columns: { name: Naam } }
"""

Ivr = Callable[..., Result]


@pytest.fixture
def ivr(tmp_path: Path) -> Ivr:
    """Runs `ivr integrations` with the demo's configuration and connectors of its own."""
    kept, _, after = (ROOT / "config.yaml").read_text().partition("\nconnectors:")
    others = after.partition("\n\n")[2]
    (tmp_path / "config.yaml").write_text(f"{kept}\n{CONNECTORS}\n{others}\nflows: {{ path: {ROOT}/dialplans }}\n")
    make_crm(tmp_path / "crm.db", date(2026, 11, 23))
    (tmp_path / "list.csv").write_text("customer_number,name,number,email\nK1,Anna,06-12345678,anna@example.nl\n")
    return lambda *arguments: CliRunner().invoke(
        main, ["integrations", *arguments, "--config", str(tmp_path / "config.yaml")]
    )


def test_they_are_listed_with_what_they_can(ivr: Ivr) -> None:
    listed = {each["name"]: each for each in json.loads(ivr("--json").stdout)}
    assert listed["csv"]["capabilities"] == ["changes", "find_caller", "find_customer"]
    assert listed["csv"]["title"] in ivr().stdout


def test_one_that_is_broken_is_told_and_the_others_listed(
    ivr: Ivr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, manifest in (("whole", "{capabilities: [orders], settings: s:S, connector: c:C, "), ("broken", "{")):
        (tmp_path / "shelf_of_tests" / name).mkdir(parents=True)
        (tmp_path / "shelf_of_tests" / name / "manifest.yaml").write_text(f"{manifest}name: {name}, title: Shelf}}")
        (tmp_path / "shelf_of_tests" / name / "README.md").touch()
    (tmp_path / "shelf_of_tests/__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("ivr.cli.integrations.Catalog", lambda: Catalog("shelf_of_tests"))
    listed = ivr("--json")
    assert listed.exit_code == 1
    assert json.loads(listed.stdout) == [{"name": "whole", "title": "Shelf", "capabilities": ["orders"]}]
    assert "broken/manifest.yaml: capabilities: Field required" in listed.stderr


def test_one_is_checked(ivr: Ivr) -> None:
    checked = ivr("check", "csv")
    assert (checked.exit_code, checked.stdout) == (0, "csv: no problems\n")
    assert json.loads(ivr("check", "csv", "--json").stdout) == []


def test_what_is_not_there_is_told_in_one_line(ivr: Ivr) -> None:
    for arguments, told in (
        (("check", "cvs"), "there is no integration 'cvs'. did you mean 'csv'?"),
        (("new", "csv"), "is there already; choose another name"),
        (("new", "Acme CRM"), "'acme_crm' would do"),
        (("try", "wrong"), "say which column is the number"),
    ):
        refused = ivr(*arguments)
        assert refused.exit_code == 1
        assert told in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_a_try_shows_each_part_with_its_time_and_no_number(ivr: Ivr) -> None:
    tried = ivr("try", "phone_list", "--number", "06-12345678", "--email", "ANNA@example.nl", "--customer", "K2")
    assert tried.exit_code == 0
    lines = tried.stdout.splitlines()
    asked = [line.split()[:2] for line in lines if " ms " in line]
    assert [words[0] for words in asked] == ["open", "check", "find_caller", *["find_customer"] * 2]
    assert any("find_customer K2" in line and "0 found" in line for line in lines)
    assert "+316******78" in tried.stdout
    assert "+31612345678" not in tried.stdout
    assert "+31612345678" in ivr("try", "phone_list", "--number", "06-12345678", "--reveal").stdout


def test_a_try_asks_for_the_dossier_of_whom_it_found(ivr: Ivr) -> None:
    tried = ivr("try", "crm", "--number", ANNA.number, "--json")
    parts = {part["asked"].split()[0]: part for part in json.loads(tried.stdout)}
    assert parts["find_caller"]["found"][0]["name"] == ANNA.name
    assert parts["find_caller"]["seconds"] > 0
    assert parts["open"]["error"] is None
    assert ANNA.number not in tried.stdout


def test_a_failure_is_one_clear_line(ivr: Ivr, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("customer_number,name,number,email\nK1\n")
    tried = ivr("try", "phone_list", "--number", "06-12345678")
    assert tried.exit_code == 1
    (line,) = tried.stdout.splitlines()
    assert "FAILED" in line
    assert "line 2 has 1 columns, but the first has 4" in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nobody",), "there are: crm, phone_list, wrong"),
        (("crm", "--number", "12"), "'12' is no valid telephone number in NL"),
        (("crm", "--write"), "add --number, --email or --customer"),
    ],
)
def test_wrong_usage_is_told(ivr: Ivr, arguments: tuple[str, ...], told: str) -> None:
    refused = ivr("try", *arguments)
    assert refused.exit_code == 2
    assert told in refused.stderr.replace("\n", " ")


def test_nothing_is_written_where_nobody_or_several_were_found(ivr: Ivr) -> None:
    tried = ivr("try", "phone_list", "--number", "06-87654321", "--write")
    assert tried.exit_code == 1
    assert "0 customers were found, not one" in tried.stdout
