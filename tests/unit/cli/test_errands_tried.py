"""Errands as an admin and an operator meet them: refused in time, tried without being done, and looked after."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from ivr.cli.main import main
from ivr.config.loading import load
from ivr.domain.contact import ContactId
from ivr.domain.errand import Assignment, ErrandReport, ErrandState, Message, MessageKind, Ticket
from ivr.store.stores import Stores

ROOT = Path(__file__).parents[3]
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FLOW = """
flow: shortest
start: report
blocks:
  report:
    - reason: fault
    - ticket: { subject: "Fault of {{ caller.name }}", otherwise: later }
    - message: { by: sms, text: "It is {{ answers.report }}." }
    - hang_up:
  later:
    - hang_up:
"""
SCENARIOS = """
flow: shortest
at: 2026-11-21T10:00
callers:
  anna: { number: "+31300000101", customer: K1, name: Anna de Vries }
scenarios:
  - name: a ticket and a message
    caller: anna
    expect:
      ticket: { subject: fault of anna, text: "reden: fault", customer: K1 }
      message: { by: sms, to: 030-0000101, text: It is T1 }
  - name: a number that is not there
    tickets: late
    expect: { ticket: Fault, outcome: self_served }
  - name: not what was written
    caller: anna
    expect: { ticket: Modem }
  - name: not what was sent
    caller: anna
    expect: { message: [It is T1, It is T2] }
  - name: refused
    tickets: refused
    expect: { error: the desk's script says so, ticket: Fault }
"""
WEBHOOK = {
    "integration": "rest",
    "settings": {"recipe": "webhook", "values": {"base_url": "https://example.nl/hook"}},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demo in which the shortest flow leaves errands."""
    shutil.copy(ROOT / "config.yaml", tmp_path)
    for folder in ("dialplans", "prompts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "dialplans" / "shortest.yaml").write_text(FLOW, encoding="utf-8")
    shutil.rmtree(tmp_path / "dialplans" / "scenarios")
    (tmp_path / "dialplans" / "scenarios").mkdir()
    (tmp_path / "dialplans" / "scenarios" / "shortest.yaml").write_text(SCENARIOS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configure(project: Path, **errands: object) -> None:
    """Name connectors for errands; `gate` sends messages and can do nothing else."""
    config = yaml.safe_load((project / "config.yaml").read_text(encoding="utf-8"))
    config["connectors"]["gate"] = WEBHOOK
    config["errands"] = errands
    (project / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def everything(project: Path) -> None:
    """Something that can open tickets, and something that sends messages."""
    recipe = 'title: T\nbase_url: "https://example.nl"\ncreate_ticket:\n  requests: [{ method: POST }]\n  number: id\n'
    (project / "desk.yaml").write_text(recipe, encoding="utf-8")
    configure(project, tickets="desk", messages={"sms": "gate"})
    config = yaml.safe_load((project / "config.yaml").read_text(encoding="utf-8"))
    config["connectors"]["desk"] = {"integration": "rest", "settings": {"recipe": "desk.yaml"}}
    (project / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def ivr(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_a_flow_needs_a_connector_for_each_of_its_errands(project: Path) -> None:
    configure(project, messages={"email": "gate"})
    checked = ivr("check")
    assert checked.exit_code == 1
    assert "shortest.yaml:7:7: errands.tickets in config.yaml names no connector for this step" in checked.output
    assert "shortest.yaml:8:7: errands.messages.sms in config.yaml names no connector for this step" in checked.output


def test_a_connector_that_is_not_there_is_refused_where_it_is_named(project: Path) -> None:
    configure(project, contacts=["crm", "cmr"])
    checked = ivr("check")
    assert checked.exit_code == 1
    assert "'cmr' is not under connectors" in checked.output


def test_a_connector_must_be_able_to_do_what_it_is_named_for(project: Path) -> None:
    configure(project, tickets="gate", messages={"sms": "gate"})
    checked = ivr("check")
    assert checked.exit_code == 1
    assert "connector 'gate' (rest) does not have 'create_ticket'" in checked.output
    assert "^^^^ name one that has it" in checked.output
    assert "1 problem" in checked.output


def test_an_integration_that_is_not_there_is_refused_where_it_is_written(project: Path) -> None:
    everything(project)
    config = (project / "config.yaml").read_text(encoding="utf-8")
    (project / "config.yaml").write_text(config.replace("integration: sql", "integration: sqll"), encoding="utf-8")
    checked = ivr("check")
    assert checked.exit_code == 1
    assert "there is no integration 'sqll'" in checked.output
    assert "did you mean 'sql'?" in checked.output


def test_simulate_shows_what_would_be_written_and_writes_nothing(project: Path) -> None:
    everything(project)
    played = ivr("simulate", "shortest", "--caller", "+31612345678")
    assert played.exit_code == 0, played.output
    assert played.output.splitlines()[-3:] == [
        "ticket “Fault of”: reden: fault",
        "message sms to +31612345678: It is T1.",
        "outcome self_served, reason fault",
    ]
    shown = json.loads(ivr("simulate", "shortest", "--caller", "+31612345678", "--json").stdout)
    assert [ticket["subject"] for ticket in shown["tickets"]] == ["Fault of"]
    assert [(message["kind"], message["to"]) for message in shown["messages"]] == [("sms", "+31612345678")]
    assert "No errands." in ivr("errands").output


def test_scenarios_expect_what_is_written_where(project: Path) -> None:
    everything(project)
    tried = ivr("test", "--json")
    shown = {one["name"]: one["difference"] for one in json.loads(tried.stdout)["scenarios"]}
    assert shown == {
        "a ticket and a message": None,
        "a number that is not there": None,
        "not what was written": "ticket: expected subject Modem\nwhat was written:\n"
        "  “Fault of Anna de Vries”: reden: fault, of K1",
        "not what was sent": "message: expected text It is T2\nwhat was written:\n  sms to +31300000101: It is T1.",
        "refused": "ticket: expected subject Fault\nwhat was written:\n  nothing",
    }


def test_errands_are_shown_and_tried_again(project: Path) -> None:
    assert ivr("errands", "--failed").output == "No errand has failed.\n"

    async def write() -> None:
        stores = Stores.of(load(project / "config.yaml").database)
        call = ContactId("1764000000.1")
        ticket = Ticket("1764000000.1-ticket-fault.report.ticket", "Modem", "lights: red", call)
        sms = Message("1764000000.1-message-1", MessageKind.SMS, "+31300000101", "Tot morgen")
        reports = [
            ErrandReport(ticket.key, 1, AT, ErrandState.DONE, result="T-7"),
            ErrandReport(sms.key, 3, AT, ErrandState.FAILED, "the gate knows no +31300000101"),
        ]
        await stores.errands.write([Assignment(ticket, "desk", call, AT), Assignment(sms, "gate", call, AT)], reports)
        await stores.database.close()

    asyncio.run(write())
    table = ivr("errands").output
    assert "1764000000.1-ticket-fault.report.ticket" in table
    assert "T-7" in table
    assert "sms to +313******01" in table
    [failed] = json.loads(ivr("errands", "--failed", "--json").stdout)
    assert (failed["state"], failed["attempts"], failed["reason"]) == ("failed", 3, "the gate knows no +313******01")
    assert failed["content"] == {"kind": "sms", "to": "+313******01", "text": "Tot morgen", "subject": ""}
    assert ivr("errands", "retry", "1764000000.1-message-1").output == "Errand 1764000000.1-message-1 is tried again.\n"
    assert ivr("errands", "--failed").output == "No errand has failed.\n"
    assert ivr("errands", "retry", "--failed").output == "0 errands are tried again.\n"
    done = ivr("errands", "retry", "1764000000.1-ticket-fault.report.ticket")
    assert (done.exit_code, "there is no errand" in done.output) == (1, True)
    assert ivr("errands", "retry").exit_code == 2
