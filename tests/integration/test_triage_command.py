"""`ivr triage`, on a journal in a real SQLite database."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.cli.main import main
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Json
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path: Path) -> str:
    """The demo's configuration beside a journal in which two callers were asked about their modem."""
    file = tmp_path / "config.yaml"
    file.write_text((ROOT / "config.yaml").read_text() + f"\nflows: {{ path: {ROOT}/dialplans }}\n")
    asyncio.run(_fill(f"sqlite+aiosqlite:///{tmp_path}/var/klantlijn.db"))
    return str(file)


async def _fill(url: str) -> None:
    database = Database(url, timeout=5.0)
    try:
        await database.migrate()
        for contact, days, result in (("1", 1, "solved"), ("2", 2, "visit"), ("3", 30, "solved")):
            at = datetime.now(UTC) - timedelta(days=days)
            asked: dict[str, Json] = {"triage": "modem", "question": "lights", "answer": "none"}
            events = [
                ContactEvent(f"{contact}a", ContactId(contact), at, EventKind.TRIAGE_ANSWER, "triage", asked),
                ContactEvent(
                    f"{contact}b",
                    ContactId(contact),
                    at,
                    EventKind.TRIAGE_RESULT,
                    "triage",
                    {"triage": "modem", "result": result},
                ),
            ]
            await StoredContacts(database).write([Contact(ContactId(contact), at)], [], events)
    finally:
        await database.close()


def test_the_share_that_was_solved_is_told_for_each_path(config: str) -> None:
    told = CliRunner().invoke(main, ["triage", "modem", "--json", "--config", config])
    assert json.loads(told.stdout) == [
        {
            "triage": "modem",
            "path": [{"question": "lights", "answer": "none"}],
            "calls": 2,
            "results": {"solved": 1, "visit": 1},
            "solved": 0.5,
        }
    ]
    table = CliRunner().invoke(main, ["triage", "--since", "60d", "--config", config]).stdout
    assert table.split("\n")[1].split() == ["modem", "lights:", "none", "3", "2", "0", "1", "0", "0", "67%"]


def test_a_triage_that_asked_nobody_is_said_so(config: str) -> None:
    told = CliRunner().invoke(main, ["triage", "vending_machine", "--config", config])
    assert (told.exit_code, told.stdout) == (0, "nobody was asked by triage vending_machine since then\n")
