"""How the manager client gets, keeps and regains its connection, against a synthetic Asterisk on a real socket."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from panoramisk.manager import Manager

from ivr.asterisk.ami_client import AmiClient
from ivr.asterisk.ami_subscription import GAP
from ivr.config.model import Ami
from ivr.errors import AmiLoginRefused, AmiUnavailable, SetupError
from ivr.simulation.ami_peer import AmiPeer, event
from ivr.simulation.manual_clock import ManualClock

SECRET = "correct horse"
LIMIT = 5.0


def settings(port: int, **changes: object) -> Ami:
    values: dict[str, object] = {"port": port, "action_timeout": LIMIT, "ping_interval": 10.0, "reconnect_max": 30.0}
    return Ami.model_validate(values | changes)


async def until(fact: Callable[[], bool]) -> None:
    """Let the event loop turn until something is so."""
    async with asyncio.timeout(LIMIT):
        for _ in iter(fact, True):
            await asyncio.sleep(0)


@pytest.fixture
async def peer() -> AsyncIterator[AmiPeer]:
    peer = AmiPeer(SECRET)
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


Connect = Callable[..., AmiClient]


@pytest.fixture
async def new_client(peer: AmiPeer, clock: ManualClock) -> AsyncIterator[Connect]:
    clients: list[AmiClient] = []

    def make(secret: str = SECRET, share: float = 0.0, **changes: object) -> AmiClient:
        client = AmiClient(settings(peer.port, **changes), secret, clock, random_share=lambda: share)
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.stop()


async def test_it_starts_while_asterisk_is_down_and_connects_when_it_comes(
    peer: AmiPeer, new_client: Connect, clock: ManualClock
) -> None:
    await peer.stop()
    client = new_client()
    await client.start()
    assert not client.connected
    with pytest.raises(AmiUnavailable):
        await client.action("Ping")
    with pytest.raises(AmiUnavailable):
        await client.wait_connected(0.01)
    await peer.start()
    await clock.advance(1)
    await client.wait_connected(LIMIT)
    assert client.connected


async def test_pauses_between_attempts_double_up_to_the_limit(
    peer: AmiPeer, new_client: Connect, clock: ManualClock
) -> None:
    peer.banner = b"HTTP/1.1 400 Bad Request\r\n"
    await new_client(reconnect_max=3.0).start()
    for attempt, pause in enumerate((0.5, 1.0, 2.0, 3.0, 3.0), start=1):
        await until(lambda: clock.sleepers == 1)
        await clock.advance(pause - 0.125)
        assert peer.connections == attempt
        await clock.advance(0.125)
        await peer.wait_connections(attempt + 1)


@pytest.mark.parametrize(("lasted", "pause"), [(9.0, 2.0), (10.0, 0.5)])
async def test_pauses_begin_anew_after_a_connection_that_lasted(
    peer: AmiPeer, new_client: Connect, clock: ManualClock, lasted: float, pause: float
) -> None:
    """An Asterisk that takes logins and drops them at once is not met with a storm of them."""
    await peer.stop()
    client = new_client(ping_interval=10.0)
    await client.start()
    await clock.advance(0.5)
    await until(lambda: clock.sleepers == 1)
    await peer.start()
    await clock.advance(1.0)
    await client.wait_connected(LIMIT)
    await clock.advance(lasted)
    await peer.drop()
    await until(lambda: not client.connected and clock.sleepers == 1)
    await clock.advance(pause - 0.125)
    assert peer.connections == 1
    await clock.advance(0.125)
    await peer.wait_connections(2)


async def test_a_failed_attempt_leaves_no_other_attempt_behind(
    peer: AmiPeer, new_client: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """panoramisk's Manager would go on by itself, at the pace of its `reconnect_timeout`."""
    monkeypatch.setitem(Manager.defaults, "reconnect_timeout", 0)
    await peer.stop()
    await new_client().start()
    await peer.start()
    for _ in range(200):
        await asyncio.sleep(0)
    assert peer.connections == 0


async def test_chance_shortens_a_pause_by_up_to_half(peer: AmiPeer, new_client: Connect, clock: ManualClock) -> None:
    peer.banner = b"?\r\n"
    await new_client(share=1.0).start()
    await clock.advance(0.24)
    assert peer.connections == 1
    await clock.advance(0.02)
    await peer.wait_connections(2)


