"""The manager interface of a real Asterisk: rights, filters, dialling, queues, and Asterisk's death in the middle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from ivr.asterisk.ami_client import AmiClient
from ivr.asterisk.ami_probe import probe
from ivr.asterisk.ami_subscription import GAP
from ivr.asterisk.originate import AmiSwitchboard
from ivr.asterisk.queue_watch import QueueWatch
from ivr.clock import SystemClock
from ivr.config.model import Ami
from ivr.domain.contact import Contact, ContactEvent, ContactId
from ivr.domain.dialling import DialOutcome, DialRequest
from ivr.domain.line import PhoneNumber
from ivr.errors import AmiActionFailed, AmiLoginRefused, AmiUnavailable, UnsafeValue
from tests.asterisk.asterisk_under_test import AsteriskUnderTest

pytestmark = pytest.mark.asterisk

LIMIT = 20.0

# Those who are called, by their number's last digit, and what they do. The number itself comes first: `+3161234567N`.
FAR = {
    "1": ("Answer()", "Wait(30)"),
    "2": ("Busy(3)",),
    "3": ("Congestion(3)",),
    "4": ("Ringing()", "Wait(30)"),
    "5": ("Hangup(21)",),
    "6": ("Hangup(1)",),
}
# What our side does with those who answer.
HERE = {"mark": ("Set(DB(klantlijn/${ATTEMPT})=answered)", "Wait(30)"), "queue": ("Queue(support-own)",)}


class Notebook:
    """A journal (`ivr.ports.Journal`) that keeps what it is told."""

    def __init__(self) -> None:
        self.amended: dict[str, object] = {}
        self.events: list[ContactEvent] = []

    def open(self, contact: Contact) -> None:
        raise AssertionError("the watch opens no contacts")

    def amend(self, contact_id: ContactId, changes: object) -> None:
        self.amended[contact_id] = changes

    def event(self, event: ContactEvent) -> None:
        self.events.append(event)


async def until(fact: Callable[[], bool]) -> None:
    """Wait until something is so, LIMIT at most."""
    async with asyncio.timeout(LIMIT):
        for _ in iter(fact, True):
            await asyncio.sleep(0.02)


async def add_extensions(asterisk: AsteriskUnderTest) -> None:
    """Give Asterisk the far ends of this module's calls."""
    extensions = [("ami-far", f"+3161234567{digit}", steps) for digit, steps in FAR.items()]
    extensions += [("ami-here", name, steps) for name, steps in HERE.items()]
    for context, name, steps in extensions:
        for priority, step in enumerate(steps, start=1):
            await asterisk.cli(f"dialplan add extension {name},{priority},{step} into {context} replace")


def settings(asterisk: AsteriskUnderTest) -> Ami:
    return asterisk.config.asterisk.ami.model_copy(update={"reconnect_max": 1.0})


@pytest.fixture
async def client(asterisk: AsteriskUnderTest) -> AsyncIterator[AmiClient]:
    await add_extensions(asterisk)
    client = AmiClient(settings(asterisk), asterisk.ami_secret, SystemClock())
    yield client
    await client.stop()
    if asterisk.private.is_running():
        await asterisk.cli("channel request hangup all")
        await asterisk.quiet()


@pytest.fixture
async def switchboard(client: AmiClient) -> AsyncIterator[AmiSwitchboard]:
    switchboard = AmiSwitchboard(client, "Local/{number}@ami-far", SystemClock(), answer_limit=LIMIT)
    running = asyncio.create_task(switchboard.run())
    yield switchboard
    await client.stop()
    await running


def call(digit: str, exten: str = "mark", ring: float = 5.0) -> DialRequest:
    """A call to one of the far ends."""
    channel_id = uuid4().hex
    number = PhoneNumber(f"+3161234567{digit}")
    return DialRequest(channel_id, number, "ami-here", exten, ring, "+31850001000", {"ATTEMPT": channel_id})


@pytest.mark.parametrize(
    ("digit", "outcome"),
    [
        ("1", DialOutcome.ANSWERED),
        ("2", DialOutcome.BUSY),
        ("3", DialOutcome.CONGESTION),
        ("5", DialOutcome.BUSY),
        ("6", DialOutcome.FAILED),
    ],
)
async def test_the_outcome_of_a_call_is_known(
    client: AmiClient, switchboard: AmiSwitchboard, digit: str, outcome: DialOutcome
) -> None:
    await client.start()
    assert await switchboard.dial(call(digit)) is outcome


async def test_a_call_that_nobody_answers_rings_for_its_time(client: AmiClient, switchboard: AmiSwitchboard) -> None:
    await client.start()
    began = time.monotonic()
    assert await switchboard.dial(call("4", ring=1.0)) is DialOutcome.NO_ANSWER
    assert 0.9 < time.monotonic() - began < 3


async def test_our_channel_id_finds_the_call_and_its_mark(client: AmiClient, switchboard: AmiSwitchboard) -> None:
    await client.start()
    request = call("1")
    assert await switchboard.mark(request.channel_id) is None
    assert not await switchboard.is_up(request.channel_id)
    await switchboard.dial(request)
    assert await switchboard.is_up(request.channel_id)
    async with asyncio.timeout(LIMIT):
        while (mark := await switchboard.mark(request.channel_id)) is None:
            pass
    assert mark == "answered"


async def test_an_extension_that_is_not_there_is_not_dialled(client: AmiClient, switchboard: AmiSwitchboard) -> None:
    await client.start()
    with pytest.raises(AmiUnavailable, match="Extension does not exist"):
        await switchboard.dial(call("1", exten="nowhere"))


