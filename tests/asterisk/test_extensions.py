"""What Asterisk does with a call round the engine: a caller ends at a person, whatever becomes of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ivr.robot.call import Call
from ivr.robot.prompts import KnownPrompts
from ivr.robot.user_agent import UserAgent
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.scripted_engine import Script, ScriptedEngine, Session, closes, decides, refuses

pytestmark = pytest.mark.asterisk

NUMBER = "+31612345678"


@pytest.fixture
async def telephone(asterisk: AsteriskUnderTest) -> AsyncIterator[UserAgent]:
    """A caller's telephone that knows Asterisk's own sounds, in both languages."""
    names = ("apology", "waiting", "agent", "goodbye")
    sounds = {f"{name}-{tongue}": asterisk.sounds / tongue / f"{name}.wav" for name in names for tongue in ("nl", "en")}
    known = KnownPrompts(sounds | {"hold": asterisk.sounds / "hold" / "hold.wav"})
    async with UserAgent(known=known) as telephone:
        yield telephone
    await asterisk.quiet()


def engine(asterisk: AsteriskUnderTest, script: Script) -> ScriptedEngine:
    return ScriptedEngine(asterisk.config.asterisk.fastagi.port, script)


async def dial(
    asterisk: AsteriskUnderTest, telephone: UserAgent, dialled: str = "0850001000", **caller: object
) -> Call:
    call = await telephone.call(
        f"sip:{dialled}@{asterisk.sip_host}:{asterisk.sip_port}", caller_number=str(caller.get("number", NUMBER)),
        privacy=bool(caller.get("privacy")),
    )  # fmt: skip
    await call.answered(5)
    return call


async def apologises(call: Call) -> None:
    """The call was apologised to at once, and then an agent picked it up."""
    await call.hears("apology-nl", 3)
    await call.hears("agent-nl", 12)
    assert call.heard[0].start - call.origin < 8 * 1000


async def test_apologises_and_finds_a_person_when_no_engine_runs(
    asterisk: AsteriskUnderTest, telephone: UserAgent
) -> None:
    await apologises(await dial(asterisk, telephone))


async def test_apologises_when_the_engine_closes_without_a_decision(
    asterisk: AsteriskUnderTest, telephone: UserAgent
) -> None:
    async with engine(asterisk, closes):
        await apologises(await dial(asterisk, telephone))


async def test_apologises_when_the_engine_is_full(asterisk: AsteriskUnderTest, telephone: UserAgent) -> None:
    async with engine(asterisk, refuses):
        await apologises(await dial(asterisk, telephone))


async def test_apologises_when_the_engine_dies_while_it_plays(
    asterisk: AsteriskUnderTest, telephone: UserAgent
) -> None:
    async def dies(session: Session) -> None:
        await session.run("ANSWER")
        session.send(f'STREAM FILE "{asterisk.sounds}/hold/hold" ""')
        await asyncio.sleep(0.5)  # well into the music
        session.die()

    async with engine(asterisk, dies):
        call = await dial(asterisk, telephone)
        apology = await call.hears("apology-nl", 3)
    assert apology.start - call.origin < 8 * 1500
    await call.hears("agent-nl", 12)


async def test_takes_the_caller_to_the_queue_that_was_chosen_in_their_language(
    asterisk: AsteriskUnderTest, telephone: UserAgent
) -> None:
    async with engine(asterisk, decides(queue="support-partner", language="en", priority="5", next="queue")):
        call = await dial(asterisk, telephone)
        await call.hears("agent-en", 5)
        assert "(In use)" in await asterisk.cli("queue show support-partner")
    assert [heard.prompt for heard in call.heard] == ["hold", "agent-en"]


async def test_an_agent_says_goodbye_and_hangs_up(asterisk: AsteriskUnderTest, telephone: UserAgent) -> None:
    async with engine(asterisk, decides(queue="support-own", next="queue")):
        call = await dial(asterisk, telephone)
        await call.hears("goodbye-nl", 20)
        assert (await call.ended(5)).by == "them"


async def test_goes_to_the_fallback_queue_when_the_chosen_one_does_not_exist(
    asterisk: AsteriskUnderTest, telephone: UserAgent
) -> None:
    async with engine(asterisk, decides(queue="nowhere", next="queue")):
        await (await dial(asterisk, telephone)).hears("agent-nl", 5)


async def test_a_caller_whom_nobody_can_take_hears_music(asterisk: AsteriskUnderTest, telephone: UserAgent) -> None:
    agents = [f"Local/agent{number}@demo-agents/n" for number in range(6)]
    for agent in agents:
        await asterisk.cli(f"queue pause member {agent}")
    try:
        async with engine(asterisk, decides(queue="support-own", next="queue")):
            call = await dial(asterisk, telephone)
            await call.hears("hold", 5)
    finally:
        for agent in agents:
            await asterisk.cli(f"queue unpause member {agent}")
    await call.hears("agent-nl", 10)


async def test_hangs_up_when_the_engine_says_so(asterisk: AsteriskUnderTest, telephone: UserAgent) -> None:
    async with engine(asterisk, decides(next="hangup")):
        call = await dial(asterisk, telephone)
        assert (await call.ended(3)).by == "them"
    assert call.heard == []


async def test_a_caller_who_leaves_is_not_handed_to_the_engine_again(
    asterisk: AsteriskUnderTest, telephone: UserAgent
) -> None:
    async def waits(session: Session) -> None:
        await session.run("ANSWER")
        await session.run("WAIT FOR DIGIT 20000")

    async with engine(asterisk, waits) as served:
        call = await dial(asterisk, telephone)
        await call.hang_up()
        await asterisk.quiet()
    assert len(served.sessions) == 1


async def test_tells_the_engine_who_calls_and_what_was_dialled(
    asterisk: AsteriskUnderTest, telephone: UserAgent
) -> None:
    async with engine(asterisk, decides(next="hangup")) as served:
        await (await dial(asterisk, telephone, "0850001234")).ended(3)
    header = served.sessions[0].header
    assert (header["network_script"], header["callerid"], header["dnid"], header["arg_1"], header["language"]) == (
        "call", NUMBER, "0850001234", "", "nl",
    )  # fmt: skip


async def test_tells_the_engine_that_a_number_is_withheld(asterisk: AsteriskUnderTest, telephone: UserAgent) -> None:
    async with engine(asterisk, decides(next="hangup")) as served:
        await (await dial(asterisk, telephone, privacy=True)).ended(3)
    header = served.sessions[0].header
    assert header["arg_1"] == "id"
    assert int(header["callingpres"]) & 0x60


async def test_tells_the_engine_how_far_the_network_vouches_for_the_number(
    asterisk: AsteriskUnderTest, telephone: UserAgent
) -> None:
    await asterisk.cli('dialplan set global KLANTLIJN_ATTESTATION "A,x"')
    try:
        async with engine(asterisk, decides(next="hangup")) as served:
            await (await dial(asterisk, telephone)).ended(3)
    finally:
        await asterisk.cli('dialplan set global KLANTLIJN_ATTESTATION ""')
    assert served.sessions[0].header["arg_2"] == "A"


async def test_a_number_with_a_line_break_stays_one_line(asterisk: AsteriskUnderTest, telephone: UserAgent) -> None:
    async with engine(asterisk, decides(next="hangup")) as served:
        await (await dial(asterisk, telephone, number="0612%0Aagi_language%3A%20xx")).ended(3)
    assert served.sessions[0].header["language"] == "nl"
    assert served.sessions[0].header["callerid"] == "0612agi_languagexx"


async def test_refuses_what_was_dialled_when_it_is_no_number(asterisk: AsteriskUnderTest, telephone: UserAgent) -> None:
    async with engine(asterisk, closes) as served:
        call = await telephone.call(f"sip:0850%0Aagi_x@{asterisk.sip_host}:{asterisk.sip_port}", caller_number=NUMBER)
        assert (await call.ended(5)).status == 404
    assert served.sessions == []


async def test_marks_a_callback_when_it_is_answered_and_when_an_agent_has_the_customer(
    asterisk: AsteriskUnderTest, telephone: UserAgent
) -> None:
    seen = asyncio.Event()

    async def decides_once_seen(session: Session) -> None:
        await seen.wait()
        await decides(queue="support-own", next="queue")(session)

    customer = UserAgent(port=asterisk.trunk_port)
    async with customer, engine(asterisk, decides_once_seen) as served:
        await originate(asterisk, "0612345678", "KLANTLIJN_CALLBACK=cb-1,KLANTLIJN_ATTEMPT=at-1")
        call = await customer.next_call(5)
        assert await mark(asterisk) == ""
        call.answer()
        assert await mark(asterisk, until="answered") == "answered"
        seen.set()
        assert await mark(asterisk, until="connected") == "connected"
        await asterisk.quiet()
    assert call.called == "0612345678"
    assert served.sessions[0].header["network_script"] == "callback/cb-1"


async def originate(asterisk: AsteriskUnderTest, number: str, variables: str) -> None:
    """Let Asterisk call a number and run the callback's extensions, in the plainest way its manager knows."""
    ami = asterisk.config.asterisk.ami
    reader, writer = await asyncio.open_connection(ami.host, ami.port)
    login = f"Action: Login\r\nUsername: {ami.user}\r\nSecret: {asterisk.ami_secret}\r\nEvents: off\r\n\r\n"
    dial = f"Action: Originate\r\nAsync: true\r\nChannel: PJSIP/{number}@trunk\r\nContext: klantlijn-callback\r\n"
    writer.write(f"{login}{dial}Exten: {number}\r\nPriority: 1\r\nVariable: {variables}\r\n\r\n".encode())
    async with asyncio.timeout(5):
        await reader.readuntil(b"successfully queued")
    writer.close()
    await writer.wait_closed()


async def mark(asterisk: AsteriskUnderTest, *, until: str = "", limit: float = 5.0) -> str:
    """What the extensions noted of attempt at-1; waits for `until` at most `limit` seconds."""
    end = asyncio.get_running_loop().time() + limit
    while True:
        found = await asterisk.cli("database get klantlijn at-1")
        value = found.partition("Value: ")[2].strip()
        if value == until or asyncio.get_running_loop().time() > end:
            return value
        await asyncio.sleep(0.05)
