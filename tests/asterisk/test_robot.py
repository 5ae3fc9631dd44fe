"""The robot on a real Asterisk: what it presses arrives, what Asterisk plays is heard, silence is measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from ivr.asterisk.ami_client import AmiClient
from ivr.asterisk.originate import AmiSwitchboard
from ivr.clock import SystemClock
from ivr.domain.dialling import DialOutcome, DialRequest
from ivr.domain.line import PhoneNumber
from ivr.robot.performing import perform
from ivr.robot.prompts import KnownPrompts
from ivr.robot.script import Moment, Press, Script
from ivr.robot.user_agent import UserAgent
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.scripted_engine import ScriptedEngine, Session

pytestmark = pytest.mark.asterisk


@pytest.fixture
async def telephone(asterisk: AsteriskUnderTest) -> AsyncIterator[UserAgent]:
    """A caller's telephone that knows four prompts of the Asterisk under test."""
    names = ("apology", "waiting", "agent", "goodbye")
    async with UserAgent(known=KnownPrompts({name: asterisk.sounds / "nl" / f"{name}.wav" for name in names})) as phone:
        yield phone
    await asterisk.quiet()


def address(asterisk: AsteriskUnderTest) -> str:
    return f"sip:0850001000@{asterisk.sip_host}:{asterisk.sip_port}"


async def test_keys_and_prompts_and_silence_of_one_call(asterisk: AsteriskUnderTest, telephone: UserAgent) -> None:
    """A menu that a key interrupts, 500 ms of nothing, three keys, a goodbye that is heard to its end."""
    replies: list[str] = []

    async def serve(session: Session) -> None:
        await session.run("ANSWER")
        replies.append(await session.run(f'STREAM FILE "{asterisk.sounds}/waiting" "12"'))
        await asyncio.sleep(0.5)
        replies.append(await session.run(f'GET DATA "{asterisk.sounds}/agent" 3000 3'))
        await session.run(f'STREAM FILE "{asterisk.sounds}/goodbye" ""')
        await session.run('SET VARIABLE KLANTLIJN_NEXT "hangup"')

    script = Script((Press("2", Moment(0.4, "waiting")), Press("407", Moment(0.2, "agent", at_end=True))), 30)
    async with ScriptedEngine(asterisk.config.asterisk.fastagi.port, serve):
        call = await telephone.call(address(asterisk), caller_number="+31612345678")
        journey = await perform(call, script)
    assert [reply.split(" endpos")[0] for reply in replies] == ["200 result=50", "200 result=407"]
    assert [heard.prompt for heard in journey.heard] == ["waiting", "agent", "goodbye"]
    menu, agent, goodbye = journey.heard
    assert menu.heard_ms < menu.of_ms
    assert (agent.heard_ms, goodbye.heard_ms) == (agent.of_ms, goodbye.of_ms)
    assert min(heard.confidence for heard in journey.heard) > 0.98
    # The key works when it is let go, 100 ms after it went down.
    assert menu.at_ms + menu.heard_ms - journey.pressed[0].at_ms < 300
    (pause,) = journey.dead_air
    assert 450 < pause.ms < 800
    assert (journey.ended_by, journey.undone) == ("them", ())


async def test_a_call_without_pauses_has_no_dead_air(asterisk: AsteriskUnderTest, telephone: UserAgent) -> None:
    async def serve(session: Session) -> None:
        await session.run("ANSWER")
        for name in ("goodbye", "goodbye"):
            await session.run(f'STREAM FILE "{asterisk.sounds}/{name}" ""')
        await session.run('SET VARIABLE KLANTLIJN_NEXT "hangup"')

    async with ScriptedEngine(asterisk.config.asterisk.fastagi.port, serve):
        call = await telephone.call(address(asterisk), caller_number="+31612345678", privacy=True)
        journey = await perform(call, Script((), 20))
    assert [heard.prompt for heard in journey.heard] == ["goodbye", "goodbye"]
    assert [air.ms for air in journey.silences if air.ms > 600] == []
    assert journey.ended_by == "them"


@pytest.fixture
async def switchboard(asterisk: AsteriskUnderTest) -> AsyncIterator[AmiSwitchboard]:
    """What dials customers over the trunk."""
    client = AmiClient(asterisk.config.asterisk.ami, asterisk.ami_secret, SystemClock())
    switchboard = AmiSwitchboard(client, "PJSIP/{number}@trunk", SystemClock(), answer_limit=20)
    running = asyncio.create_task(switchboard.run())
    await client.start()
    await client.wait_connected(5)
    yield switchboard
    await client.stop()
    await running
    await asterisk.quiet()


def request(ring: float = 5.0) -> DialRequest:
    number = PhoneNumber("+31612345678")
    return DialRequest(uuid4().hex, number, "klantlijn-callback", "100", ring, "+31850001000", {})


async def test_a_customer_who_is_called_answers_hears_and_presses(
    asterisk: AsteriskUnderTest, switchboard: AmiSwitchboard
) -> None:
    replies: list[str] = []

    async def serve(session: Session) -> None:
        replies.append(await session.run(f'GET DATA "{asterisk.sounds}/agent" 3000 1'))
        await session.run('SET VARIABLE KLANTLIJN_NEXT "hangup"')

    known = KnownPrompts({"agent": asterisk.sounds / "nl" / "agent.wav"})
    port = asterisk.config.asterisk.fastagi.port
    async with ScriptedEngine(port, serve), UserAgent(port=asterisk.trunk_port, known=known) as customer:
        dialling = asyncio.create_task(switchboard.dial(request()))
        call = await customer.next_call(5)
        call.ring()
        call.answer()
        journey = await perform(call, Script((Press("1", Moment(0, "agent")),), 15))
        assert await dialling is DialOutcome.ANSWERED
    assert (call.called, call.caller) == ("+31612345678", "+31850001000")
    assert replies == ["200 result=1"]
    assert [heard.prompt for heard in journey.heard] == ["agent"]
    assert journey.ended_by == "them"


@pytest.mark.parametrize(("status", "outcome"), [(486, DialOutcome.BUSY), (603, DialOutcome.BUSY)])
async def test_a_customer_who_refuses_is_seen_to(
    asterisk: AsteriskUnderTest, switchboard: AmiSwitchboard, status: int, outcome: DialOutcome
) -> None:
    async with UserAgent(port=asterisk.trunk_port) as customer:
        dialling = asyncio.create_task(switchboard.dial(request()))
        call = await customer.next_call(5)
        call.reject(status)
        assert await dialling is outcome


async def test_a_customer_who_lets_it_ring_is_given_up(
    asterisk: AsteriskUnderTest, switchboard: AmiSwitchboard
) -> None:
    async with UserAgent(port=asterisk.trunk_port) as customer:
        dialling = asyncio.create_task(switchboard.dial(request(ring=1.0)))
        call = await customer.next_call(5)
        call.ring()
        end = await call.ended(5)
        assert await dialling is DialOutcome.NO_ANSWER
    assert (end.by, end.reason) == ("them", "cancelled")
