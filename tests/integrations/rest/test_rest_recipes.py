"""A recipe's mistakes are told with their lines, and a new vendor is a new file and no code."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from integrations.rest.connector import RestConnector, RestSettings
from integrations.rest.loading import BUNDLED, bundled, load
from ivr.cli.main import main
from ivr.clock import SystemClock
from ivr.config.model import Connector as Configured
from ivr.connectors.catalog import Catalog
from ivr.connectors.connector import Surroundings
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import CustomerId
from ivr.domain.capability import Capability
from ivr.domain.dossier import FaultState
from ivr.domain.errand import Message, MessageKind
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused, InvalidFiles, SetupError
from tests.integrations.rest.conftest import Connect
from tests.integrations.rest.contract_server import Ask, Refused, Route, Vendor, shape

GOOD = """\
title: Small
values:
  base_url: its address
  key_file: its key
  area: an area
base_url: "{{ base_url }}"
auth: {kind: bearer, token: "{{ key }}"}
check: {path: /status}
customer:
  id: id
  name: name
  numbers: phone
find_caller:
  requests:
    - path: /people
      query: {phone: "{{ number }}"}
orders:
  requests:
    - path: /people/{{ customer }}/orders
  fields:
    number: code
    state: {find: status, values: {new: placed}}
"""


def problems_of(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    """The lines and messages of what is wrong with a recipe."""
    (tmp_path / "small.yaml").write_text(text)
    try:
        load(tmp_path / "small.yaml")
    except InvalidFiles as error:
        return [(problem.line, f"{problem.message} {problem.hint}") for problem in error.problems]  # type: ignore[attr-defined]
    return []


def test_the_small_recipe_is_right(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("title: Small", "titel: Small", 1, "unknown key 'titel' did you mean 'title'"),
        ("check: {path: /status}", "check: {path: status}", 8, "a path starts with '/'"),
        ("check: {path: /status}", "check: {path: '/status?x=1'}", 8, "put parameters under query"),
        ("check: {path: /status}", "check: {path: /status, method: DELETE}", 8, "'DELETE' is not one of"),
        ("kind: bearer", "kind: bear", 7, "bear"),
        ("{{ key }}", "{{ kee }}", 7, "there is nothing called 'kee' here did you mean 'key'"),
        ("name: name", "name: full-name", 11, "this is not JMESPath"),
        ("name: name", "nam: name", 11, "customer has no field 'nam'"),
        ("  numbers: phone\n", "", 9, "there is no 'numbers', without which there is no customer"),
        ("state: {find", "staet: {find", 22, "order has no field 'staet' did you mean 'state'"),
        ("new: placed", "new: ordered", 22, "'ordered' is no state of order there are: placed, on_the_way"),
        ("{{ number }}", "{{ numbr }}", 16, "nothing called 'numbr' here did you mean 'number'"),
        ("{{ number }}", "{{ number", 16, "cannot be read"),
        ("{{ number }}", "tel:{{ number }}", 16, "'number' stands in the middle of a text and does not say how"),
        ("{{ number }}", "{{ number }}{{ key }}", 16, "nothing called 'key'"),
        ("{{ number }}", "{{ 'tel:' ~ number }}", 16, "'number' stands in the middle of a text"),
        ("{{ number }}", "{{ ('tel:' + number) | cut(9) }}", 16, "'number' stands in the middle of a text"),
        ("{{ number }}", "{{ 'tel:%s' % number }}", 16, "'number' stands in the middle of a text"),
        ("{{ number }}", "{{ number | upper }}x", 16, "a value stands in the middle of a text"),
        ("{{ number }}", "{% set x = 1 %}x", 16, "a template has no 'assign'"),
        ("{{ number }}", "{{ number.lower() }}", 16, "a template cannot call anything"),
        ("{{ number }}", "{{ number | eval }}", 16, "cannot be read: No filter named 'eval'"),
        ("/people/{{ customer }}/", "/people({{ customer }})/", 19, "'customer' stands in the middle"),
        ("area: an area", "number: an area", 5, "'number' has a meaning of its own"),
        ("    number: code\n", "    number: code\n    due: x\n", 22, "order has no field 'due'"),
        ("find: status,", "find: status, format: '%d %z',", 22, "a format has no zone"),
        (
            "  requests:\n    - path: /people\n",
            "  paging: {}\n  requests:\n    - path: /people\n",
            14,
            "one way to the next page",
        ),
        ("orders:", "changes:\n  requests: [{path: /all}]\norders:", 17, "give either mark or resume"),
        ("title: Small", "title: Small\nx: &a 1", 2, "has a meaning of its own in YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, told: str) -> None:
    assert old in GOOD
    found = problems_of(tmp_path, GOOD.replace(old, new, 1))
    assert [place for place, message in found if told in message] == [line], found


def test_a_value_of_the_settings_may_stand_in_a_text_as_it_is(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD.replace("{{ number }}", "{{ area }}:{{ number | digits }}")) == []


@pytest.mark.parametrize("name", bundled())
def test_every_bundled_recipe_says_where_it_comes_from(name: str) -> None:
    load(BUNDLED / f"{name}.yaml")
    head = (BUNDLED / f"{name}.yaml").read_text().partition("\ntitle:")[0]
    assert "contract" in head
    assert "Not yet met the real service" in head or name == "webhook"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"recipe": "hubspt"}, "did you mean 'hubspot'"),
        ({"recipe": "hubspot"}, "needs a value 'token_file'"),
        ({"recipe": "hubspot", "values": {"token_file": "t", "tokn": "x"}}, "has no value 'tokn'"),
        ({"recipe": "hubspot", "values": {"token_file": "t"}, "time_zone": "Mars"}, "no such time zone"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_opened(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        RestSettings.model_validate(settings)


def test_wrong_files_are_told_before_anything_is_opened(tmp_path: Path) -> None:
    here = Surroundings(folder=tmp_path)
    with pytest.raises(SetupError, match="cannot be read"):
        RestConnector(RestSettings(recipe="mine.yaml"), here)
    (tmp_path / "mine.yaml").write_text(GOOD.replace("name: name", "nam: name"))
    with pytest.raises(SetupError, match=r"mine\.yaml:11"):
        RestConnector(RestSettings(recipe="mine.yaml"), here)
    (tmp_path / "mine.yaml").write_text(GOOD)
    with pytest.raises(SetupError, match="needs a value 'key_file': its key"):
        RestConnector(RestSettings(recipe="mine.yaml", values={"base_url": "https://crm.example", "area": "x"}), here)


async def test_a_missing_key_file_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD)
    values = {"base_url": "https://crm.example", "area": "x", "key_file": "secrets/key"}
    connector = RestConnector(RestSettings(recipe="mine.yaml", values=values), Surroundings(folder=tmp_path))
    with pytest.raises(ConnectorRefused, match="key cannot be read"):
        await connector.open()


NEW = """\
title: A grid operator's own system
values:
  base_url: its address
  key_file: its key
