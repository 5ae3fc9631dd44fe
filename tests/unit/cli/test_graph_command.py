"""Facts about `ivr graph`."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from ivr.cli.main import main
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database

ROOT = Path(__file__).parents[3]
FLOW = """
flow: small
start: question
blocks:
  question:
    - say: shortest_answer
      on_error: bye
    - menu:
        prompt: shortest_question
        options:
          "1": bye
          "2": question
          "3": other
  bye:
    - hang_up:
  other:
    - branch: [{ when: caller.name == "a<b", goto: bye }]
    - goto: { flow: callback }
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo with a small flow."""
    shutil.copy(ROOT / "config.yaml", tmp_path)
    for folder in ("dialplans", "prompts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "dialplans" / "small.yaml").write_text(FLOW, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ivr(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


async def had(project: Path, calls: dict[str, list[str]], ago: timedelta) -> None:
    """Write calls into the journal: what they went through, as `step` and `=key`."""
    database = Database(f"sqlite+aiosqlite:///{project}/var/klantlijn.db", timeout=5.0)
    (project / "var").mkdir(exist_ok=True)
    await database.migrate()
    start = datetime.now(UTC) - ago
    contacts = [Contact(ContactId(name), start, flow="small") for name in calls]
    events = [
        ContactEvent(
            f"{name}{number}",
            ContactId(name),
            start + timedelta(seconds=number),
            EventKind.DIGITS if word.startswith("=") else EventKind.STEP,
            "" if word.startswith("=") else word,
            {"keys": word[1:]} if word.startswith("=") else {},
        )
        for name, words in calls.items()
        for number, word in enumerate(words)
    ]
    await StoredContacts(database).write(contacts, [], events)
    await database.close()


def test_a_flow_is_shown_as_mermaid(project: Path) -> None:
    shown = ivr("graph", "small")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.splitlines() == [
        "---",
        "title: small",
        "---",
        "flowchart TD",
        '  n0(["<b>question</b><br/>say shortest_answer<br/>menu shortest_question"])',
        '  n1["<b>bye</b><br/>hang_up"]',
        '  n2["<b>other</b><br/>branch"]',
        '  n3(("<b>a person</b>"))',
        '  n4(("<b>flow callback</b>"))',
        '  n0 -->|"on_error, 1"| n1',
        '  n0 -->|"2"| n0',
        '  n0 -->|"3"| n2',
        '  n0 -->|"otherwise"| n3',
        '  n2 -->|"caller.name == #quot;a#lt;b#quot;"| n1',
        "  n2 --> n4",
    ]


def test_a_flow_is_drawn_as_an_image(project: Path) -> None:
    assert ivr("graph", "small", "--svg", "small.svg").exit_code == 0
    root = ElementTree.parse(project / "small.svg").getroot()
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    for word in ("question", "menu shortest_question", "a person", "flow callback", 'caller.name == "a<b"'):
        assert word in texts
    assert ivr("graph", "small", "--svg", "nowhere/small.svg").exit_code == 1


def test_every_shipped_flow_can_be_drawn(project: Path) -> None:
    for path in (ROOT / "dialplans").glob("*.yaml"):
        drawn = ivr("graph", path.stem, "--svg", "flow.svg")
        assert drawn.exit_code == 0, drawn.output
        ElementTree.parse(project / "flow.svg")


def test_the_share_of_callers_is_shown_on_each_way(project: Path) -> None:
    through = ["question.say", "question.menu"]
    asyncio.run(
        had(
            project,
            {
                "c1": [*through, "=1", "bye.hang_up"],
                "c2": [*through, "=2", *through, "=2", *through, "=1", "bye.hang_up"],
                "c3": [*through, "=3", "other.branch", "bye.hang_up"],
                "c4": through[:1],
            },
            timedelta(minutes=5),
        )
    )
    asyncio.run(had(project, {"old": [*through, "=1", "bye.hang_up"]}, timedelta(days=2)))
    shown = ivr("graph", "small", "--calls", "2h").stdout
    assert "title: small, 4 calls" in shown
    assert 'n0 -->|"on_error, 1: 50 % (2)"| n1' in shown
    assert 'n0 -->|"2: 25 % (1)"| n0' in shown
    assert 'n0 -->|"otherwise: none"| n3' in shown  # also not for who left in the middle
    assert "title: small, 5 calls" in ivr("graph", "small", "--calls", "3d").stdout
    assert ivr("graph", "small", "--calls", "today").exit_code == 0


def test_wrong_use_is_told_with_help(project: Path) -> None:
    refused = ivr("graph", "smal")
    assert refused.exit_code == 2
    assert "did you mean 'small'?" in " ".join(refused.stderr.split())
    assert ivr("graph", "small", "--calls", "soon").exit_code == 2
