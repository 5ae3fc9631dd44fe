"""Tickets, messages and notes of real calls, in a desk over HTTP that may be away, whatever dies meanwhile."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deploy.demo.crm import NAMED
from tests.asterisk.callers import QUICK, callers_of, events, heard
from tests.asterisk.conftest import StartEngine
from tests.asterisk.engine_under_test import ROOT, EngineUnderTest

pytestmark = pytest.mark.asterisk

ANNA = NAMED[0].number
FLOW = """
flow: fault
languages: [nl]
start: question
blocks:
  question:
    - reason: fault
    - menu: { prompt: shortest_question, tries: 1, timeout: 1s, options: { "1": report }, no_input: report }
  report:
    - ticket: { subject: "Storing van {{ caller.name }}", otherwise: later }
    - say: told
    - message: { by: sms, text: "Uw melding is {{ answers.report }}." }
    - queue: support
  later:
    - message: { by: sms, text: U hoort van ons. }
    - say: shortest_answer
    - hang_up:
"""
RECIPE = """
title: A desk
values: { base_url: where it is }
base_url: "{{ base_url }}"
check: { path: /people }
customer: { id: id, name: name, numbers: phone }
find_caller:
  spellings: [e164]
  requests: [{ path: /people, query: { phone: "{{ item }}" }, each: "{{ numbers }}" }]
  records: people
create_ticket:
  requests:
    - method: POST
      path: /tickets
      body:
        key: "{{ ticket.key }}"
        subject: "{{ ticket.subject }}"
        text: "{{ ticket.text }}"
        of: "{{ customer }}"
  number: number
log_contact:
  requests:
    - method: POST
      path: /contacts
      body: { key: "{{ note.key }}", text: "{{ note.text }}", of: "{{ customer }}" }
send_message:
  requests:
    - method: POST
      path: /messages
      body: { key: "{{ message.key }}", to: "{{ message.to }}", text: "{{ message.text }}" }
"""


@dataclass
class Desk:
    """A system that knows Anna, and keeps what it is told unless it is `away`."""

    away: bool = False
    asked: int = 0
    tickets: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Its address while the block lasts."""
        application = web.Application()
        application.router.add_get("/people", self._people)
        application.router.add_post("/{what}", self._take)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _people(self, request: web.Request) -> web.Response:
        phone = request.query.get("phone")
        people = [{"id": "P7", "name": "Anna de Vries", "phone": [ANNA]}] if phone == ANNA else []
        return web.json_response({"people": people})

    async def _take(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.away:
            return web.Response(status=503)
        kept: list[dict[str, Any]] = getattr(self, request.match_info["what"])
        kept.append(await request.json())
        return web.json_response({"number": f"M-{len(kept)}"})


@pytest.fixture
async def desk() -> Desk:
    return Desk()


def settings(tmp_path: Path, url: str) -> dict[str, Any]:
    """A configuration in which the flow above answers, and the desk does everything."""
    shutil.copytree(ROOT / "prompts", tmp_path / "prompts")
    with (tmp_path / "prompts" / "nl" / "texts.yaml").open("a", encoding="utf-8") as texts:
        texts.write('told: "Uw melding heeft nummer {{ answers.report }}."\n')
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "fault.yaml").write_text(FLOW, encoding="utf-8")
    shutil.copy(ROOT / "dialplans" / "callback.yaml", tmp_path / "flows")
    (tmp_path / "desk.yaml").write_text(RECIPE, encoding="utf-8")
    rest = {"integration": "rest", "settings": {"recipe": "desk.yaml", "values": {"base_url": url}}}
    return {
        "flows": {"path": str(tmp_path / "flows")},
        "speech": {**QUICK, "recordings": str(tmp_path / "prompts")},
        "entries": [{"dialled": "*", "flow": "fault"}],
        "connectors": {"desk": {**rest, "guard": {"open_for": "1s"}}},
        "identify": {"connectors": ["desk"]},
        "errands": {
            "tickets": "desk",
            "contacts": ["desk"],
            "messages": {"sms": "desk"},
            "retry_after": "500ms",
            "retry_max": "1s",
        },
    }


async def errands(engine: EngineUnderTest) -> dict[str, tuple[str, str]]:
    """What `ivr errands` tells: the state and result of each, by kind."""
    told = json.loads(await engine.ivr("errands", "--json"))
    return {each["kind"]: (each["state"], each["result"]) for each in told}


async def test_a_call_leaves_a_ticket_a_message_and_a_note(
    start_engine: StartEngine, desk: Desk, tmp_path: Path
) -> None:
    """The caller hears the ticket's number; the note is written when the agent is done, long after the flow was."""
    async with desk.served() as url:
        engine = await start_engine(**settings(tmp_path, url))
        assert "errands: 0 waiting, 0 failed" in await engine.ivr("doctor")
        texts = {"nl/told": "Uw melding heeft nummer M-1."}
        async with callers_of(engine, texts) as callers:
            call = await callers.talk(ANNA, ("nl/shortest_question", "1"), until="nl/told")
            await call.hears("nl/agents_goodbye", 30)
            contact = await callers.contact(call)

            async def noted() -> list[dict[str, Any]]:
                return desk.contacts

            await engine.until(noted, 15, "the note")
        assert heard(call) == ["nl/shortest_question", "nl/told", "nl/agent", "nl/agents_goodbye"]
        key = contact["id"]
        reason = "reden: fault\nquestion: 1"
        assert desk.tickets == [
            {
                "key": f"{key}-ticket-fault.report.ticket",
                "subject": "Storing van Anna de Vries",
                "text": reason,
                "of": "P7",
            }
        ]
        assert desk.messages == [{"key": f"{key}-message-1", "to": ANNA, "text": "Uw melding is M-1."}]
        [note] = desk.contacts
        assert (note["key"], note["of"]) == (f"{key}-note-desk", "P7")
        lines = note["text"].splitlines()
        assert lines[1:3] == ["Reden: fault", "Afloop: gesproken met een medewerker"]
        assert "Melding M-1: Storing van Anna de Vries" in lines
        assert await errands(engine) == {"ticket": ("done", "M-1"), "message": ("done", ""), "note": ("done", "")}
        assert [event["number"] for event in events(contact, "ticket")] == ["M-1"]


async def test_what_was_taken_before_a_crash_is_done_after_it_and_once(
    start_engine: StartEngine, desk: Desk, tmp_path: Path
) -> None:
    """The desk is away, and the engine is killed while the caller is told so: nobody remembers but the disk."""
    desk.away = True
    async with desk.served() as url:
        engine = await start_engine(**settings(tmp_path, url))
        async with callers_of(engine) as callers:
            await callers.talk(ANNA, ("nl/shortest_question", "1"), until="nl/shortest_answer")
            await engine.kill()
        assert (desk.tickets, desk.messages, desk.contacts) == ([], [], [])
        desk.away = False
        await engine.start()

        async def done() -> bool:
            return bool(desk.tickets and desk.messages and desk.contacts)

        await engine.until(done, 60, "the ticket, the message and the note")
        assert await engine.ivr("errands", "--failed") == "No errand has failed.\n"
        asked = desk.asked

        async def settled() -> bool:
            return set((await errands(engine)).values()) == {("done", "M-1"), ("done", "")}

        await engine.until(settled, 20, "what was done to be written down")
        assert desk.asked == asked
        assert [len(kept) for kept in (desk.tickets, desk.messages, desk.contacts)] == [1, 1, 1]
        assert desk.tickets[0]["of"] == "P7"
        assert desk.messages[0]["text"] == "U hoort van ons."
        assert await engine.stop() == 0
