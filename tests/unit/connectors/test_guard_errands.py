"""What a guard makes of a system that refuses: for errands an answer, for look-ups a failure."""

from __future__ import annotations

import pytest

from ivr.config.model import Guard as Limits
from ivr.connectors.breaker import BreakerState
from ivr.connectors.guard import Count
from ivr.connectors.system import ConnectedSystem
from ivr.domain.capability import Capability
from ivr.domain.errand import Message, MessageKind
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused, ConnectorUnavailable
from ivr.simulation.manual_clock import ManualClock
from ivr.simulation.scripted_connector import ScriptedConnector

SMS = Message("m1", MessageKind.SMS, "+31300000101", "Tot morgen")


class Sender(ScriptedConnector):
    """Sends messages, too."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({Capability.SEND_MESSAGE, Capability.FIND_CALLER})

    async def send_message(self, message: Message) -> None:
        await self._answer()


async def test_refused_messages_leave_the_callers_their_look_ups() -> None:
    guarded = ConnectedSystem("crm", Sender(raises=ConnectorRefused("no such number")), Limits(), ManualClock())
    for _ in range(20):
        with pytest.raises(ConnectorRefused):
            await guarded.send_message(SMS)
    assert guarded.status.breaker is BreakerState.CLOSED
    assert guarded.status.counts[Count.REFUSED] == 20


async def test_a_system_that_refuses_to_be_opened_is_left_alone() -> None:
    connector = Sender(refuses_to_open=ConnectorRefused("wrong password"))
    guarded = ConnectedSystem("crm", connector, Limits(), ManualClock())
    for _ in range(5):
        with pytest.raises(ConnectorRefused):
            await guarded.send_message(SMS)
    with pytest.raises(ConnectorUnavailable):
        await guarded.send_message(SMS)


async def test_look_ups_that_are_refused_have_it_left_alone() -> None:
    guarded = ConnectedSystem("crm", Sender(raises=ConnectorRefused("wrong key")), Limits(), ManualClock())
    for number in range(5):
        with pytest.raises(ConnectorRefused):
            await guarded.find_caller(PhoneNumber(f"+3130000010{number}"))
    assert guarded.status.breaker is BreakerState.OPEN
