"""Facts about `ivr test`."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from deploy.demo.crm import NAMED, make_crm
from ivr.cli.main import main

ROOT = Path(__file__).parents[3]
HEAD = "flow: shortest\nat: 2026-11-21T10:00\nscenarios:\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demo, with a scenario of the shortest flow only."""
    shutil.copy(ROOT / "config.yaml", tmp_path)
    for folder in ("dialplans", "prompts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.rmtree(tmp_path / "dialplans" / "scenarios")
    (tmp_path / "dialplans" / "scenarios").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ivr(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def write(project: Path, scenarios: str, head: str = HEAD, name: str = "shortest") -> None:
    (project / "dialplans" / "scenarios" / f"{name}.yaml").write_text(head + scenarios, encoding="utf-8")


RIGHT = """
  - name: a key answers
    press: "1"
    expect: { heard: [shortest_question, shortest_answer], outcome: self_served }
"""
WRONG = """
  - name: nobody says this
    expect:
      heard:
        - shortest_question
        - welcome
"""


def test_every_scenario_that_is_shipped_passes_and_covers_its_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    tried = ivr("test", "--json")
    assert tried.exit_code == 0, tried.output
    shown = json.loads(tried.stdout)
    covered = {one["flow"]: one["percent"] for one in shown["coverage"]}
    assert len(shown["scenarios"]) > 20
    assert [covered[flow] for flow in ("lijnnet", "callback", "outage_over", "shortest")] == [100] * 4


def test_dots_and_a_summary_are_printed(project: Path) -> None:
    write(project, RIGHT)
    tried = ivr("test")
    assert tried.exit_code == 0, tried.output
    first, last = tried.output.splitlines()
    assert first == "dialplans/scenarios/shortest.yaml ."
    assert " 1 passed in " in last


def test_a_failure_shows_its_place_what_was_expected_and_what_was_heard(project: Path) -> None:
    write(project, RIGHT + WRONG)
    tried = ivr("test")
    assert tried.exit_code == 1
    assert "shortest.yaml .F\n" in tried.output
    lines = tried.output.splitlines()
    at = lines.index("dialplans/scenarios/shortest.yaml:13: expected welcome")
    assert "nobody says this" in lines[at - 1]
    assert lines[at + 1].startswith("heard    shortest_answer: ")
    assert lines[at + 3].startswith("  shortest_question: ")
    assert lines[at + 4].startswith("> shortest_answer: ")
    assert "1 failed, 1 passed" in lines[-1]


@pytest.mark.parametrize(
    ("scenario", "difference"),
    [
        ('press: "1,2"\n    expect: { outcome: self_served }', "6: the caller never came to press 2"),
        ("expect: { outcome: told }", "6: outcome: expected told, got self_served"),
        ("expect: { reason: order }", "6: reason: expected order, got none"),
        ("expect: { queue: support }", "6: queue: expected support, got none"),
        ("expect: { callback: {} }", "6: expected a callback, none was booked"),
        ("expect: { error: speech }", "6: error: expected speech, got the flow did not fail"),
        ("cannot_say: shortest_question\n    expect: { outcome: handed_over }", "5: the flow failed: SpeechError"),
    ],
)
def test_the_first_difference_is_told_at_its_line(project: Path, scenario: str, difference: str) -> None:
    write(project, f"\n  - name: it\n    {scenario}\n")
    tried = ivr("test")
    assert tried.exit_code == 1
    assert f"shortest.yaml:{difference}" in tried.output
    assert "[error" not in tried.stderr


@pytest.mark.parametrize(
    ("scenario", "problem"),
    [
        ("expect: { hard: [welcome] }", "6:15: unknown key 'hard'"),
        ("expect: { heard: [shortest_qestion] }", "did you mean 'shortest_question'?"),
        ("expect: {}", "nothing is expected here"),
        ("caller: anna\n    expect: { outcome: told }", "6:13: 'anna' is not a telephone number or a caller"),
        ("caller: { region: Gronigen }\n    expect: { outcome: told }", "did you mean 'Groningen'?"),
        ("outages: Gronigen\n    expect: { outcome: told }", "unknown region 'Gronigen'"),
        ("press: one\n    expect: { outcome: told }", "'one' is not keys"),
        ("press: { during: shortest_question, press: '1,2' }\n    expect: { outcome: told }", "one key is pressed"),
        ("at: tomorrow\n    expect: { outcome: told }", "'tomorrow' is not a moment"),
        ("caller: { look_up: true, name: A }\n    expect: { outcome: told }", "who is looked up is not described"),
        ("caller: { shared: true, name: A }\n    expect: { outcome: told }", "on a shared line nobody knows who calls"),
    ],
)
def test_what_is_wrong_in_a_scenario_is_shown_where_it_stands(project: Path, scenario: str, problem: str) -> None:
    write(project, f"\n  - name: it\n    {scenario}\n")
    tried = ivr("test")
    assert tried.exit_code == 2
    assert "dialplans/scenarios/shortest.yaml:" in tried.stderr
    assert problem in tried.stderr


def test_a_flow_that_is_not_there_and_a_name_twice_are_refused(project: Path) -> None:
    write(project, RIGHT, HEAD.replace("shortest", "shortst"))
    assert "did you mean 'shortest'?" in ivr("test").stderr
    write(project, RIGHT + RIGHT)
    assert "is the name of two scenarios" in ivr("test").stderr


def test_flows_with_problems_are_told_and_not_played(project: Path) -> None:
    write(project, RIGHT)
    (project / "dialplans" / "broken.yaml").write_text("flow: broken\n")
    tried = ivr("test")
    assert (tried.exit_code, tried.stdout) == (2, "")
    assert "dialplans/broken.yaml:1:1" in tried.stderr


def test_nothing_to_play_is_not_success(project: Path) -> None:
    assert ivr("test").exit_code == 2
    write(project, RIGHT)
    assert ivr("test", "-k", "nothing like it").exit_code == 2
    assert ivr("test", "nowhere.yaml").exit_code == 2


def test_scenarios_are_chosen_by_path_and_by_name(project: Path) -> None:
    write(project, RIGHT + WRONG)
    assert ivr("test", "-k", "KEY answers").exit_code == 0
    write(project, RIGHT, name="other")
    assert ivr("test", "dialplans/scenarios/other.yaml").exit_code == 0
    assert ivr("test", "dialplans/scenarios").exit_code == 1


def test_coverage_names_what_nobody_came_to(project: Path) -> None:
    write(project, RIGHT)
    tried = ivr("test", "--coverage", "dialplans/scenarios/shortest.yaml")
    assert " 80 %  shortest: 3 of 3 steps, 1 of 2 branches" in tried.output
    assert "dialplans/shortest.yaml:" in tried.output
    assert "question.menu → answer (no_input)" in tried.output
    low = ivr("test", "--min-coverage", "81", "dialplans/scenarios/shortest.yaml")
    assert low.exit_code == 1
    assert "only 80 % of flow shortest is covered" in low.stderr
    assert ivr("test", "--min-coverage", "80", "dialplans/scenarios/shortest.yaml").exit_code == 0
    everything = json.loads(ivr("test", "--json").stdout)["coverage"]
    assert {one["flow"]: one["steps"]["covered"] for one in everything}["lijnnet"] == 0


def test_results_for_a_build_server(project: Path) -> None:
    write(project, RIGHT + WRONG)
    assert ivr("test", "--junit", "results.xml").exit_code == 1
    (suite,) = ElementTree.parse(project / "results.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    right, wrong = suite
    assert (right.get("name"), list(right)) == ("a key answers", [])
    assert wrong[0].get("message") == "dialplans/scenarios/shortest.yaml:13: expected welcome"
    assert "> shortest_answer" in (wrong[0].text or "")


def test_a_caller_can_be_looked_up_as_in_a_real_call(project: Path) -> None:
    make_crm(project / "var" / "demo" / "crm.db", datetime.now(UTC).date())
    head = HEAD.replace("shortest", "lijnnet")
    caller = f'caller: {{ number: "{NAMED[0].number}", look_up: true }}'
    write(project, f"\n  - name: it\n    {caller}\n    expect: {{ heard: [welcome, Anna de Vries, …] }}\n", head)
    tried = ivr("test")
    assert tried.exit_code == 0, tried.output


def test_a_closed_queue_is_closed(project: Path) -> None:
    blocks = "  here:\n    - branch: [{ when: queue.open, goto: open }]\n    - hang_up: { outcome: told }\n"
    blocks += "  open:\n    - hang_up: { outcome: refused }\n"
    (project / "dialplans" / "hours.yaml").write_text(f"flow: hours\nstart: here\nblocks:\n{blocks}")
    scenarios = "".join(
        f"\n  - name: it is {queue}\n    queue: {queue}\n    expect: {{ outcome: {outcome} }}\n"
        for queue, outcome in (("open", "refused"), ("closed", "told"))
    )
    write(project, scenarios, HEAD.replace("shortest", "hours"))
    tried = ivr("test")
    assert tried.exit_code == 0, tried.output


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_the_number_that_was_dialled_decides_the_language(project: Path) -> None:
    english = '{ dialled: "+3130*", flow: lijnnet, language: en }'
    change(project / "config.yaml", '  - { dialled: "*", flow', f'  - {english}\n  - {{ dialled: "*", flow')
    head = "flow: lijnnet\nat: 2026-11-21T10:00\nscenarios:\n"
    dialled = '  - { name: %s, entry: "%s", press: x, expect: { heard: [%s, …] } }\n'
    write(project, dialled % ("english", "+31300000002", "Welcome to Lijnnet."), head)
    assert ivr("test").exit_code == 0
    write(project, dialled % ("dutch", "+31500000002", "Welkom bij Lijnnet."), head)
    assert ivr("test").exit_code == 0


DESK = """flow: desk
start: a
blocks:
  a:
    - branch: [{ when: open.desk, goto: answered }]
    - goto: answered
  answered:
    - queue: { queue: support, closed: night }
  night:
    - hang_up: { outcome: told }
"""


def test_named_hours_hold_or_not_as_a_scenario_says(project: Path) -> None:
    (project / "dialplans" / "desk.yaml").write_text(DESK, encoding="utf-8")
    change(project / "dialplans" / "callback.yaml", "priority: 10 }", "priority: 10, closed: nobody }")
    change(project / "config.yaml", "queues:\n  support:\n", "queues:\n  support:\n    opening_hours: desk\n")
    with (project / "config.yaml").open("a", encoding="utf-8") as file:
        file.write('\nopening_hours: { desk: { week: { mon: ["09:00-17:00"] } } }\n')
    head = "flow: desk\nat: 2026-11-21T10:00\nscenarios:\n"
    said = "  - { name: it is %s, hours: { %s: %s }, expect: { outcome: %s } }\n"
    right = said % ("open", "desk", "open", "handed_over") + said % ("closed", "desk", "closed", "told")
    usual = "  - { name: it is saturday, expect: { outcome: told } }\n"
    write(project, right + usual, head)
    tried = ivr("test")
    assert tried.exit_code == 0, tried.output
    write(project, said % ("misspelt", "dsk", "open", "told"), head)
    refused = ivr("test")
    assert refused.exit_code == 2
    assert "unknown hours 'dsk'" in refused.output
    assert "did you mean 'desk'?   docs/scenarios.md   docs/problems.md#unknown-hours" in refused.output
