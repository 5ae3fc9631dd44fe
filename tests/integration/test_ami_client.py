"""The manager client against a synthetic Asterisk on a real socket: each fault of panoramisk 1.4, answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from panoramisk.ami_protocol import AMIProtocol

from ivr.asterisk.ami_client import AmiClient
from ivr.asterisk.ami_link import GuardedProtocol
from ivr.asterisk.ami_subscription import GAP
from ivr.asterisk.ami_wire import AmiMessage
from ivr.config.model import Ami
from ivr.errors import AmiActionFailed, AmiAnswerLost, AmiUnavailable, UnsafeValue
from ivr.simulation.ami_peer import AmiPeer, event, list_of, response
from ivr.simulation.manual_clock import ManualClock

SECRET = "correct horse"
SHORT = 0.2
LIMIT = 5.0


def silence(_: object) -> list[str]:
    return []


def settings(port: int, **changes: object) -> Ami:
    values: dict[str, object] = {"port": port, "action_timeout": LIMIT, "ping_interval": 10.0, "reconnect_max": 30.0}
    return Ami.model_validate(values | changes)


@pytest.fixture
async def peer() -> AsyncIterator[AmiPeer]:
    peer = AmiPeer(SECRET)
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(peer: AmiPeer, clock: ManualClock) -> AsyncIterator[AmiClient]:
    """Connected, and subscribed to nothing yet."""
    client = AmiClient(settings(peer.port), SECRET, clock, random_share=lambda: 0.0)
    await client.start()
    await client.wait_connected(LIMIT)
    yield client
    await client.stop()


async def until(fact: Callable[[], bool]) -> None:
    """Let the event loop turn until something is so."""
    async with asyncio.timeout(LIMIT):
        for _ in iter(fact, True):
            await asyncio.sleep(0)


async def reconnect(client: AmiClient, peer: AmiPeer, clock: ManualClock) -> None:
    """Let the pause after a loss pass, and wait until the client is back."""
    before = peer.connections
    await until(lambda: not client.connected and clock.sleepers == 1)
    await clock.advance(30)
    await peer.wait_connections(before + 1)
    await client.wait_connected(LIMIT)


async def test_an_action_gets_its_own_answer(client: AmiClient, peer: AmiPeer) -> None:
    peer.answers["dbget"] = lambda action: [response(action, Val=action["key"][0])]
    answers = await asyncio.gather(*(client.action("DBGet", Key=str(number)) for number in range(50)))
    assert [answer["Val"] for answer in answers] == [str(number) for number in range(50)]


async def test_a_refused_action_says_why(client: AmiClient) -> None:
    with pytest.raises(AmiActionFailed, match="Invalid/unknown command"):
        await client.action("Nonsense")


async def test_originate_is_not_sent_again_after_a_reconnect(
    client: AmiClient, peer: AmiPeer, clock: ManualClock
) -> None:
    peer.answers["originate"] = silence
    dialling = asyncio.create_task(client.action("Originate", Channel="Local/1@x"))
    await peer.wait_for("Originate")
    await peer.drop()
    with pytest.raises(AmiAnswerLost):
        async with asyncio.timeout(1):
            await dialling
    await reconnect(client, peer, clock)
    await client.action("Ping")
    assert len(peer.sent("Originate")) == 1


async def test_every_action_in_flight_fails_at_once_when_the_link_breaks(client: AmiClient, peer: AmiPeer) -> None:
    peer.answers["dbget"] = silence
    waiting = [asyncio.create_task(client.action("DBGet", Key=str(number))) for number in range(5)]
    await peer.wait_for("DBGet", count=5)
    await peer.drop()
    async with asyncio.timeout(1):
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [AmiAnswerLost] * 5


async def test_without_a_connection_nothing_is_kept_for_later(
    client: AmiClient, peer: AmiPeer, clock: ManualClock
) -> None:
    await peer.drop()
    await until(lambda: not client.connected)
    with pytest.raises(AmiUnavailable):
        await client.action("Originate", Channel="Local/1@x")
    await reconnect(client, peer, clock)
    assert peer.sent("Originate") == []


async def test_a_line_break_in_a_value_is_refused_and_nothing_is_sent(client: AmiClient, peer: AmiPeer) -> None:
    with pytest.raises(UnsafeValue):
        await client.action("DBGet", Key="x\r\n\r\nAction: Command\r\nCommand: core stop now")
    await client.action("Ping")
    assert peer.sent("DBGet") == peer.sent("Command") == []


async def test_a_letter_cut_by_a_segment_is_kept(peer: AmiPeer, clock: ManualClock) -> None:
    client = AmiClient(settings(peer.port), SECRET, clock)
    hangups = client.subscribe("Hangup")
    await client.start()
    assert await anext(hangups) is GAP
    data = "Event: Hangup\r\nCallerIDName: Zoë 電話\r\n\r\n".encode()
    for position in range(len(data)):
        peer.send(data[position : position + 1])
        await asyncio.sleep(0)
    async with asyncio.timeout(LIMIT):
        assert (await anext(hangups))["CallerIDName"] == "Zoë 電話"
    await client.stop()


async def test_an_answer_that_never_comes_has_a_limit_and_leaves_nothing_behind(
    peer: AmiPeer, clock: ManualClock
) -> None:
    client = AmiClient(settings(peer.port, action_timeout=SHORT), SECRET, clock)
    await client.start()
    late = []
    peer.answers["dbget"] = lambda action: late.append(response(action, Val="late")) or []
    with pytest.raises(AmiAnswerLost, match=r"no answer in 0\.2 s"):
        await client.action("DBGet", Key="x")
    assert client.in_flight == 0
    peer.send((late[0] + "\r\n\r\n").encode())
    assert (await client.action("Ping"))["Ping"] == "Pong"
    await client.stop()


async def test_a_list_is_collected_whole(client: AmiClient, peer: AmiPeer) -> None:
    items = [event("QueueMember", Name=str(number)) for number in range(200)]
    peer.answers["queuestatus"] = lambda action: list_of(action, "QueueStatusComplete", items)
    members = await client.action_list("QueueStatus")
    assert [member["Name"] for member in members] == [str(number) for number in range(200)]


async def test_an_empty_list_is_a_list(client: AmiClient, peer: AmiPeer) -> None:
    peer.answers["queuestatus"] = lambda action: list_of(action, "QueueStatusComplete", [])
    assert await client.action_list("QueueStatus") == []


async def test_an_error_instead_of_a_list_is_an_answer(client: AmiClient, peer: AmiPeer) -> None:
    peer.answers["dbget"] = lambda action: [response(action, "Error", Message="Database entry not found")]
    with pytest.raises(AmiActionFailed, match="Database entry not found"):
        async with asyncio.timeout(1):
            await client.action_list("DBGet", Family="klantlijn", Key="none")


@pytest.mark.parametrize("told", ["EventList: Complete\r\nListItems: 2", "EventList: Cancelled\r\nListItems: 1"])
async def test_a_list_that_lacks_items_is_refused(client: AmiClient, peer: AmiPeer, told: str) -> None:
    def cut_short(action: dict[str, list[str]]) -> list[str]:
        start, item, _ = list_of(action, "QueueStatusComplete", [event("QueueMember")])
        return [start, item, f"Event: QueueStatusComplete\r\n{told}\r\nActionID: {action['actionid'][0]}"]

    peer.answers["queuestatus"] = cut_short
    with pytest.raises(AmiActionFailed, match="not complete"):
        await client.action_list("QueueStatus")


async def test_an_event_with_the_actions_id_before_its_response_is_not_its_answer(
    peer: AmiPeer, clock: ManualClock
) -> None:
    client = AmiClient(settings(peer.port), SECRET, clock)
    responses = client.subscribe("OriginateResponse")
    await client.start()
    peer.answers["originate"] = lambda action: [
        event("OriginateResponse", ActionID=action["actionid"][0], Reason="4"),
        response(action, Message="Originate successfully queued"),
    ]
    answer = await client.action("Originate", Channel="Local/1@x")
    assert answer["Message"] == "Originate successfully queued"
    assert await anext(responses) is GAP
    assert (await anext(responses))["Reason"] == "4"
    assert client.connected
    await client.stop()


async def test_an_originate_answered_in_every_form_keeps_the_link(client: AmiClient, peer: AmiPeer) -> None:
    """panoramisk 1.4 looks for an `async` key in its own Originate and ends the link when there is none."""
    peer.answers["originate"] = lambda action: [response(action, Message="Originate successfully queued")]
    await client.action("Originate", Channel="Local/1@x")
    await client.action("Originate", Channel="Local/1@x", Async="true")
    assert client.connected
    assert peer.connections == 1


async def test_a_repeated_header_does_not_end_the_link(client: AmiClient, peer: AmiPeer) -> None:
    peer.answers["dbget"] = lambda action: [response(action, Message="one") + "\r\nMessage: two\r\nActionID: other"]
    assert (await client.action("DBGet"))["Message"] == "one"
    assert peer.connections == 1


async def test_a_slow_subscriber_stops_nobody(peer: AmiPeer, clock: ManualClock) -> None:
    client = AmiClient(settings(peer.port), SECRET, clock)
    slow, quick = client.subscribe("Hangup", room=10), client.subscribe("Hangup")
    await client.start()
    for number in range(1000):
        peer.send_event("Hangup", N=str(number))
    assert (await client.action("Ping"))["Ping"] == "Pong"
    assert await anext(quick) is GAP
    assert [(await anext(quick))["N"] for _ in range(1000)] == [str(number) for number in range(1000)]
    assert (slow.dropped, client.dropped_events) == (990, 990)
    assert await anext(slow) is GAP
    assert (await anext(slow))["N"] == "990"
    await client.stop()


async def test_a_subscriber_that_raises_does_not_end_the_link(peer: AmiPeer, clock: ManualClock) -> None:
    client = AmiClient(settings(peer.port), SECRET, clock)
    subscription = client.subscribe("Hangup")

    async def fail() -> None:
        async for _ in subscription:
            raise RuntimeError("a bug in the subscriber")

    reader = asyncio.create_task(fail())
    await client.start()
    with pytest.raises(RuntimeError):
        await reader
    peer.send_event("Hangup")
    assert (await client.action("Ping"))["Ping"] == "Pong"
    assert peer.connections == 1
    await client.stop()


@pytest.mark.parametrize("rubbish", [b"Event: X\r\nName: " + b"x" * 300_000, b"Response: \r\n\r\n" + b"y" * 300_000])
async def test_a_message_without_end_ends_the_link_and_it_comes_back(
    client: AmiClient, peer: AmiPeer, clock: ManualClock, rubbish: bytes
) -> None:
    peer.send(rubbish)
    await reconnect(client, peer, clock)
    assert (await client.action("Ping"))["Ping"] == "Pong"


async def test_odd_messages_do_not_end_the_link(client: AmiClient, peer: AmiPeer) -> None:
    peer.send(
        b"\r\n\r\nno header\r\n\r\nResponse: Follows\r\n\r\nEvent: \r\n\r\nResponse: Error\r\nActionID: x\r\n\r\n"
    )
    assert (await client.action("Ping"))["Ping"] == "Pong"
    assert peer.connections == 1


async def test_a_shutdown_event_is_a_loss(client: AmiClient, peer: AmiPeer, clock: ManualClock) -> None:
    peer.send_event("Shutdown", Shutdown="Cleanly")
    await reconnect(client, peer, clock)


class DeafTransport(asyncio.Transport):
    """Refuses every write, as uvloop does on a connection that is closing."""

    def __init__(self, real: asyncio.Transport) -> None:
        super().__init__()
        self._real = real

    def write(self, data: object) -> None:
        raise RuntimeError("the connection is closing")

    def abort(self) -> None:
        self._real.abort()

    close = abort


def connect_without_writing(protocol: GuardedProtocol, transport: asyncio.Transport) -> None:
    """What connection_made does, with a transport on which nothing can be sent."""
    AMIProtocol.connection_made(protocol, DeafTransport(transport))
    protocol.greeted.set()


async def test_nothing_secret_or_personal_is_logged(
    client: AmiClient,
    peer: AmiPeer,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    broken = AmiClient(settings(peer.port, action_timeout=SHORT), SECRET, clock)
    monkeypatch.setattr("ivr.asterisk.ami_link.GuardedProtocol.connection_made", connect_without_writing)
    await broken.start()
    monkeypatch.undo()
    await broken.stop()
    peer.answers["originate"] = silence
    dialling = asyncio.create_task(client.action("Originate", Channel="PJSIP/+31612345678@trunk"))
    await peer.wait_for("Originate")
    await peer.drop()
    with pytest.raises(AmiAnswerLost) as caught:
        await dialling
    await reconnect(client, peer, clock)
    written = caplog.text + capsys.readouterr().out + str(caught.value) + repr(AmiMessage([("Secret", SECRET)]))
    assert "ami_connected" in written
    assert SECRET not in written
    assert "31612345678" not in written
