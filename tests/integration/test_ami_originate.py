"""Dialling through the manager interface of a synthetic Asterisk: every outcome, and never twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from ivr.asterisk.ami_client import AmiClient
from ivr.asterisk.originate import AmiSwitchboard
from ivr.config.model import Ami
from ivr.domain.dialling import DialOutcome, DialRequest
from ivr.domain.line import PhoneNumber
from ivr.errors import AmiUnavailable, UnsafeValue
from ivr.simulation.ami_peer import AmiPeer, Headers, event, list_of, response
from ivr.simulation.manual_clock import ManualClock

SECRET = "correct horse"
LIMIT = 5.0
REQUEST = DialRequest(
    channel_id="attempt.7",
    number=PhoneNumber("+31612345678"),
    context="klantlijn-callback",
    exten="s",
    timeout=2.0,
    caller_id="+31850001000",
    variables={"KLANTLIJN_CALLBACK": "cb-1", "KLANTLIJN_ATTEMPT": "attempt.7"},
)


async def until(fact: Callable[[], bool]) -> None:
    """Let the event loop turn until something is so."""
    async with asyncio.timeout(LIMIT):
        for _ in iter(fact, True):
            await asyncio.sleep(0)


def channels(*states: tuple[str, int]) -> Callable[[Headers], list[str]]:
    """CoreShowChannels' answer: Uniqueid and state of each."""
    items = [event("CoreShowChannel", Uniqueid=unique, ChannelState=str(state)) for unique, state in states]
    return lambda action: list_of(action, "CoreShowChannelsComplete", items)


@pytest.fixture
async def peer() -> AsyncIterator[AmiPeer]:
    peer = AmiPeer(SECRET)
    peer.answers["originate"] = lambda action: [response(action, Message="Originate successfully queued")]
    peer.answers["coreshowchannels"] = channels()
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(peer: AmiPeer, clock: ManualClock) -> AmiClient:
    return AmiClient(Ami(port=peer.port, action_timeout=0.3), SECRET, clock)


@pytest.fixture
async def switchboard(client: AmiClient, clock: ManualClock) -> AsyncIterator[AmiSwitchboard]:
    switchboard = AmiSwitchboard(client, "PJSIP/{number}@trunk", clock, answer_limit=0.5)
    running = asyncio.create_task(switchboard.run())
    await client.start()
    yield switchboard
    await client.stop()
    await running


Dialling = Callable[[], Awaitable["asyncio.Task[DialOutcome]"]]


@pytest.fixture
def begin(switchboard: AmiSwitchboard, peer: AmiPeer) -> Dialling:
    """Dial, and go on once Asterisk has been asked."""

    async def start() -> asyncio.Task[DialOutcome]:
        task = asyncio.create_task(switchboard.dial(REQUEST))
        await peer.wait_for("Originate")
        return task

    return start


def responds(peer: AmiPeer, reason: int) -> None:
    peer.send_event("OriginateResponse", Uniqueid=REQUEST.channel_id, Reason=str(reason))


def hangs_up(peer: AmiPeer, cause: int) -> None:
    peer.send_event("Hangup", Uniqueid=REQUEST.channel_id, Cause=str(cause))


async def test_what_asterisk_is_asked(begin: Dialling, peer: AmiPeer) -> None:
    task = await begin()
    sent = peer.sent("Originate")[0]
    responds(peer, 4)
    assert await task is DialOutcome.ANSWERED
    assert sent.pop("actionid")
    assert sent == {
        "action": ["Originate"],
        "async": ["true"],
        "callerid": ["+31850001000"],
        "channel": ["PJSIP/+31612345678@trunk"],
        "channelid": ["attempt.7"],
        "context": ["klantlijn-callback"],
        "exten": ["s"],
        "priority": ["1"],
        "timeout": ["2000"],
        "variable": ["KLANTLIJN_CALLBACK=cb-1", "KLANTLIJN_ATTEMPT=attempt.7"],
    }


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [(3, DialOutcome.NO_ANSWER), (4, DialOutcome.ANSWERED), (5, DialOutcome.BUSY)],
)
async def test_a_reason_that_says_enough_is_the_outcome(
    begin: Dialling, peer: AmiPeer, reason: int, outcome: DialOutcome
) -> None:
    task = await begin()
    responds(peer, reason)
    assert await task is outcome


