"""Facts about `ivr check` and `ivr simulate`."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.demo.crm import NAMED, make_crm
from ivr.cli.main import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demo, in which nobody is looked up."""
    shutil.copy(ROOT / "config.yaml", tmp_path)
    for folder in ("dialplans", "prompts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    change(tmp_path / "config.yaml", "connectors: [crm]", "connectors: []")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ivr(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_a_right_project_has_no_problems(project: Path) -> None:
    checked = ivr("check")
    assert checked.exit_code == 0, checked.output
    assert "4 flows" in checked.output
    assert json.loads(ivr("check", "--json").output) == []


def test_problems_are_shown_with_their_line_and_a_suggestion(project: Path) -> None:
    change(project / "dialplans" / "shortest.yaml", "say: shortest_answer", "sya: shortest_answer")
    checked = ivr("check")
    assert checked.exit_code == 1
    assert "dialplans/shortest.yaml:17:7: unknown step 'sya'" in checked.output
    assert "did you mean 'say'?" in checked.output
    assert checked.output.rstrip().endswith("1 problem")


def test_problems_as_json(project: Path) -> None:
    change(project / "dialplans" / "shortest.yaml", "say: shortest_answer", "say: shortest_answr")
    checked = ivr("check", "--json")
    assert checked.exit_code == 1
    assert json.loads(checked.output) == [
        {
            "file": "dialplans/shortest.yaml",
            "line": 17,
            "column": 12,
            "rule": "unknown-prompt",
            "message": "unknown prompt 'shortest_answr'",
            "hint": "did you mean 'shortest_answer'?",
            "severity": "error",
        }
    ]


def test_problems_as_annotations_of_a_pull_request(project: Path) -> None:
    assert ivr("check", "--format", "github").output == ""
    change(project / "dialplans" / "shortest.yaml", "say: shortest_answer", "say: 100%,answer")
    checked = ivr("check", "--format", "github")
    assert checked.exit_code == 1
    (line,) = checked.output.splitlines()
    assert re.match(r"::error file=dialplans/shortest\.yaml,line=\d+,col=12,endColumn=\d+,title=value::", line)
    assert "'100%25,answer' is not a name" in line
    assert json.loads(ivr("check", "--format", "json").output)[0]["rule"] == "value"


def test_warnings_are_shown_and_are_only_counted_as_problems_when_that_is_asked(project: Path) -> None:
    with (project / "prompts" / "nl" / "texts.yaml").open("a", encoding="utf-8") as file:
        file.write("never_said: Niets.\n")
    checked = ivr("check")
    assert checked.exit_code == 0
    assert re.search(r"prompts/nl/texts.yaml:\d+:13: warning: nothing says 'never_said'", checked.output)
    assert checked.output.endswith("no problems, 1 warning\n")
    assert ivr("check", "--strict").exit_code == 1
    (told,) = json.loads(ivr("check", "--json").output)
    assert (told["rule"], told["severity"]) == ("unused-prompt", "warning")
    assert ivr("check", "--format", "github").output.startswith("::warning file=prompts/nl/texts.yaml,line=")
    assert ivr("check", "dialplans/shortest.yaml", "--strict").exit_code == 0  # says nothing of what others say
    assert ivr("simulate", "shortest", "--press", "1").exit_code == 0
    change(project / "dialplans" / "shortest.yaml", "say: shortest_answer", "sya: shortest_answer")
    assert ivr("check").output.endswith("1 problem\n")  # and not what else could be unused


def test_what_the_configuration_says_of_flows_is_checked_before_a_call_too(project: Path) -> None:
    change(project / "config.yaml", 'dialled: "*", flow: lijnnet', 'dialled: "*", flow: shortest, language: en')
    checked = ivr("check")
    assert checked.exit_code == 1
    assert re.search(r"config.yaml:\d+:\d+: flow 'shortest' does not speak EN", checked.output)
    assert "flow 'shortest' does not speak EN" in ivr("simulate", "shortest").output
    assert ivr("check", "dialplans/shortest.yaml").exit_code == 0


def test_a_flow_for_callbacks_is_only_needed_where_it_is_named_or_callbacks_are_promised(project: Path) -> None:
    (project / "dialplans" / "callback.yaml").unlink()
    assert "unknown flow 'callback'" in ivr("check").output
    change(project / "config.yaml", "  flow: callback\n", "")
    assert "unknown flow 'callback'" in ivr("check").output
    lines = (project / "dialplans" / "lijnnet.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if "- callback: {" not in line]
    (project / "dialplans" / "lijnnet.yaml").write_text("\n".join(kept), encoding="utf-8")
    assert "unknown flow" not in ivr("check").output


def test_one_file_can_be_checked_alone(project: Path) -> None:
    change(project / "dialplans" / "shortest.yaml", "say: shortest_answer", "sya: shortest_answer")
    assert ivr("check", "dialplans/callback.yaml").exit_code == 0
    assert ivr("check", "dialplans/shortest.yaml").exit_code == 1
    assert ivr("check", "dialplans").exit_code == 1


def test_what_cannot_be_read_is_another_exit_code(project: Path) -> None:
    assert ivr("check", "dialplans/none.yaml").exit_code == 2
    assert ivr("check", "nowhere").exit_code == 2
    (project / "config.yaml").unlink()
    missing = ivr("check")
    assert missing.exit_code == 2
    assert "config.yaml:1:1: cannot be read" in missing.output


def test_a_flow_that_the_configuration_names_must_be_there(project: Path) -> None:
    change(project / "config.yaml", "flow: lijnnet", "flow: lijnet")
    checked = ivr("check")
    assert checked.exit_code == 1
    assert "unknown flow 'lijnet'" in checked.output
    assert "did you mean 'lijnnet'?" in checked.output


def test_simulate_shows_what_a_caller_hears_and_does(project: Path) -> None:
    played = ivr("simulate", "shortest", "--press", "1", "--at", "2026-11-21T10:00")
    assert played.exit_code == 0, played.output
    lines = [line.split("   [")[0] for line in played.output.splitlines() if line.startswith("10:")]
    assert lines[0] == "10:00:00  picks up"
    assert lines[1] == "10:00:00  says             Goedendag. Toets een cijfer, dan gaan we verder."
    assert "caller presses   1" in lines[2]
    assert played.output.splitlines()[-1] == "outcome self_served"


def test_simulate_as_json(project: Path) -> None:
    played = ivr("simulate", "lijnnet", "--press", "1", "--outage", "Groningen", "--caller", "+31502345678", "--json")
    assert played.exit_code == 0, played.output
    shown = json.loads(played.stdout)
    assert set(shown) == {"events", "outcome", "reason", "tickets", "messages"}
    assert (shown["outcome"], shown["reason"]) == ("handed_over", "outage")
    assert "outage_told" in [event["kind"] for event in shown["events"]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("lijnet",), "did you mean 'lijnnet'?"),
        (("lijnnet", "--press", "a"), "'a' is not keys"),
        (("lijnnet", "--at", "tomorrow"), "is not a moment"),
        (("lijnnet", "--outage", "Groningn"), "did you mean 'Groningen'?"),
    ],
)
def test_wrong_use_is_told_with_help(project: Path, arguments: tuple[str, ...], says: str) -> None:
    played = ivr("simulate", *arguments)
    assert played.exit_code == 2
    assert says in " ".join(played.output.split())


def test_the_caller_is_looked_up_as_in_a_real_call(project: Path) -> None:
    change(project / "config.yaml", "connectors: []", "connectors: [crm]")
    make_crm(project / "var" / "demo" / "crm.db", datetime.now(UTC).date())
    customer = NAMED[0]
    played = ivr("simulate", "lijnnet", "--caller", customer.number, "--press", "x")
    assert played.exit_code == 0, played.output
    assert f"Dag {customer.name}." in played.output
    assert "outcome told" in played.output


def test_simulate_refuses_flows_with_problems(project: Path) -> None:
    change(project / "dialplans" / "shortest.yaml", "say: shortest_answer", "sya: shortest_answer")
    played = ivr("simulate", "lijnnet")
    assert played.exit_code == 1
    assert "did you mean 'say'?" in played.output


def test_a_triage_is_checked_by_itself_too(project: Path) -> None:
    change(project / "dialplans" / "triage" / "modem.yaml", "try: modem_wifi", "try: modem_wify")
    checked = ivr("check", "dialplans/triage/modem.yaml")
    assert checked.exit_code == 1
    assert "dialplans/triage/modem.yaml:28:10: unknown prompt 'modem_wify'" in checked.output
    assert "1 problem" in checked.output
    assert ivr("check", "dialplans/triage/vending_machine.yaml").exit_code == 0


def test_a_triage_is_played(project: Path) -> None:
    played = ivr("simulate", "lijnnet", "--press", "1,1,1")
    assert "modem solved" in played.output
    assert "outcome self_served" in played.output
