"""Callers who are taken to a telephone: somebody answers there, or a person from the queue does."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ivr.robot.prompts import KnownPrompts
from ivr.robot.sound_file import read_sound
from ivr.robot.user_agent import UserAgent
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.callers import QUICK, Callers, callers_of, events, heard, kinds
from tests.asterisk.conftest import StartEngine
from tests.asterisk.engine_under_test import ROOT
from tests.asterisk.scripted_engine import ScriptedEngine, decides

pytestmark = pytest.mark.asterisk

CALLER, COLLEAGUE = "+31612340021", "+31201230001"
WAIT = 15.0
FLOW = """
flow: transferring
start: here
blocks:
  here:
    - say: connecting
    - transfer: { to: "+31201230001", ring_for: 5s, queue: support }
"""


@asynccontextmanager
async def calling(start_engine: StartEngine, home: Path, flow: str = FLOW) -> AsyncIterator[Callers]:
    """Callers of an engine whose every call is transferred."""
    folder = home / "dialplans"
    folder.mkdir()
    shutil.copy(ROOT / "dialplans" / "callback.yaml", folder)
    (folder / "transferring.yaml").write_text(flow.lstrip(), encoding="utf-8")
    engine = await start_engine(
        flows={"path": str(folder)},
        speech=QUICK,
        entries=[{"dialled": "*", "flow": "transferring"}],
        transfers={"prefixes": ["+31201230"], "telephones": {"nobody": "299"}},
    )
    async with callers_of(engine) as callers:
        yield callers


def result(contact: Mapping[str, object]) -> str:
    [found] = events(contact, "transfer_result")
    return str(found["result"])


async def test_a_colleague_sees_who_calls_answers_and_ends_the_call(
    asterisk: AsteriskUnderTest, start_engine: StartEngine, tmp_path: Path
) -> None:
    async with UserAgent(port=asterisk.trunk_port) as telephone, calling(start_engine, tmp_path) as callers:
        call = await callers.ring(CALLER)
        colleague = await telephone.next_call(WAIT)
        assert (colleague.called, colleague.caller) == (COLLEAGUE, CALLER)
        colleague.ring()
        await call.hears("hold", WAIT)
        colleague.answer()
        await colleague.answered(5)
        colleague.say(read_sound(asterisk.sounds / "nl" / "agent.wav"))
        await call.hears("nl/agent", WAIT)
        await colleague.hang_up()
        assert (await call.ended(5)).by == "them"
        contact = await callers.contact(call)
    assert heard(call) == ["nl/connecting", "nl/agent"]
    assert kinds(contact, "step", "prompt")[-4:] == ["picked_up", "transferred", "transfer_result", "ended"]
    assert (contact["outcome"], contact["queue"], result(contact)) == ("answered", None, "answered")
    assert events(contact, "transferred")[0]["to"] == "+312******01"


@pytest.mark.parametrize(("answer", "told"), [(486, "busy"), (603, "no_answer"), (None, "no_answer"), (503, "failed")])
async def test_who_is_not_answered_goes_to_the_queue(
    asterisk: AsteriskUnderTest, start_engine: StartEngine, tmp_path: Path, answer: int | None, told: str
) -> None:
    async with UserAgent(port=asterisk.trunk_port) as telephone, calling(start_engine, tmp_path) as callers:
        call = await callers.ring(CALLER)
        colleague = await telephone.next_call(WAIT)
        colleague.ring()
        if answer is not None:
            colleague.reject(answer)
        await call.hears("nl/agent", WAIT)
        await call.hang_up()
        contact = await callers.contact(call)
    assert (result(contact), contact["outcome"]) == (told, "answered")
    assert kinds(contact)[-3:] == ["agent_answered", "hung_up", "ended"]


async def test_a_telephone_that_is_not_there_leads_to_the_fallback_queue(
    asterisk: AsteriskUnderTest, start_engine: StartEngine, tmp_path: Path
) -> None:
    flow = FLOW.replace('{ to: "+31201230001", ring_for: 5s, queue: support }', "nobody")
    async with calling(start_engine, tmp_path, flow) as callers:
        call = await callers.ring(CALLER)
        await call.hears("nl/agent", WAIT)
        await call.hang_up()
        contact = await callers.contact(call)
    assert events(contact, "transferred")[0]["to"] == "nobody"
    assert contact["outcome"] == "answered"


async def test_who_leaves_while_it_rings_has_abandoned_the_call(
    asterisk: AsteriskUnderTest, start_engine: StartEngine, tmp_path: Path
) -> None:
    async with UserAgent(port=asterisk.trunk_port) as telephone, calling(start_engine, tmp_path) as callers:
        call = await callers.ring(CALLER)
        colleague = await telephone.next_call(WAIT)
        colleague.ring()
        await call.hang_up()
        assert (await colleague.ended(5)).reason == "cancelled"
        contact = await callers.contact(call)
    assert (result(contact), contact["outcome"]) == ("cancelled", "abandoned")


@pytest.mark.parametrize(
    ("sent", "dialled"),
    [("+31201230001&PJSIP/+31201230009@trunk", "+31201230001+31201230009"), ("+31201230001,60,g", "+3120123000160")],
)
async def test_the_extensions_dial_one_number_whatever_they_are_told(
    asterisk: AsteriskUnderTest, sent: str, dialled: str
) -> None:
    script = decides(to=sent, ring_for="5", queue="support-own", next="transfer")
    async with (
        ScriptedEngine(asterisk.config.asterisk.fastagi.port, script),
        UserAgent(port=asterisk.trunk_port) as telephone,
        UserAgent() as caller,
    ):
        call = await caller.call(f"sip:100@{asterisk.sip_host}:{asterisk.sip_port}", caller_number=CALLER)
        assert (await telephone.next_call(WAIT)).called == dialled
        await call.hang_up()
        await asterisk.quiet()


async def test_what_is_no_number_at_all_leads_to_the_queue(asterisk: AsteriskUnderTest) -> None:
    script = decides(to="PJSIP/", ring_for="5", queue="support-own", next="transfer")
    known = KnownPrompts({"agent": asterisk.sounds / "nl" / "agent.wav"})
    async with ScriptedEngine(asterisk.config.asterisk.fastagi.port, script), UserAgent(known=known) as caller:
        call = await caller.call(f"sip:100@{asterisk.sip_host}:{asterisk.sip_port}", caller_number=CALLER)
        await call.hears("agent", WAIT)
        await call.hang_up()
        await asterisk.quiet()