@pytest.mark.parametrize("hangup_first", [True, False])
@pytest.mark.parametrize(
    ("reason", "cause", "outcome"),
    [
        (0, 1, DialOutcome.FAILED),
        (0, 17, DialOutcome.BUSY),
        (0, 18, DialOutcome.NO_ANSWER),
        (0, 21, DialOutcome.BUSY),
        (8, 21, DialOutcome.BUSY),
        (8, 34, DialOutcome.CONGESTION),
        (8, 0, DialOutcome.CONGESTION),
    ],
)
async def test_a_vague_reason_is_read_with_the_channels_hangup_cause(
    begin: Dialling, peer: AmiPeer, reason: int, cause: int, outcome: DialOutcome, hangup_first: bool
) -> None:
    task = await begin()
    if hangup_first:
        hangs_up(peer, cause)
        responds(peer, reason)
    else:
        responds(peer, reason)
        hangs_up(peer, cause)
    assert await task is outcome


async def test_a_vague_reason_without_a_hangup_is_the_outcome_after_a_moment(begin: Dialling, peer: AmiPeer) -> None:
    task = await begin()
    responds(peer, 8)
    assert await task is DialOutcome.CONGESTION


async def test_events_of_other_channels_tell_nothing(begin: Dialling, peer: AmiPeer) -> None:
    task = await begin()
    peer.send_event("OriginateResponse", Uniqueid="attempt.70", Reason="4")
    peer.send_event("OriginateResponse", Reason="4")
    hangs_up(peer, 17)
    responds(peer, 5)
    assert await task is DialOutcome.BUSY


async def test_what_asterisk_refuses_was_not_dialled(switchboard: AmiSwitchboard, peer: AmiPeer) -> None:
    peer.answers["originate"] = lambda action: [response(action, "Error", Message="Extension does not exist.")]
    with pytest.raises(AmiUnavailable, match="Extension does not exist"):
        await switchboard.dial(REQUEST)


async def test_without_a_connection_nothing_is_dialled(
    switchboard: AmiSwitchboard, client: AmiClient, peer: AmiPeer
) -> None:
    await peer.stop()
    await until(lambda: not client.connected)
    with pytest.raises(AmiUnavailable):
        await switchboard.dial(REQUEST)
    assert peer.sent("Originate") == []


@pytest.mark.parametrize(
    ("found", "outcome"),
    [(channels((REQUEST.channel_id, 6)), DialOutcome.ANSWERED), (channels(("other", 6)), DialOutcome.UNKNOWN)],
)
async def test_after_a_broken_link_the_channel_is_looked_for_and_not_dialled_again(
    begin: Dialling,
    peer: AmiPeer,
    client: AmiClient,
    clock: ManualClock,
    found: Callable[[Headers], list[str]],
    outcome: DialOutcome,
) -> None:
    task = await begin()
    peer.answers["coreshowchannels"] = found
    await peer.drop()
    await until(lambda: not client.connected and clock.sleepers == 1)
    await clock.advance(1)
    assert await task is outcome
    assert len(peer.sent("Originate")) == 1


async def test_a_call_that_still_rings_after_a_broken_link_is_waited_for(
    begin: Dialling, peer: AmiPeer, client: AmiClient, clock: ManualClock
) -> None:
    peer.answers["originate"] = lambda action: []
    peer.answers["coreshowchannels"] = channels((REQUEST.channel_id, 5))
    task = await begin()
    await peer.drop()
    await until(lambda: not client.connected and clock.sleepers == 1)
    await clock.advance(1)
    await peer.wait_for("CoreShowChannels")
    responds(peer, 5)
    assert await task is DialOutcome.BUSY
    assert len(peer.sent("Originate")) == 1


