from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ivr.asterisk.ami_link import MAX_LIST_ITEMS, GuardedProtocol, OneConnection
from ivr.errors import AmiActionFailed


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False

    def write(self, data: Any) -> None:
        self.written += data

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        """Nothing: aborted before."""


@pytest.fixture
def manager() -> OneConnection:
    return OneConnection()


@pytest.fixture
async def protocol(manager: OneConnection) -> GuardedProtocol:
    protocol = GuardedProtocol(manager)
    protocol.connection_made(Wire())
    protocol.data_received(b"Asterisk Call Manager/11.0.0\r\n")
    return protocol


async def test_an_event_before_panoramisk_has_taken_the_connection_over_is_delivered(
    manager: OneConnection, protocol: GuardedProtocol
) -> None:
    events: list[str] = []
    manager.register_event("*", lambda _, event: events.append(event.event))
    protocol.data_received(b"Event: FullyBooted\r\nStatus: x\r\n\r\n")
    assert "FullyBooted" in events


async def test_a_list_without_end_is_given_up(protocol: GuardedProtocol) -> None:
    future = protocol.send({"Action": "QueueStatus", "ActionID": "1"}, as_list=True)
    protocol.data_received(b"Response: Success\r\nActionID: 1\r\nEventList: start\r\n\r\n")
    for _ in range(MAX_LIST_ITEMS // 1000 + 1):
        protocol.data_received(b"Event: QueueMember\r\nActionID: 1\r\n\r\n" * 1000)
    with pytest.raises(AmiActionFailed, match="more than"):
        await future
    assert protocol.responses == {}


async def test_nothing_of_a_connection_that_was_given_up_is_delivered(
    manager: OneConnection, protocol: GuardedProtocol
) -> None:
    events: list[str] = []
    manager.register_event("Hangup", lambda _, event: events.append(event.event))
    protocol.data_received(b"Event: Hangup\r\n\r\nEvent: Shutdown\r\n\r\nEvent: Hangup\r\n\r\n")
    assert events == ["Hangup"]
    assert protocol.lost.is_set()