base_url: "{{ base_url }}/v1"
auth: {kind: header, name: X-Api-Key, value: "{{ key }}"}
check: {path: /status}
customer:
  id: ref
  name: who
  numbers: tel
find_caller:
  spellings: [e164, national]
  requests:
    - path: /search
      query: {tel: "{{ item }}"}
      each: "{{ numbers }}"
      take: {refs: "hits[].ref"}
    - path: /connections/{{ item }}
      each: "{{ refs }}"
      empty_on: [404]
faults:
  requests:
    - method: POST
      path: /faults/query
      body:
        ref: "{{ customer }}"
        open: true
        most: 5
        code: "7"
        area:
        region: "{{ none }}"
  records: items
  fields:
    number: id
    state: {find: phase, values: {R: reported, W: in_repair}}
    expected_end: until
"""


async def test_a_new_vendor_is_a_new_file_and_no_code(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(NEW)

    def connection(ask: Ask) -> object:
        if ask.parts[0] == "a/..%2Fb":
            raise Refused(404, {})
        return {"ref": ask.parts[0], "who": "Anna", "tel": ["06-12345678"]}

    body = shape("ref open most code area", open={"const": True}, most={"const": 5}, area={"type": "null"})
    faults = [
        {"id": 8, "phase": "W", "until": "2026-11-22T15:30:00"},
        {"id": 9, "phase": "?", "until": None},
    ]
    vendor = Vendor(
        recipe="grid.yaml",
        values={"base_url": "{base}"},
        secrets={"key_file": "grid-key"},
        key=("X-Api-Key", "grid-key"),
        routes=[
            Route(
                "GET",
                "/v1/search",
                lambda ask: {"hits": [{"ref": "C 1/?#"}] if ask.query["tel"] == "0612345678" else []},
                needs=frozenset({"tel"}),
            ),
            Route("GET", "/v1/connections/(.+)", connection),
            Route("POST", "/v1/faults/query", lambda ask: {"items": faults}, body=body),
            Route("GET", "/v1/status", lambda ask: None),
        ],
    )
    server = (await connect(vendor)).server
    configured = Configured.model_validate(
        {
            "integration": "rest",
            "settings": {"recipe": "grid.yaml", "values": {"base_url": server.base, "key_file": "key_file"}},
        }
    )
    connector = Catalog().build(configured, Surroundings(folder=tmp_path))
    system = ConnectedSystem("grid", connector, configured.guard, SystemClock())
    assert system.capabilities == {Capability.FIND_CALLER, Capability.FAULTS}
    await system.check()
    (anna,) = await system.find_caller(PhoneNumber("+31612345678"))
    assert (anna.id, anna.name) == ("C 1/?#", "Anna")
    (fault,) = await system.dossier(Capability.FAULTS, CustomerId("C 1"))
    assert (fault.number, fault.state) == ("8", FaultState.IN_REPAIR)
    assert fault.expected_end is not None
    assert fault.expected_end.isoformat() == "2026-11-22T15:30:00+01:00"
    await system.close()


async def test_a_message_is_posted_once_a_key(connect: Connect) -> None:
    sent = shape("key kind to text subject", kind={"enum": ["sms"]})
    vendor = Vendor(
        recipe="webhook",
        values={"base_url": "{base}/hook"},
        secrets={"token_file": "hook-key"},
        key=("Authorization", "Bearer hook-key"),
        routes=[
            Route("POST", "/hook", lambda ask: None, headers={"Idempotency-Key": "c-1/sms"}, body=sent),
            Route("GET", "/hook", lambda ask: (_ for _ in ()).throw(Refused(405, {}))),
        ],
    )
    hook = await connect(vendor)
    await hook.connector.check()
    await hook.connector.send_message(Message("c-1/sms", MessageKind.SMS, "+31612345678", 'Hi "Anna" & co'))
    assert hook.server.asks[-1].body["text"] == 'Hi "Anna" & co'


async def test_a_webhook_without_a_key_sends_none(tmp_path: Path) -> None:
    connector = RestConnector(
        RestSettings(recipe="webhook", values={"base_url": "http://127.0.0.1:9/hook"}), Surroundings(folder=tmp_path)
    )
    await connector.open()
    await connector.close()


def test_ivr_check_shows_a_recipe_s_own_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the demo's project, whose CRM is asked by a recipe now."""
    root = Path(__file__).parents[3]
    for folder in ("dialplans", "prompts"):
        shutil.copytree(root / folder, tmp_path / folder)
    demo = (root / "config.yaml").read_text()
    start = demo.index("\nconnectors:\n")
    end = start + 1 + re.search(r"\n(?=[a-z_]+:)", demo[start + 2 :]).end()  # type: ignore[union-attr]
    ours = "\nconnectors:\n  crm:\n    integration: rest\n    settings:\n      recipe: mine.yaml\n"
    values = "      values: {base_url: https://crm.example, key_file: key, area: x}\n\n"
    (tmp_path / "config.yaml").write_text(demo[:start] + ours + values + demo[end:])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(GOOD.replace("name: name", "nam: name"))
    checked = CliRunner().invoke(main, ["check"])
    assert "mine.yaml:11:8: customer has no field 'nam'" in checked.output
    assert "did you mean 'name'?" in checked.output
    (tmp_path / "mine.yaml").write_text(GOOD)
    assert "mine.yaml" not in CliRunner().invoke(main, ["check"]).output
