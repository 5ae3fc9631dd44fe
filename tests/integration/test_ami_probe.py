"""The manager interface seen with a second, independent library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ivr.asterisk.ami_client import AmiClient
from ivr.asterisk.ami_probe import probe
from ivr.asterisk.ami_rights import ACTIONS
from ivr.config.model import Ami
from ivr.errors import AmiLoginRefused, AmiUnavailable
from ivr.simulation.ami_peer import AmiPeer, Answer, Headers, response
from ivr.simulation.manual_clock import ManualClock

SECRET = "correct horse"


@pytest.fixture
async def peer() -> AsyncIterator[AmiPeer]:
    peer = AmiPeer(SECRET)
    peer.answers["coresettings"] = lambda action: [response(action, AsteriskVersion="22.10.1")]
    peer.answers["listcommands"] = may_do(*ACTIONS)
    await peer.start()
    yield peer
    await peer.stop()


def may_do(*actions: str) -> Answer:
    def answer(action: Headers) -> list[str]:
        return [response(action, **{name: f"Does {name}. (Priv: some,all)" for name in (*actions, "Ping")})]

    return answer


def settings(peer: AmiPeer) -> Ami:
    return Ami(port=peer.port, action_timeout=0.5)


async def test_a_healthy_asterisk_is_described(peer: AmiPeer) -> None:
    found = await asyncio.to_thread(probe, settings(peer), SECRET)
    assert (found.version, found.missing) == ("22.10.1", ())
    assert 0 < found.round_trip < 0.5


async def test_actions_the_user_may_not_do_are_named(peer: AmiPeer) -> None:
    peer.answers["listcommands"] = may_do("CoreShowChannels", "DBGet", "DBDel", "QueueStatus", "CoreSettings")
    found = await asyncio.to_thread(probe, settings(peer), SECRET)
    assert found.missing == ("Originate", "Hangup", "Filter")


async def test_a_wrong_secret_is_told_apart(peer: AmiPeer) -> None:
    with pytest.raises(AmiLoginRefused, match="Authentication failed"):
        await asyncio.to_thread(probe, settings(peer), "wrong")


@pytest.mark.parametrize("banner", [b"SSH-2.0-OpenSSH\r\n", b""])
async def test_what_is_no_asterisk_is_unavailable(peer: AmiPeer, banner: bytes) -> None:
    peer.banner = banner
    peer.answers["login"] = lambda action: []
    with pytest.raises(AmiUnavailable):
        await asyncio.to_thread(probe, settings(peer), SECRET)


async def test_a_port_nobody_listens_on_is_unavailable(peer: AmiPeer) -> None:
    await peer.stop()
    with pytest.raises(AmiUnavailable, match="refused"):
        await asyncio.to_thread(probe, settings(peer), SECRET)


async def test_both_libraries_send_what_the_same_asterisk_understands(peer: AmiPeer) -> None:
    client = AmiClient(settings(peer), SECRET, ManualClock())
    await client.start()
    await client.action("Ping")
    await asyncio.to_thread(probe, settings(peer), SECRET)
    for name in ("Login", "Ping"):
        ours, theirs = ({**action, "actionid": ["any"], "events": ["any"]} for action in peer.sent(name))
        assert ours == theirs
    await client.stop()
