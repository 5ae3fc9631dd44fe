"""What the journal learns of callers in queues, from a synthetic Asterisk on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from ivr.asterisk.ami_client import AmiClient
from ivr.asterisk.queue_watch import QueueWatch
from ivr.config.model import Ami
from ivr.domain.contact import Contact, ContactEvent, ContactId, Outcome
from ivr.simulation.ami_peer import AmiPeer, event, list_of
from ivr.simulation.manual_clock import ManualClock

SECRET = "correct horse"
LIMIT = 5.0
CALLER = {"Uniqueid": "1.1", "Queue": "support-own"}


class Notebook:
    """A journal (`ivr.ports.Journal`) that keeps what it is told; events by id, as the store does."""

    def __init__(self) -> None:
        self.amended: dict[str, dict[str, object]] = {}
        self.events: dict[str, ContactEvent] = {}

    def open(self, contact: Contact) -> None:
        raise AssertionError("the watch opens no contacts")

    def amend(self, contact_id: ContactId, changes: Mapping[str, object]) -> None:
        self.amended.setdefault(contact_id, {}).update(changes)

    def event(self, event: ContactEvent) -> None:
        self.events.setdefault(event.id, event)

    @property
    def told(self) -> list[tuple[str, dict[str, object]]]:
        return [(event.kind.value, dict(event.detail)) for event in self.events.values()]


async def until(fact: Callable[[], bool]) -> None:
    """Let the event loop turn until something is so."""
    async with asyncio.timeout(LIMIT):
        for _ in iter(fact, True):
            await asyncio.sleep(0)


@pytest.fixture
async def peer() -> AsyncIterator[AmiPeer]:
    peer = AmiPeer(SECRET)
    await peer.start()
    holds(peer, waiting=[], channels=[])
    yield peer
    await peer.stop()


def holds(peer: AmiPeer, *, waiting: list[str], channels: list[str]) -> None:
    """Say who waits in queues (Uniqueids), and which channels there are (events)."""
    entries = [event("QueueEntry", Uniqueid=unique, Queue="support-own") for unique in waiting]
    peer.answers["queuestatus"] = lambda action: list_of(action, "QueueStatusComplete", entries)
    peer.answers["coreshowchannels"] = lambda action: list_of(action, "CoreShowChannelsComplete", channels)


def channel(unique: str, name: str = "PJSIP/trunk-00000001", bridge: str = "", application: str = "Queue") -> str:
    data = "support-own,tr,,,600" if application == "Queue" else ""
    return event(
        "CoreShowChannel",
        Uniqueid=unique,
        Channel=name,
        BridgeId=bridge,
        Application=application,
        ApplicationData=data,
    )


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def connected() -> list[ContactId]:
    return []


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(peer: AmiPeer, clock: ManualClock) -> AsyncIterator[AmiClient]:
    client = AmiClient(Ami(port=peer.port), SECRET, clock)
    yield client
    await client.stop()


@pytest.fixture
async def watch(
    client: AmiClient, clock: ManualClock, notebook: Notebook, connected: list[ContactId]
) -> AsyncIterator[QueueWatch]:
    watch = QueueWatch(client, notebook, clock, connected.append)
    running = asyncio.create_task(watch.run())
    await client.start()
    yield watch
    await client.stop()
    await running


def answers(peer: AmiPeer) -> None:
    agent = {"MemberName": "Anna", "Interface": "PJSIP/101", "DestUniqueid": "1.2", "HoldTime": "41"}
    peer.send_event("AgentConnect", **CALLER, **agent)


async def test_a_caller_an_agent_answers(
    watch: QueueWatch, peer: AmiPeer, notebook: Notebook, connected: list[ContactId], clock: ManualClock
) -> None:
    peer.send_event("QueueCallerJoin", **CALLER, Position="1")
    answers(peer)
    await until(lambda: bool(connected))
    assert watch.callers == 1
    await clock.advance(60)
    peer.send_event("AgentComplete", **CALLER, Reason="agent")
    peer.send_event("Hangup", Uniqueid="1.1", Cause="16")
    await until(lambda: watch.callers == 0)
    assert notebook.told == [
        ("agent_answered", {"agent": "Anna", "queue": "support-own", "waited": 41}),
        ("ended", {"cause": 16}),
    ]
    assert notebook.amended == {"1.1": {"outcome": Outcome.ANSWERED, "ended_at": clock.now()}}
    assert connected == ["1.1"]


async def test_a_caller_who_gives_up(watch: QueueWatch, peer: AmiPeer, notebook: Notebook, clock: ManualClock) -> None:
    peer.send_event("QueueCallerJoin", **CALLER)
    peer.send_event("QueueCallerAbandon", **CALLER, HoldTime="90", Position="2")
    peer.send_event("Hangup", Uniqueid="1.1", Cause="16")
    await until(lambda: len(notebook.told) == 3)
    assert notebook.told == [
        ("queue_abandoned", {"queue": "support-own", "waited": 90, "position": 2}),
        ("hung_up", {}),
        ("ended", {"cause": 16}),
    ]
    assert notebook.amended == {"1.1": {"outcome": Outcome.ABANDONED, "ended_at": clock.now()}}


async def test_a_caller_who_ends_the_conversation_has_hung_up(
    watch: QueueWatch, peer: AmiPeer, notebook: Notebook
) -> None:
    peer.send_event("QueueCallerJoin", **CALLER)
    answers(peer)
    peer.send_event("AgentComplete", **CALLER, Reason="caller")
    peer.send_event("Hangup", Uniqueid="1.1", Cause="16")
    await until(lambda: len(notebook.told) == 3)
    assert [kind for kind, _ in notebook.told] == ["agent_answered", "hung_up", "ended"]


def rang(peer: AmiPeer, status: str, **where: str) -> None:
    """A telephone that rang for a caller does no more."""
    place = {"Context": "klantlijn-next", "Exten": "transfer"} | where
    peer.send_event("DialEnd", Uniqueid="1.1", DestUniqueid="1.2", DialStatus=status, **place)


async def test_a_caller_whom_a_telephone_answers(watch: QueueWatch, peer: AmiPeer, notebook: Notebook) -> None:
    rang(peer, "ANSWER")
    peer.send_event("Hangup", Uniqueid="1.1", Cause="16")
    await until(lambda: len(notebook.told) == 2)
    assert notebook.told == [("transfer_result", {"result": "answered"}), ("ended", {"cause": 16})]
    assert notebook.amended["1.1"]["outcome"] is Outcome.ANSWERED


async def test_a_caller_whom_a_telephone_does_not_answer_goes_on_to_an_agent(
    watch: QueueWatch, peer: AmiPeer, notebook: Notebook, connected: list[ContactId]
) -> None:
    rang(peer, "CHANUNAVAIL")
    peer.send_event("QueueCallerJoin", **CALLER)
    rang(peer, "NOANSWER", Exten="s")  # an agent's telephone
    answers(peer)
    await until(lambda: bool(connected))
    assert [kind for kind, _ in notebook.told] == ["transfer_result", "agent_answered"]
    assert notebook.told[0][1] == {"result": "failed"}
    assert notebook.amended == {"1.1": {"outcome": Outcome.ANSWERED}}


async def test_a_caller_who_leaves_while_a_telephone_rings(
    watch: QueueWatch, peer: AmiPeer, notebook: Notebook
) -> None:
    rang(peer, "CANCEL")
    peer.send_event("Hangup", Uniqueid="1.1", Cause="16")
    await until(lambda: watch.callers == 0 and len(notebook.told) == 3)
    assert [kind for kind, _ in notebook.told] == ["transfer_result", "hung_up", "ended"]
    assert notebook.amended["1.1"]["outcome"] is Outcome.ABANDONED


async def test_that_a_telephone_answered_while_the_link_was_broken_is_learned(
    watch: QueueWatch, peer: AmiPeer, notebook: Notebook, client: AmiClient, clock: ManualClock
) -> None:
    peer.send_event("QueueCallerJoin", Uniqueid="2.2", Queue="support-own")
    await until(lambda: watch.callers == 1)
    watch.expect([ContactId("1.1")])
    place = {"Context": "klantlijn-next", "Exten": "transfer", "Application": "Dial", "BridgeId": "b"}
    holds(peer, waiting=[], channels=[event("CoreShowChannel", Uniqueid="1.1", Channel="PJSIP/anonymous-1", **place)])
    await peer.drop()
    await until(lambda: not client.connected and clock.sleepers == 1)
    await clock.advance(1)
    await until(lambda: len(notebook.told) == 2)
    assert ("transfer_result", {"result": "answered"}) in notebook.told


async def test_channels_that_were_in_no_queue_are_none_of_its_business(
    watch: QueueWatch, peer: AmiPeer, notebook: Notebook
) -> None:
    peer.send_event("Hangup", Uniqueid="9.9", Cause="16")
    peer.send_event("Hangup", Cause="16")
    peer.send_event("QueueCallerJoin", **CALLER)
    await until(lambda: watch.callers == 1)
    assert notebook.told == []


async def test_two_readers_of_the_same_events_write_them_once(
    watch: QueueWatch, peer: AmiPeer, notebook: Notebook, clock: ManualClock
) -> None:
    other = AmiClient(Ami(port=peer.port), SECRET, clock)
    second = QueueWatch(other, notebook, clock)
    running = asyncio.create_task(second.run())
    await other.start()
    peer.send_event("QueueCallerJoin", **CALLER)
    answers(peer)
    peer.send_event("Hangup", Uniqueid="1.1", Cause="16")
    peer.send_event("QueueCallerJoin", Uniqueid="2.2", Queue="support-own")
    await until(lambda: watch.callers == second.callers == 1 and len(notebook.amended) == 1)
    assert [kind for kind, _ in notebook.told] == ["agent_answered", "ended"]
    await other.stop()
    await running


async def test_it_learns_of_callers_that_came_before_it(
    peer: AmiPeer,
    watch: QueueWatch,
    notebook: Notebook,
    connected: list[ContactId],
    client: AmiClient,
    clock: ManualClock,
) -> None:
    holds(
        peer,
        waiting=["1.1"],
        channels=[
            channel("1.1"),
            channel("2.1", bridge="b"),
            channel("2.2", "PJSIP/102-0000000a", bridge="b", application="AppQueue"),
            channel("3.1", application="AGI"),
        ],
    )
    await peer.drop()
    await until(lambda: not client.connected and clock.sleepers == 1)
    await clock.advance(1)
    await until(lambda: watch.callers == 2)
    assert notebook.told == [("agent_answered", {"agent": "PJSIP/102", "queue": "support-own"})]
    peer.send_event("AgentConnect", Uniqueid="2.1", Queue="support-own", MemberName="Bea", DestUniqueid="2.2")
    peer.send_event("QueueCallerJoin", Uniqueid="4.1", Queue="support-own")
    await until(lambda: watch.callers == 3)
    assert connected == ["2.1"]


async def test_callers_who_left_while_the_link_was_broken_are_ended(
    watch: QueueWatch, peer: AmiPeer, notebook: Notebook, client: AmiClient, clock: ManualClock
) -> None:
    peer.send_event("QueueCallerJoin", **CALLER)
    await until(lambda: watch.callers == 1)
    await peer.drop()
    await until(lambda: not client.connected and clock.sleepers == 1)
    await clock.advance(1)
    await until(lambda: watch.callers == 0)
    assert notebook.told == [("ended", {"missed": True})]
    assert list(notebook.amended["1.1"]) == ["ended_at"]


async def test_a_listener_that_fails_costs_no_other_caller_anything(
    peer: AmiPeer, client: AmiClient, notebook: Notebook, clock: ManualClock
) -> None:
    def fail(_: ContactId) -> None:
        raise RuntimeError("a bug in the dialer")

    watch = QueueWatch(client, notebook, clock, fail)
    running = asyncio.create_task(watch.run())
    await client.start()
    answers(peer)
    peer.send_event("Hangup", Uniqueid="1.1", Cause="16")
    await until(lambda: len(notebook.told) == 2)
    await client.stop()
    await running


async def test_a_refused_question_after_a_gap_does_not_end_the_watch(
    peer: AmiPeer, client: AmiClient, notebook: Notebook, clock: ManualClock
) -> None:
    del peer.answers["queuestatus"]
    watch = QueueWatch(client, notebook, clock)
    running = asyncio.create_task(watch.run())
    await client.start()
    await peer.wait_for("QueueStatus")
    peer.send_event("QueueCallerJoin", **CALLER)
    await until(lambda: watch.callers == 1)
    await client.stop()
    await running


async def test_calls_an_earlier_process_left_are_followed_while_they_last_and_ended_when_they_are_gone(
    watch: QueueWatch, peer: AmiPeer, notebook: Notebook, client: AmiClient, clock: ManualClock
) -> None:
    watch.expect([ContactId("1.1"), ContactId("2.1")])
    holds(peer, waiting=[], channels=[channel("2.1", application="MusicOnHold")])
    await peer.drop()
    await until(lambda: not client.connected and clock.sleepers == 1)
    await clock.advance(1)
    await until(lambda: watch.callers == 1)
    peer.send_event("Hangup", Uniqueid="2.1", Cause="16")
    await until(lambda: watch.callers == 0)
    assert notebook.told == [("ended", {"missed": True}), ("ended", {"cause": 16})]
    assert {contact for contact, changes in notebook.amended.items() if "ended_at" in changes} == {"1.1", "2.1"}
