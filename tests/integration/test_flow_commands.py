"""The versions of flows by command, on a real SQLite database, followed by what an engine has."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ivr.cli.main import main
from ivr.clock import SystemClock
from ivr.config.loading import load
from ivr.configured import sources_of
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Json, Outcome
from ivr.flow.catalog import FlowCatalog
from ivr.flow.versions import LiveVersions
from ivr.routing.split import Shares
from ivr.store.stores import Stores

ROOT = Path(__file__).parents[2]
FLOW = "shortest"


class Site:
    """A configuration with flow files of its own, its commands, and the part of an engine that follows flows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "dialplans", folder / "dialplans")
        shutil.copytree(ROOT / "prompts", folder / "prompts")
        (folder / "config.yaml").write_text(
            (ROOT / "config.yaml").read_text().replace("flow: lijnnet", f"flow: {FLOW}")
        )
        self.runner = asyncio.Runner()
        config = load(folder / "config.yaml")
        self.stores = Stores.of(config.database)
        self.runner.run(self.stores.database.migrate())
        self.catalog = FlowCatalog(sources_of(config))
        self.live = LiveVersions(self.catalog, sources_of(config), self.stores.flows, SystemClock(), turns=Shares)
        self.follow()

    def close(self) -> None:
        self.runner.run(self.stores.database.close())
        self.runner.close()

    def follow(self) -> None:
        self.catalog.refresh()
        self.runner.run(self.live.keep())
        self.runner.run(self.live.refresh())

    def ivr(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--config", str(self.folder / "config.yaml")])

    def json(self, *arguments: str) -> Any:
        result = self.ivr("flows", *arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def change(self, before: str, after: str) -> str:
        """Change the flow's file, let the engine take it over, and give its version."""
        path = self.folder / "dialplans" / "shortest.yaml"
        path.write_text(path.read_text().replace(before, after))
        self.follow()
        return self.catalog.current().versions()[FLOW]

    def draft(self, tries: int) -> str:
        path = self.folder / "draft.yaml"
        path.write_text(
            (self.folder / "dialplans" / "shortest.yaml").read_text().replace("tries: 1", f"tries: {tries}")
        )
        return str(path)

    def calls(self, count: int = 1) -> Counter[str]:
        """The versions that the next calls get."""
        self.runner.run(self.live.refresh())
        return Counter(self.live.for_call(FLOW).flows[FLOW].version for _ in range(count))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def of(flows: Any) -> Any:
    return next(flow for flow in flows if flow["flow"] == FLOW)


def test_versions_are_listed_with_since_when_and_who(site: Site) -> None:
    first = of(site.json())["files"]
    second = site.change("tries: 1", "tries: 2")
    listed = of(site.json())
    assert (listed["files"], listed["chosen"]) == (second, None)
    assert [(found["version"], found["percent"]) for found in listed["versions"]] == [(second, 100), (first, 0)]
    assert {found["by"] for found in listed["versions"]} == {(site.folder / "config.yaml").owner()}
    shown = site.ivr("flows").stdout
    assert "in the files" in shown
    assert first in shown


def test_a_rollback_is_followed_and_says_what_is_in_force_and_a_change_ends_it(site: Site) -> None:
    first = of(site.json())["files"]
    second = site.change("tries: 1", "tries: 2")
    said = site.ivr("flows", "rollback", FLOW).stdout
    assert f"get version {first}; the files hold {second}" in said
    assert site.calls() == {first: 1}
    assert said.splitlines()[0] in site.ivr("flows").stdout
    third = site.change("tries: 2", "tries: 3")
    assert site.calls() == {third: 1}
    assert of(site.json())["chosen"] is None
    site.change("tries: 3", "tries: 2")
    assert site.calls() == {second: 1}, "a change and its undoing do not bring the rollback back"


def test_any_version_can_be_returned_to_by_its_beginning_and_the_files_too(site: Site) -> None:
    first = of(site.json())["files"]
    site.change("tries: 1", "tries: 2")
    third = site.change("tries: 2", "tries: 3")
    assert site.json("rollback", FLOW, first[:6])["chosen"]["version"] == first
    assert site.calls() == {first: 1}
    assert site.json("rollback", FLOW, "files")["chosen"] is None
    assert site.calls() == {third: 1}


def test_a_share_of_the_calls_gets_another_version_until_it_is_promoted(site: Site) -> None:
    first = of(site.json())["files"]
    second = site.change("tries: 1", "tries: 2")
    assert site.json("canary", FLOW, "files", "--percent", "10")["chosen"]["candidate"] == second
    assert site.calls(100) == {first: 90, second: 10}
    site.json("promote", FLOW)
    assert site.calls(100) == {second: 100}


def test_a_draft_is_tried_without_a_change_of_the_files_and_stopped(site: Site) -> None:
    first = of(site.json())["files"]
    chosen = site.json("canary", FLOW, site.draft(4), "--percent", "25")
    candidate = chosen["chosen"]["candidate"]
    assert site.calls(100) == {first: 75, candidate: 25}
    assert {found["origin"] for found in chosen["versions"]} == {"files", "draft"}
    site.json("stop", FLOW)
    assert site.calls(10) == {first: 10}
    site.json("rollback", FLOW, candidate)
    assert site.calls(10) == {candidate: 10}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("rollback", "shortets"), 2, "did you mean"),
        (("rollback", FLOW), 1, "no version of 'shortest' before"),
        (("rollback", FLOW, "fff"), 1, "no version of 'shortest' begins with 'fff'"),
        (("canary", FLOW, "files", "--percent", "10"), 1, "no earlier version"),
        (("canary", FLOW, "files", "--percent", "100"), 2, "100"),
        (("promote", FLOW), 1, "no version of 'shortest' is tried"),
        (("stop", FLOW), 1, "no version of 'shortest' is tried"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_the_reason(
    site: Site, arguments: tuple[str, ...], code: int, said: str
) -> None:
    refused = site.ivr("flows", *arguments)
    assert (refused.exit_code, said in refused.stderr) == (code, True), refused.stderr


def test_a_draft_with_a_mistake_is_shown_in_its_own_place(site: Site) -> None:
    path = Path(site.draft(4))
    path.write_text(path.read_text().replace("hang_up", "hang_upp"))
    refused = site.ivr("flows", "canary", FLOW, str(path), "--percent", "10")
    assert refused.exit_code == 1
    assert "draft.yaml:" in refused.stderr
    assert "did you mean 'hang_up'" in refused.stderr


def test_a_flow_that_no_call_begins_in_cannot_be_chosen_for(site: Site) -> None:
    (site.folder / "dialplans" / "apart.yaml").write_text("flow: apart\nstart: a\nblocks:\n  a:\n    - hang_up:\n")
    site.follow()
    refused = site.ivr("flows", "rollback", "apart")
    assert refused.exit_code == 2
    assert "no call begins in 'apart'" in refused.stderr


def test_calls_of_an_earlier_version_are_replayed_in_what_the_files_or_a_draft_say(site: Site) -> None:
    had = of(site.json())["files"]
    start, clock = datetime.now(UTC) - timedelta(minutes=5), timedelta(seconds=1)
    happened: list[tuple[EventKind, str, dict[str, Json]]] = [
        (EventKind.IDENTIFIED, "", {"state": "unknown", "region": None}),
        (EventKind.PICKED_UP, "", {}),
        (EventKind.STEP, "question.menu", {}),
        (EventKind.PROMPT, "question.menu", {"prompt": "shortest_question", "language": "nl", "key": "1"}),
        (EventKind.DIGITS, "question.menu", {"keys": "1"}),
        (EventKind.STEP, "answer.say", {}),
        (EventKind.PROMPT, "answer.say", {"prompt": "shortest_answer", "language": "nl"}),
        (EventKind.STEP, "answer.hang_up", {}),
        (EventKind.ENDED, "answer.hang_up", {"outcome": "self_served"}),
    ]
    contacts = [
        Contact(ContactId(name), start, flow=FLOW, flow_version=version, outcome=Outcome.SELF_SERVED)
        for name, version in (("1.1", had), ("1.2", had), ("1.3", "0123456789ab"), ("1.4", had))
    ]
    events = [
        ContactEvent(f"{contact.id}-{position}", contact.id, start + clock * position, kind, step, detail)
        for contact in contacts
        for position, (kind, step, detail) in enumerate(happened)
    ]
    looked_up: dict[str, Json] = {"part": "invoices", "found": 1}
    events.append(
        ContactEvent("lookup", contacts[-1].id, start + clock, EventKind.LOOKED_UP, "question.menu", looked_up)
    )
    site.runner.run(site.stores.contacts.write(contacts, [], events))

    def replay(*arguments: str) -> Any:
        result = site.ivr("replay", "--since", "1h", "--json", *arguments)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    site.change("tries: 1", "tries: 2")
    now = replay()
    assert (now["same"], now["different"], now["unclear"], now["version_not_kept"]) == (2, 0, 1, 1)
    assert now["doubts"] == [
        {"flow": "shortest", "unknown": "what made it go as it went", "calls": 1, "examples": ["1.4"]}
    ]
    draft = site.folder / "draft.yaml"
    draft.write_text((site.folder / "dialplans" / "shortest.yaml").read_text().replace('"1": answer', '"2": answer'))
    drafted = replay("--flow", str(draft))
    assert (drafted["same"], drafted["different"]) == (0, 2)
    [difference] = drafted["differences"]
    assert (difference["before"], difference["after"]) == ("presses 1", "presses what is not offered")
    assert difference["examples"] == ["1.2", "1.1"]
    assert "presses what is not offered" in site.ivr("replay", "--since", "1h", "--flow", str(draft)).stdout
    assert "depends on what made it go as it went" in site.ivr("replay", "--since", "1h").stdout