async def test_a_wrong_login_is_told_and_not_tried_again_before_the_longest_pause(
    peer: AmiPeer, new_client: Connect, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    client = new_client(secret="wrong horse")
    await client.start()
    with pytest.raises(AmiLoginRefused, match="Authentication failed"):
        await client.wait_connected(0.01)
    await clock.advance(29.9)
    assert len(peer.sent("Login")) == 1
    await clock.advance(0.2)
    await peer.wait_for("Login", count=2)
    assert "wrong horse" not in capsys.readouterr().out


@pytest.mark.parametrize("banner", [b"", b"Asterisk Call Mana", b"SSH-2.0-OpenSSH\r\n"])
async def test_a_peer_that_is_no_asterisk_gets_no_login(peer: AmiPeer, new_client: Connect, banner: bytes) -> None:
    peer.banner = banner
    client = new_client(action_timeout=0.1)
    await client.start()
    assert not client.connected
    assert peer.actions == []


async def test_an_asterisk_that_does_not_answer_the_login_is_given_up(peer: AmiPeer, new_client: Connect) -> None:
    peer.answers["login"] = lambda action: []
    client = new_client(action_timeout=0.1)
    async with asyncio.timeout(LIMIT):
        await client.start()
    with pytest.raises(AmiUnavailable):
        await client.wait_connected(0.01)


async def test_it_is_connected_only_once_asterisk_has_started_up_wholly(peer: AmiPeer, new_client: Connect) -> None:
    peer.booted = False
    client = new_client()
    starting = asyncio.create_task(client.start())
    await peer.wait_for("Login")
    for _ in range(200):
        await asyncio.sleep(0)
    assert not client.connected
    peer.send_event("FullyBooted")
    await starting
    assert client.connected


async def test_without_the_right_to_see_it_boot_it_goes_on_after_a_while(peer: AmiPeer, new_client: Connect) -> None:
    peer.booted = False
    client = new_client(action_timeout=0.1)
    await client.start()
    assert client.connected


async def test_asterisk_filters_what_is_subscribed_again_after_each_login(
    peer: AmiPeer, new_client: Connect, clock: ManualClock
) -> None:
    client = new_client()
    client.subscribe("Hangup", "AgentConnect")
    subscription = client.subscribe("Hangup", "OriginateResponse")
    await client.start()
    assert await anext(subscription) is GAP
    await peer.drop()
    await until(lambda: clock.sleepers == 1 and not client.connected)
    await clock.advance(1)
    await client.wait_connected(LIMIT)
    per_login = [
        ["login", "filter", "filter", "filter", "events"],
        [f"action(include),name({name})" for name in ("AgentConnect", "Hangup", "OriginateResponse")],
    ]
    names = [action["action"][0].lower() for action in peer.actions]
    criteria = [action["matchcriteria"][0] for action in peer.sent("Filter")]
    assert [names, criteria] == [per_login[0] * 2, per_login[1] * 2]
    assert peer.sent("Events")[0]["eventmask"] == ["system,call,agent"]
    assert await anext(subscription) is GAP, "a reader is told that it may have missed events"


async def test_without_subscriptions_no_events_are_asked_for(peer: AmiPeer, new_client: Connect) -> None:
    await new_client().start()
    assert peer.sent("Filter") == []
    assert peer.sent("Events")[0]["eventmask"] == ["off"]


async def test_without_the_right_to_filter_everything_else_works(peer: AmiPeer, new_client: Connect) -> None:
    del peer.answers["filter"]
    client = new_client()
    subscription = client.subscribe("Hangup")
    await client.start()
    assert await anext(subscription) is GAP
    peer.send(b"".join((event(name) + "\r\n\r\n").encode() for name in ("VarSet", "Newexten", "Hangup")))
    assert (await anext(subscription)).event == "Hangup"


async def test_a_ping_keeps_watch_and_an_unanswered_one_is_a_loss(
    peer: AmiPeer, new_client: Connect, clock: ManualClock
) -> None:
    client = new_client(action_timeout=0.1)
    await client.start()
    await clock.advance(10)
    await peer.wait_for("Ping")
    await until(lambda: clock.sleepers == 1)
    assert client.connected
    peer.answers["ping"] = lambda action: []
    await clock.advance(10)
    await peer.wait_for("Ping", count=2)
    await until(lambda: not client.connected and clock.sleepers == 1)
    await clock.advance(1)
    await peer.wait_connections(2)


async def test_stop_ends_the_connection_and_every_subscription(peer: AmiPeer, new_client: Connect) -> None:
    client = new_client()
    subscription = client.subscribe("Hangup")
    await client.start()
    await client.stop()
    assert [message async for message in subscription] == [GAP]
    assert not client.connected
    peer.answers.clear()
    await peer.drop()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=asterisk"
    extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run([*command.split(), *extra], check=True, capture_output=True, timeout=30)
    return paths


async def test_tls_proves_asterisk_by_the_given_authority(certificate: tuple[Path, Path], clock: ManualClock) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    peer = AmiPeer(SECRET, tls=context)
    await peer.start()
    client = AmiClient(settings(peer.port, tls=True, tls_ca_file=certificate[0]), SECRET, clock)
    await client.start()
    assert (await client.action("Ping"))["Ping"] == "Pong"
    await client.stop()
    stranger = AmiClient(settings(peer.port, tls=True), SECRET, clock)
    await stranger.start()
    with pytest.raises(AmiUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        await stranger.wait_connected(0.01)
    assert len(peer.sent("Login")) == 1
    await stranger.stop()
    await peer.stop()


def test_a_missing_authority_file_is_told_before_anything_starts(clock: ManualClock, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="tls_ca_file"):
        AmiClient(settings(5038, tls=True, tls_ca_file=tmp_path / "none.pem"), SECRET, clock)
