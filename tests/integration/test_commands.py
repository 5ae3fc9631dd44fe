"""The commands, on a real SQLite database."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli.main import main

ROOT = Path(__file__).parents[2]
UTC_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

Ivr = Callable[..., Result]


@pytest.fixture
def ivr(tmp_path: Path) -> Ivr:
    """Runs an `ivr` command with the demo's configuration and a database of its own."""
    config = (ROOT / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(config + f"\nflows: {{ path: {ROOT}/dialplans }}\n")
    return lambda *arguments: CliRunner().invoke(main, [*arguments, "--config", str(tmp_path / "config.yaml")])


def test_an_outage_is_opened_listed_and_closed(ivr: Ivr) -> None:
    opened = json.loads(
        ivr("outage", "open", "--region", "Groningen", "--product", "tv", "--nl", "Storing", "--json").stdout
    )
    assert (opened["region"], opened["product"], opened["text"]) == ("Groningen", "tv", {"nl": "Storing"})
    assert UTC_MOMENT.fullmatch(opened["opened_at"])
    assert [outage["id"] for outage in json.loads(ivr("outage", "list", "--json").stdout)] == [opened["id"]]
    assert ivr("outage", "close", opened["id"]).exit_code == 0
    assert json.loads(ivr("outage", "list", "--json").stdout) == []
    (closed,) = json.loads(ivr("outage", "list", "--all", "--json").stdout)
    assert UTC_MOMENT.fullmatch(closed["closed_at"])


def test_an_outage_in_an_unknown_region_is_refused_with_the_known_ones(ivr: Ivr) -> None:
    refused = ivr("outage", "open", "--region", "Gronigen")
    assert refused.exit_code == 2
    assert "Groningen" in refused.stderr


@pytest.mark.parametrize("until", ["yesterday", "25:00", "2020-01-01T10:00"])
def test_an_end_that_is_no_time_to_come_is_refused(ivr: Ivr, until: str) -> None:
    assert ivr("outage", "open", "--until", until).exit_code == 2


def test_closing_what_is_not_open_fails(ivr: Ivr) -> None:
    refused = ivr("outage", "close", "nothing")
    assert refused.exit_code == 1
    assert "no open outage nothing" in refused.stderr


def test_the_configured_split_stands_until_another_is_set(ivr: Ivr) -> None:
    assert json.loads(ivr("split", "--json").stdout) == [
        {"queue": "support", "percent": {"own": 70, "partner": 30}, "set": False}
    ]
    changed = json.loads(ivr("split", "support", "own=55", "partner=45%", "--json").stdout)
    assert changed == [{"queue": "support", "percent": {"own": 55, "partner": 45}, "set": True}]
    assert json.loads(ivr("split", "--json").stdout) == changed


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (("own=55", "partner=44"), "add up to 99"),
        (("own=55", "elsewhere=45"), "no site 'elsewhere'"),
        (("own:55",), "is not such as own=60"),
    ],
)
def test_a_split_that_cannot_be_is_refused(ivr: Ivr, shares: tuple[str, ...], said: str) -> None:
    refused = ivr("split", "support", *shares)
    assert refused.exit_code == 2
    assert said in refused.stderr


def test_an_empty_journal_and_no_callbacks_are_no_errors(ivr: Ivr) -> None:
    assert json.loads(ivr("calls", "--json").stdout) == []
    assert ivr("calls").stdout.strip() == "No calls in the journal yet."
    assert json.loads(ivr("callbacks", "--json").stdout) == []


def test_a_call_that_is_not_there_and_a_callback_that_is_not_open(ivr: Ivr) -> None:
    assert ivr("calls", "1.1").exit_code == 1
    assert ivr("callbacks", "--cancel", "nothing").exit_code == 1


def test_a_moment_that_is_none_is_wrong_usage(ivr: Ivr) -> None:
    assert ivr("calls", "--since", "soon").exit_code == 2
    assert ivr("calls", "--since", "2h").exit_code == 0


def test_it_is_a_program_that_takes_the_configuration_before_the_command_too(tmp_path: Path, ivr: Ivr) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ivr", "--config", str(tmp_path / "config.yaml"), "outage", "list", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_a_mistake_in_the_configuration_is_shown_in_its_place(tmp_path: Path, ivr: Ivr) -> None:
    with (tmp_path / "config.yaml").open("a") as config:
        config.write("htpt: { port: 1 }\n")
    refused = ivr("calls")
    assert refused.exit_code == 1
    assert "unknown key 'htpt'" in refused.stderr
    assert "did you mean 'http'?" in refused.stderr


def test_the_doctor_says_what_to_do(ivr: Ivr) -> None:
    looked = ivr("doctor", "--json")
    assert looked.exit_code == 1
    findings = {finding["check"]: finding for finding in json.loads(looked.stdout)}
    assert findings["database"]["ok"]
    assert (findings["index of crm"]["ok"], findings["index of crm"]["found"][:13]) == (True, "not begun yet")
    assert not findings["Asterisk"]["ok"]
    assert "make setup" in findings["Asterisk"]["advice"]
    assert not findings["engine"]["ok"]
    assert "ivr run" in findings["engine"]["advice"]


def test_an_engine_without_a_secret_says_what_is_missing(ivr: Ivr) -> None:
    refused = ivr("run")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("ivr: Klantlijn cannot start: the secret in ")
    assert len(refused.stderr.splitlines()) == 1