async def test_an_answer_to_originate_that_never_comes_makes_it_look_at_the_channel(
    switchboard: AmiSwitchboard, peer: AmiPeer
) -> None:
    peer.answers["originate"] = lambda action: []
    peer.answers["coreshowchannels"] = channels((REQUEST.channel_id, 6))
    async with asyncio.timeout(LIMIT):
        assert await switchboard.dial(replace(REQUEST, timeout=600)) is DialOutcome.ANSWERED
    assert len(peer.sent("Originate")) == 1


async def test_events_missed_before_a_call_was_made_are_none_of_its_business(
    client: AmiClient, switchboard: AmiSwitchboard, peer: AmiPeer
) -> None:
    """The first thing after a login is a gap; a call made then is not looked for before it exists."""
    dialling = asyncio.create_task(switchboard.dial(REQUEST))
    await asyncio.sleep(0)
    switchboard.events.mark_gap()
    await peer.wait_for("Originate")
    await until(lambda: client.in_flight == 0)
    for _ in range(3):
        await client.action("Ping")
    assert peer.sent("CoreShowChannels") == []
    responds(peer, 4)
    assert await dialling is DialOutcome.ANSWERED


async def test_an_outcome_that_is_never_told_is_unknown_after_the_ringing_time(
    switchboard: AmiSwitchboard, peer: AmiPeer
) -> None:
    peer.answers["coreshowchannels"] = channels((REQUEST.channel_id, 5))
    async with asyncio.timeout(LIMIT):
        assert await switchboard.dial(replace(REQUEST, timeout=0.1)) is DialOutcome.UNKNOWN


async def test_a_channel_id_in_use_is_refused(begin: Dialling, switchboard: AmiSwitchboard, peer: AmiPeer) -> None:
    task = await begin()
    with pytest.raises(ValueError, match="already"):
        await switchboard.dial(REQUEST)
    responds(peer, 4)
    assert await task is DialOutcome.ANSWERED


@pytest.mark.parametrize(
    "request_",
    [
        replace(REQUEST, number=PhoneNumber("0612345678")),
        replace(REQUEST, number=PhoneNumber("+31612345678@evil/x")),
        replace(REQUEST, number=PhoneNumber("+3161234567٨")),
        replace(REQUEST, channel_id="a,b"),
        replace(REQUEST, channel_id=""),
        replace(REQUEST, channel_id="x" * 150),
        replace(REQUEST, context="default,s"),
        replace(REQUEST, exten="s\r\nAction: Command"),
        replace(REQUEST, caller_id="+31\r\nApplication: System"),
        replace(REQUEST, variables={"A": "1,CHANNEL(hangup_handler_push)=x"}),
        replace(REQUEST, variables={"SHELL(rm)": "x"}),
        replace(REQUEST, variables={"A": "${SHELL(id)}"}),
    ],
)
async def test_a_value_with_a_meaning_of_its_own_is_refused(
    switchboard: AmiSwitchboard, peer: AmiPeer, request_: DialRequest
) -> None:
    with pytest.raises(UnsafeValue):
        await switchboard.dial(request_)
    assert peer.sent("Originate") == []


async def test_a_channel_is_up_while_asterisk_lists_it(switchboard: AmiSwitchboard, peer: AmiPeer) -> None:
    peer.answers["coreshowchannels"] = channels(("attempt.7", 6), ("attempt.8", 5))
    assert await switchboard.is_up("attempt.7")
    assert not await switchboard.is_up("attempt.9")


async def test_a_mark_is_read_from_asterisks_database(switchboard: AmiSwitchboard, peer: AmiPeer) -> None:
    def dbget(action: Headers) -> list[str]:
        if (action["family"], action["key"]) != (["klantlijn"], ["attempt.7"]):
            return [response(action, "Error", Message="Database entry not found")]
        return list_of(action, "DBGetComplete", [event("DBGetResponse", Val="answered")])

    peer.answers["dbget"] = dbget
    assert await switchboard.mark("attempt.7") == "answered"
    assert await switchboard.mark("attempt.8") is None
    peer.answers["dbget"] = lambda action: [response(action, "Error", Message="Permission denied")]
    with pytest.raises(AmiUnavailable, match="Permission denied"):
        await switchboard.mark("attempt.7")


