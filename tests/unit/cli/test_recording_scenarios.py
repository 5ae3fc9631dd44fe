"""Facts about `ivr test --record`: a call as the journal has it becomes a scenario that passes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.demo.crm import NAMED, make_crm
from ivr.cli.main import main
from ivr.cli.outside import identify, setting_of
from ivr.config.loading import load as load_config
from ivr.config.model import Config
from ivr.configured import sources_of
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Outcome
from ivr.domain.line import LineState, PhoneNumber
from ivr.domain.outage import Outage, OutageId
from ivr.flow.loader import load
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.play_through import PlayedThrough, play_through
from ivr.simulation.scripted_channel import Act, Leave, Press, Silence
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.virtual_clock import VirtualClock
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database

ROOT = Path(__file__).parents[3]
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANNA = NAMED[0]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A copy of the demo, with its customers."""
    shutil.copy(ROOT / "config.yaml", tmp_path)
    for folder in ("dialplans", "prompts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    make_crm(tmp_path / "var" / "demo" / "crm.db", START.date())
    monkeypatch.chdir(tmp_path)
    return load_config(tmp_path / "config.yaml")


def ivr(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


async def call(config: Config, number: str, script: Sequence[Act], outages: Sequence[Outage]) -> None:
    """Have a simulated call, and write it in the journal as a real one."""
    caller, setting, prompts = await identify(config, number), setting_of(config), SpokenPrompts()
    services = setting.services_at(VirtualClock(START), prompts, outages, setting.desk(START))
    enquiry = DescribedEnquiry(lambda: caller)
    played = await play_through(load(sources_of(config)), "lijnnet", services, prompts, enquiry, script)
    database = Database(config.database.url, timeout=5.0)
    await database.migrate()
    await StoredContacts(database).write([contact(played, number, caller.region)], [], list(events(played)))
    await database.close()


def contact(played: PlayedThrough, number: str, region: str | None) -> Contact:
    ending = played.ending
    return Contact(
        id=ContactId("17.1"),
        started_at=START,
        number=PhoneNumber(number) if number else None,
        line_state=LineState.KNOWN if number else LineState.WITHHELD,
        customer_id=ANNA.customer_number if number == ANNA.number else None,
        region=region,
        flow="lijnnet",
        reason=ending.reason,
        outcome=Outcome.ANSWERED if ending.handed_over else ending.outcome,
    )


def events(played: PlayedThrough) -> Sequence[ContactEvent]:
    return [
        ContactEvent(str(number), ContactId("17.1"), event.at, event.kind, event.step, event.detail)
        for number, event in enumerate(played.noted)
        if event.kind is not EventKind.PICKED_UP
    ]


@pytest.mark.parametrize(
    ("number", "script"),
    [
        ("", []),
        ("", [Press("1")]),
        ("", [Press("3"), Press("2"), *map(Press, "0201234567#"), Press("1")]),
        ("", [Press("3"), Press("1"), Silence(), Leave()]),
        ("+31201234567", [Silence(), Press("7"), Press("0")]),
        (
            "+31201234567",
            [Press("9", during="main_menu"), Press("3", during="main_menu_support"), Press("2"), Press("1")],
        ),
        ("+31201234567", [Press("4", during="main_menu"), Press("0")]),
        ("+31201234567", [Leave(during="main_menu_callback")]),
        (ANNA.number, [Press("2", during="order_news"), Press("1"), Leave()]),
        (ANNA.number, [Press("2"), Leave(during="order_status")]),
    ],
)
def test_a_call_becomes_a_scenario_that_passes(project: Config, number: str, script: Sequence[Act]) -> None:
    asyncio.run(call(project, number, script, ()))
    recorded = ivr("test", "--record", "17.1")
    assert (recorded.exit_code, recorded.stderr) == (0, "")
    path = Path("dialplans/scenarios/recorded.yaml")
    path.write_text(recorded.stdout, encoding="utf-8")
    tried = ivr("test", str(path))
    assert tried.exit_code == 0, f"{recorded.stdout}\n{tried.output}"


def test_nobody_can_be_recognised_unless_it_is_asked_for(project: Config) -> None:
    asyncio.run(call(project, ANNA.number, [Press("2"), Leave()], ()))
    recorded = ivr("test", "--record", "17.1").stdout
    assert ANNA.order is not None
    for personal in (ANNA.name, ANNA.number, ANNA.customer_number, ANNA.order.number, ANNA.postcode):
        assert personal not in recorded
    assert "description: modem" in recorded
    revealed = ivr("test", "--record", "17.1", "--reveal").stdout
    for personal in (ANNA.name, ANNA.number, ANNA.customer_number, ANNA.order.number):
        assert personal in revealed


def test_a_told_outage_is_open_in_the_scenario(project: Config) -> None:
    outage = Outage(OutageId("abc"), START, "Utrecht")
    asyncio.run(call(project, "+31300000199", [Press("1")], [outage]))
    recorded = ivr("test", "--record", "17.1")
    assert recorded.stderr == ""
    assert "- region: Utrecht" in recorded.stdout


def test_a_flow_that_changed_since_is_told(project: Config) -> None:
    asyncio.run(call(project, "", [Press("1")], ()))
    flow = project.flows.path / "lijnnet.yaml"
    flow.write_text(flow.read_text().replace("- say: connecting_support", "- say: connecting"))
    recorded = ivr("test", "--record", "17.1")
    assert recorded.exit_code == 0
    assert "connecting_support" in recorded.stdout
    assert "played now, it differs" in recorded.stderr


def test_a_call_that_is_not_there_cannot_be_recorded(project: Config) -> None:
    refused = ivr("test", "--record", "1.1")
    assert refused.exit_code == 1
    assert "no call 1.1" in refused.stderr
