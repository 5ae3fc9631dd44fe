"""`ivr voicemails`, on a real SQLite database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli.main import main
from ivr.config.loading import load
from ivr.domain.contact import Contact, ContactId
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.domain.recording import Purpose, Recording, RecordingId
from ivr.store.stores import Stores

ROOT = Path(__file__).parents[2]
CALL, WITHHELD = ContactId("1790000000.1"), ContactId("1790000000.2")
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

Ivr = Callable[..., Result]


def recording(name: str, contact: ContactId, purpose: Purpose = Purpose.VOICEMAIL) -> Recording:
    return Recording(RecordingId(name), contact, AT, purpose, "night.voicemail", Language.NL, "support", 6.4)


async def store(config: Path) -> None:
    stores = Stores.of(load(config).database)
    await stores.database.migrate()
    await stores.contacts.write([Contact(CALL, AT, number=PhoneNumber("+31612345678")), Contact(WITHHELD, AT)], [], [])
    for each in (
        recording("a", CALL),
        recording("b", WITHHELD),
        recording("c", ContactId("nobody's"), Purpose.CALL),
    ):
        await stores.recordings.keep(each)
    await stores.database.close()


@pytest.fixture
def ivr(tmp_path: Path) -> Ivr:
    """Runs an `ivr` command where three recordings are."""
    config = tmp_path / "config.yaml"
    config.write_text((ROOT / "config.yaml").read_text())
    asyncio.run(store(config))
    return lambda *arguments: CliRunner().invoke(main, [*arguments, "--config", str(config)])


def test_messages_are_printed_with_masked_numbers_and_their_sounds(ivr: Ivr, tmp_path: Path) -> None:
    first, second = json.loads(ivr("voicemails", "--json").stdout)
    assert first == {
        "id": "a",
        "call": CALL,
        "purpose": "voicemail",
        "made_at": "2026-11-23T09:00:00.000Z",
        "caller": "+316******78",
        "step": "night.voicemail",
        "language": "nl",
        "box": "support",
        "seconds": 6.4,
        "heard_at": None,
        "path": str(tmp_path / "var" / "recordings" / "a.wav"),
    }
    assert (second["id"], second["caller"]) == ("b", None)
    assert json.loads(ivr("voicemails", "--json", "--reveal").stdout)[0]["caller"] == "+31612345678"


def test_a_table_hides_numbers_too(ivr: Ivr) -> None:
    table = ivr("voicemails").stdout
    assert "+316******78" in table
    assert "+31612345678" not in table
    assert "+31612345678" in ivr("voicemails", "--reveal").stdout
    assert "2026-11-23 10:00:00" in table


def test_what_was_heard_is_only_shown_when_asked_for(ivr: Ivr) -> None:
    assert ivr("voicemails", "heard", "a").exit_code == 0
    assert [each["id"] for each in json.loads(ivr("voicemails", "--json").stdout)] == ["b"]
    assert [each["id"] for each in json.loads(ivr("voicemails", "--all", "--json").stdout)] == ["a", "b"]
    ivr("voicemails", "heard", "b")
    assert ivr("voicemails").stdout == "Nothing new.\n"


def test_recorded_calls_are_listed_by_themselves(ivr: Ivr) -> None:
    (call,) = json.loads(ivr("voicemails", "--purpose", "call", "--json").stdout)
    assert (call["id"], call["caller"]) == ("c", None)


def test_what_is_not_there_was_not_heard(ivr: Ivr) -> None:
    refused = ivr("voicemails", "heard", "nothing")
    assert refused.exit_code == 1
    assert "there is no recording nothing" in refused.stderr


def test_a_purpose_that_does_not_exist_is_refused(ivr: Ivr) -> None:
    assert ivr("voicemails", "--purpose", "music").exit_code == 2