async def test_a_ringing_call_in_a_killed_asterisk_is_unknown_and_not_dialled_again(
    client: AmiClient, switchboard: AmiSwitchboard, asterisk: AsteriskUnderTest
) -> None:
    await client.start()
    dialling = asyncio.create_task(switchboard.dial(call("4", ring=30.0)))
    await ringing(asterisk)
    await asterisk.kill()
    await until(lambda: not client.connected)
    with pytest.raises(AmiUnavailable):
        await switchboard.is_up("any")
    await asterisk.restart()
    assert await dialling is DialOutcome.UNKNOWN
    assert await asterisk.channels() == 0
    await add_extensions(asterisk)
    assert await switchboard.dial(call("2")) is DialOutcome.BUSY


async def test_a_call_that_was_answered_while_the_link_was_broken_is_found(
    client: AmiClient, switchboard: AmiSwitchboard, asterisk: AsteriskUnderTest
) -> None:
    """The link breaks on our side only: Asterisk goes on dialling."""
    await client.start()
    await asterisk.cli("dialplan add extension +31612345677,1,Ringing() into ami-far replace")
    await asterisk.cli("dialplan add extension +31612345677,2,Wait(1) into ami-far replace")
    await asterisk.cli("dialplan add extension +31612345677,3,Answer() into ami-far replace")
    await asterisk.cli("dialplan add extension +31612345677,4,Wait(30) into ami-far replace")
    dialling = asyncio.create_task(switchboard.dial(call("7")))
    await ringing(asterisk)
    await asterisk.cli("manager kick session " + await session_of(asterisk))
    assert await dialling is DialOutcome.ANSWERED


async def ringing(asterisk: AsteriskUnderTest) -> None:
    """Wait until Asterisk has the call."""
    async with asyncio.timeout(LIMIT):
        while not await asterisk.channels():
            pass


async def session_of(asterisk: AsteriskUnderTest) -> str:
    """The file descriptor by which Asterisk's console names our session."""
    line = next(line for line in (await asterisk.cli("manager show connected")).splitlines() if "klantlijn" in line)
    return line.split()[4]


async def test_asterisk_sends_what_is_subscribed_and_nothing_else(
    client: AmiClient, asterisk: AsteriskUnderTest
) -> None:
    """`manager show eventq` cannot tell, so a subscription to everything a call makes is put in after the login."""
    hangups = client.subscribe("Hangup")
    await client.start()
    others = client.subscribe("Newchannel", "Newstate", "DialBegin", "OriginateResponse", "RTCPSent", "LocalBridge")
    await client.action("Originate", Channel="Local/+31612345676@ami-far", Application="Wait", Data="1", Async="true")
    assert await anext(hangups) is GAP
    async with asyncio.timeout(LIMIT):
        assert [(await anext(hangups)).event for _ in range(2)] == ["Hangup", "Hangup"]
    await client.action("Ping")
    others.close()
    assert [event.event async for event in others] == []


async def test_agents_of_queues_are_counted(client: AmiClient, switchboard: AmiSwitchboard) -> None:
    await client.start()
    own = await switchboard.free_agents(["support-own"])
    both = await switchboard.free_agents(["support-own", "support-partner"])
    assert 0 < own < both
    members = [item for item in await client.action_list("QueueStatus") if item.event == "QueueMember"]
    assert both == len({member["StateInterface"] for member in members})


async def test_a_caller_in_a_queue_is_followed_to_the_end(client: AmiClient, switchboard: AmiSwitchboard) -> None:
    notebook, connected = Notebook(), list[ContactId]()
    watch = QueueWatch(client, notebook, SystemClock(), connected.append)
    running = asyncio.create_task(watch.run())
    await client.start()
    request = call("1", exten="queue")
    assert await switchboard.dial(request) is DialOutcome.ANSWERED
    await until(lambda: watch.callers == 0 and len(notebook.events) >= 2)
    assert connected == [request.channel_id]
    answered, *_, ended = notebook.events
    assert (answered.kind.value, answered.detail["queue"]) == ("agent_answered", "support-own")
    assert str(answered.detail["agent"]).startswith("support-own-")
    assert ended.kind.value == "ended"
    await client.stop()
    await running


async def test_text_from_callers_cannot_become_an_action(client: AmiClient) -> None:
    await client.start()
    with pytest.raises(UnsafeValue):
        await client.action("DBGet", Family="klantlijn", Key="x\r\n\r\nAction: DBDel")
    with pytest.raises(AmiActionFailed, match="not found"):
        await client.action_list("DBGet", Family="klantlijn", Key="x" * 900)


async def test_the_second_library_sees_the_same_asterisk_with_all_rights(
    client: AmiClient, asterisk: AsteriskUnderTest
) -> None:
    await client.start()
    found = await asyncio.to_thread(probe, settings(asterisk), asterisk.ami_secret)
    assert found.missing == ()
    assert found.version == (await client.action("CoreSettings"))["AsteriskVersion"]


async def test_a_wrong_secret_is_refused_by_both(asterisk: AsteriskUnderTest) -> None:
    client = AmiClient(settings(asterisk), "wrong", SystemClock())
    await client.start()
    with pytest.raises(AmiLoginRefused):
        await client.wait_connected(0.01)
    await client.stop()
    with pytest.raises(AmiLoginRefused):
        await asyncio.to_thread(probe, settings(asterisk), "wrong")