async def test_a_mark_is_removed_and_one_that_is_not_there_is_no_error(
    switchboard: AmiSwitchboard, peer: AmiPeer
) -> None:
    peer.answers["dbdel"] = lambda action: [response(action, Message="Key deleted successfully")]
    await switchboard.forget_mark("attempt.7")
    assert [(action["family"], action["key"]) for action in peer.sent("DBDel")] == [(["klantlijn"], ["attempt.7"])]
    peer.answers["dbdel"] = lambda action: [response(action, "Error", Message="Database entry not found")]
    await switchboard.forget_mark("attempt.7")
    peer.answers["dbdel"] = lambda action: [response(action, "Error", Message="Permission denied")]
    with pytest.raises(AmiUnavailable, match="Permission denied"):
        await switchboard.forget_mark("attempt.7")


async def test_a_call_is_ended_by_the_name_of_its_channel_unless_it_was_answered(
    switchboard: AmiSwitchboard, peer: AmiPeer
) -> None:
    ringing = event("CoreShowChannel", Uniqueid="attempt.7", ChannelState="5", Channel="PJSIP/trunk-00000001")
    answered = event("CoreShowChannel", Uniqueid="attempt.8", ChannelState="6", Channel="PJSIP/trunk-00000002")
    peer.answers["coreshowchannels"] = lambda action: list_of(action, "CoreShowChannelsComplete", [ringing, answered])
    peer.answers["hangup"] = lambda action: [response(action, Message="Channel Hungup")]
    await switchboard.stop_ringing("attempt.8")
    await switchboard.stop_ringing("attempt.9")
    assert peer.sent("Hangup") == []
    await switchboard.stop_ringing("attempt.7")
    assert [action["channel"] for action in peer.sent("Hangup")] == [["PJSIP/trunk-00000001"]]
    peer.answers["hangup"] = lambda action: [response(action, "Error", Message="No such channel")]
    await switchboard.stop_ringing("attempt.7")
    peer.answers["hangup"] = lambda action: [response(action, "Error", Message="Permission denied")]
    with pytest.raises(AmiUnavailable, match="Permission denied"):
        await switchboard.stop_ringing("attempt.7")


def member(place: str, **changes: str) -> str:
    values = {"Location": place, "StateInterface": place, "Paused": "0", "InCall": "0", "Status": "1"}
    return event("QueueMember", **(values | changes))


def waits(unique: str) -> str:
    return event("QueueEntry", Uniqueid=unique)


NOW = int(ManualClock().now().timestamp())


@pytest.mark.parametrize(
    ("first", "second", "free"),
    [
        ([member("PJSIP/1"), member("PJSIP/2")], [], 2),
        ([member("PJSIP/1"), member("PJSIP/2")], [member("PJSIP/2"), member("PJSIP/3")], 3),
        ([member("PJSIP/1", Paused="1"), member("PJSIP/2", Status="2"), member("PJSIP/3", InCall="1")], [], 0),
        ([member("PJSIP/1", LastCall=str(NOW - 5), Wrapuptime="10")], [], 0),
        ([member("PJSIP/1", LastCall=str(NOW - 15), Wrapuptime="10")], [], 1),
        ([member("PJSIP/1"), member("PJSIP/2"), waits("1.1")], [], 1),
        ([member("PJSIP/1"), waits("1.1"), waits("1.2")], [waits("1.3")], 0),
    ],
)
async def test_free_agents_are_those_who_would_ring_less_the_callers_waiting(
    switchboard: AmiSwitchboard, peer: AmiPeer, first: list[str], second: list[str], free: int
) -> None:
    queues = {"one": first, "two": second}
    peer.answers["queuestatus"] = lambda action: list_of(action, "QueueStatusComplete", queues[action["queue"][0]])
    assert await switchboard.free_agents(["one", "two", "one"]) == free
