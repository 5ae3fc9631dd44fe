"""Errands from being taken to being done, through a real journal and a real database, with systems that do as told."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ivr.calls.contact_notes import ContactNotes
from ivr.calls.errands import AT_ONCE, Outbox
from ivr.calls.journal import WrittenBehindJournal
from ivr.calls.spool import Spool
from ivr.clock import SystemClock
from ivr.config.errands import Errands, Messages
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Json, Outcome
from ivr.domain.errand import ContactNote, ErrandState, KeptErrand, Message, MessageKind, Ticket
from ivr.domain.language import Language
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database
from ivr.store.errands import StoredErrands

CALL = ContactId("1764000000.1")
ANNA = Customer(CustomerId("K1"), "Anna", (), references=(("crm", CustomerId("C-9")),))
CONFIG = Errands(tickets="crm", contacts=["crm", "erp"], messages=Messages(sms="texts"))


@dataclass
class System:
    """A connected system that remembers what it did. It raises the next of `fails`, and hangs while it is told to."""

    fails: list[ConnectorError] = field(default_factory=list)
    done: list[tuple[str, CustomerId | None, str]] = field(default_factory=list)
    hangs: asyncio.Event | None = None
    under_way: int = 0
    most_under_way: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    did: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def has_done(self, count: int) -> None:
        """Wait until it did so many things."""
        async with self.did:
            await self.did.wait_for(lambda: len(self.done) >= count)

    async def create_ticket(self, ticket: Ticket, customer: CustomerId | None) -> str:
        await self._do(ticket.key, customer, ticket.text)
        return f"T{len(self.done)}"

    async def log_contact(self, note: ContactNote, customer: CustomerId) -> None:
        await self._do(note.key, customer, note.text)

    async def send_message(self, message: Message) -> None:
        await self._do(message.key, None, message.text)

    async def _do(self, key: str, customer: CustomerId | None, text: str) -> None:
        self.under_way += 1
        self.begun.set()
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            if self.hangs is not None:
                await self.hangs.wait()
            if self.fails:
                raise self.fails.pop(0)
            self.done.append((key, customer, text))
            async with self.did:
                self.did.notify_all()
        finally:
            self.under_way -= 1


@dataclass
class ShiftedClock(SystemClock):
    """The real clock, ahead by as much as a test wants."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Node:
    """One engine's part in errands."""

    database: Database
    folder: Path
    systems: dict[str, System]
    config: Errands = CONFIG
    owner: str = "a:1"
    clock: ShiftedClock = field(default_factory=ShiftedClock)

    def __post_init__(self) -> None:
        self.store = StoredErrands(self.database)
        contacts = StoredContacts(self.database)
        self.journal = WrittenBehindJournal(
            contacts, self.store, Spool(self.folder), SystemClock(), batch_interval=0.01
        )
        notes = ContactNotes(self.config.contacts, Language.NL, ZoneInfo("Europe/Amsterdam"))
        self.outbox = Outbox(
            self.config, self.systems, self.store, self.journal, self.clock, self.owner, longest=2.0, notes_of=notes
        )
        self.journal.start()

    async def work(self) -> None:
        """Everything that is due now, and what came of it, is in the database."""
        assert await self.journal.flush()
        await self.outbox.step()
        await self.outbox.settled()
        assert await self.journal.flush()

    async def errands(self) -> dict[str, KeptErrand]:
        return {kept.assignment.errand.key: kept for kept in await self.store.errands()}

    def vanish(self) -> None:
        """End as a crash does: the spool stays as it is, and another process can have it."""
        assert self.journal._writer is not None
        self.journal._writer.cancel()
        self.journal._spool.close()


def ticket(key: str = "t1") -> Ticket:
    return Ticket(key, "Modem", "lights: red", CALL, "fault")


def sms(key: str = "m1") -> Message:
    return Message(key, MessageKind.SMS, "+31300000101", "Tot morgen")


@pytest.fixture
def systems() -> dict[str, System]:
    return {"crm": System(), "texts": System(), "erp": System()}


@pytest.fixture
async def node(database: Database, tmp_path: Path, systems: dict[str, System]) -> AsyncIterator[Node]:
    made = Node(database, tmp_path / "spool", systems)
    yield made
    await made.journal.stop()


async def test_a_ticket_has_its_number_at_once_and_is_never_opened_again(node: Node) -> None:
    assert await node.outbox.open_ticket(ticket(), ANNA, within=2.0) == "T1"
    node.clock.ahead = timedelta(hours=2)
    await node.work()
    assert node.systems["crm"].done == [("t1", "C-9", "lights: red")]
    kept = (await node.errands())["t1"]
    assert (kept.state, kept.result, kept.attempts) == (ErrandState.DONE, "T1", 1)


async def test_a_ticket_of_nobody_known_has_no_customer(node: Node) -> None:
    await node.outbox.open_ticket(ticket(), None, within=2.0)
    stranger = Customer(CustomerId("K2"), "Bram", (), references=(("erp", CustomerId("E-1")),))
    await node.outbox.open_ticket(ticket("t2"), stranger, within=2.0)
    assert [customer for _, customer, _ in node.systems["crm"].done] == [None, None]


async def test_a_ticket_that_takes_long_is_opened_all_the_same_and_once(node: Node) -> None:
    node.systems["crm"].hangs = go_on = asyncio.Event()
    assert await node.outbox.open_ticket(ticket(), None, within=0.05) is None
    await node.journal.flush()
    await node.outbox.step()  # it is held by who opens it now
    go_on.set()
    await node.work()
    assert node.systems["crm"].done == [("t1", None, "lights: red")]


async def test_a_ticket_without_an_answer_is_opened_later(node: Node) -> None:
    node.systems["crm"].fails = [ConnectorTimeout("crm gave no answer in 2 s")]
    assert await node.outbox.open_ticket(ticket(), None, within=2.0) is None
    await node.work()
    assert node.systems["crm"].done == []
    node.clock.ahead = timedelta(seconds=10)
    await node.work()
    assert node.systems["crm"].done == [("t1", None, "lights: red")]
    kept = (await node.errands())["t1"]
    assert (kept.state, kept.attempts, kept.result) == (ErrandState.DONE, 2, "T1")


async def test_a_refused_ticket_is_told_at_once(node: Node) -> None:
    node.systems["crm"].fails = [ConnectorRefused("crm has no such customer")]
    with pytest.raises(ConnectorRefused, match="no such customer"):
        await node.outbox.open_ticket(ticket(), ANNA, within=2.0)
    node.clock.ahead = timedelta(days=2)
    await node.work()
    kept = (await node.errands())["t1"]
    assert (kept.state, kept.reason) == (ErrandState.FAILED, "crm has no such customer")


async def test_messages_are_sent_once_each(node: Node) -> None:
    for number in range(3 * AT_ONCE):
        node.outbox.send(sms(f"m{number}"), CALL)
    assert await node.journal.flush()
    running = asyncio.create_task(node.outbox.run())
    async with asyncio.timeout(20):
        await node.systems["texts"].has_done(3 * AT_ONCE)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len({key for key, _, _ in node.systems["texts"].done}) == 3 * AT_ONCE
    assert node.systems["texts"].most_under_way <= AT_ONCE


async def test_what_is_refused_is_not_tried_again_until_somebody_says_so(node: Node) -> None:
    node.systems["texts"].fails = [ConnectorRefused("texts cannot reach this number")]
    node.outbox.send(sms(), CALL)
    await node.work()
    node.clock.ahead = timedelta(hours=1)
    await node.work()
    assert node.systems["texts"].done == []
    assert node.outbox.counts == {ErrandState.WAITING: 0, ErrandState.FAILED: 1}
    assert await node.store.retry("m1", at=node.clock.now())
    await node.work()
    assert node.systems["texts"].done == [("m1", None, "Tot morgen")]


async def test_pauses_grow_are_not_all_the_same_and_come_to_an_end(node: Node) -> None:
    node.systems["texts"].fails = [ConnectorUnavailable("texts is away")] * 200
    node.outbox.send(sms(), CALL)
    pauses: list[float] = []
    kept = None
    while kept is None or kept.state is ErrandState.WAITING:
        await node.work()
        kept = (await node.errands())["m1"]
        assert kept.not_before is not None
        pauses.append((kept.not_before - node.clock.now()).total_seconds())
        node.clock.ahead = kept.not_before - datetime.now(UTC) + timedelta(milliseconds=50)
    waits = pauses[:-1]
    assert 3.5 <= waits[0] <= 6.3
    assert waits[3] > 2 * waits[0]
    assert 670 <= max(waits) <= 1130
    assert len({round(wait, 3) for wait in waits[-20:]}) > 10
    assert kept.state is ErrandState.FAILED
    assert kept.reason.startswith("given up after")
    assert timedelta(hours=23) < node.clock.ahead < timedelta(days=1, minutes=1)


async def test_a_crash_between_taking_and_sending_loses_nothing(
    database: Database, tmp_path: Path, systems: dict[str, System]
) -> None:
    node = Node(database, tmp_path / "spool", systems)
    node.outbox.send(sms(), CALL)
    node.vanish()
    successor = Node(database, tmp_path / "spool", systems)
    await successor.work()
    await successor.work()
    assert systems["texts"].done == [("m1", None, "Tot morgen")]
    await successor.journal.stop()


async def test_what_a_crash_left_claimed_goes_on_at_once(
    database: Database, tmp_path: Path, systems: dict[str, System]
) -> None:
    node = Node(database, tmp_path / "spool", systems)
    systems["texts"].hangs = asyncio.Event()
    node.outbox.send(sms(), CALL)
    await node.journal.flush()
    await node.outbox.step()
    await systems["texts"].begun.wait()
    for task in node.outbox._running.values():
        task.cancel()
    node.vanish()
    systems["texts"].hangs = None
    other = Node(database, tmp_path / "other", systems, owner="b:1")
    await other.work()
    assert systems["texts"].done == []
    successor = Node(database, tmp_path / "spool", systems, clock=ShiftedClock(timedelta(seconds=1)))
    await successor.work()
    assert [key for key, _, _ in systems["texts"].done] == ["m1"]
    for each in (other, successor):
        await each.journal.stop()


async def test_two_nodes_do_nothing_twice(database: Database, tmp_path: Path, systems: dict[str, System]) -> None:
    nodes = [Node(database, tmp_path / owner, systems, owner=owner) for owner in ("a", "b")]
    for number in range(60):
        nodes[number % 2].outbox.send(sms(f"m{number}"), CALL)
    for node in nodes:
        await node.journal.flush()
    while len(systems["texts"].done) < 60:
        await asyncio.gather(*(node.work() for node in nodes))
    assert len({key for key, _, _ in systems["texts"].done}) == len(systems["texts"].done) == 60
    for node in nodes:
        await node.journal.stop()


async def test_a_connector_that_is_named_no_more_fails_its_errands(node: Node) -> None:
    node.outbox.send(sms(), CALL)
    del node.systems["texts"]
    await node.work()
    kept = (await node.errands())["m1"]
    assert (kept.state, kept.reason) == (ErrandState.FAILED, "errands in config.yaml does not name texts")


async def test_the_contact_says_what_became_of_its_errands(node: Node) -> None:
    node.systems["texts"].fails = [ConnectorRefused("texts cannot reach this number")]
    node.journal.open(Contact(CALL, datetime.now(UTC)))
    node.outbox.send(sms(), CALL)
    await node.outbox.open_ticket(ticket(), None, within=2.0)
    await node.work()
    [(_, events)] = await StoredContacts(node.database).contacts()
    assert [(event.kind, event.detail) for event in events] == [
        (EventKind.ERRAND, {"errand": "ticket", "state": "done", "number": "T1"}),
        (EventKind.ERRAND, {"errand": "message", "state": "failed", "reason": "texts cannot reach this number"}),
    ]


async def test_a_contact_is_noted_in_each_system_that_knows_the_customer(node: Node) -> None:
    start = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    node.clock.ahead = start - datetime.now(UTC) + timedelta(hours=1)
    node.journal.open(Contact(CALL, start))
    node.journal.event(ContactEvent("e1", CALL, start, EventKind.QUEUED, "", {"queue": "support", "site": "own"}))
    node.journal.amend(CALL, {"outcome": Outcome.HANDED_OVER, "reason": "order", "customer_references": {"crm": "C-9"}})
    await node.work()
    assert node.systems["crm"].done == []
    answered: dict[str, Json] = {"agent": "Jan", "waited": 42}
    node.journal.event(ContactEvent("e2", CALL, start, EventKind.AGENT_ANSWERED, "", answered))
    node.journal.amend(CALL, {"outcome": Outcome.ANSWERED, "ended_at": start + timedelta(minutes=3, seconds=5)})
    for _ in range(3):
        await node.work()
    [(key, customer, text)] = node.systems["crm"].done
    assert (key, customer) == (f"{CALL}-note-crm", "C-9")
    assert text.splitlines() == [
        "Gebeld op 23-11-2026 om 10:00, 3 min 5 s.",
        "Reden: order",
        "Afloop: gesproken met een medewerker",
        "Wachtrij: support (own)",
        "Geholpen door Jan na 42 s wachten",
    ]
    assert node.systems["erp"].done == []


async def test_a_database_that_is_away_holds_up_nothing(tmp_path: Path, systems: dict[str, System]) -> None:
    """The ticket is opened and has its number, the message waits; nothing is done twice once the database is back."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'k.db'}", timeout=0.3)
    await database.migrate()
    node = Node(database, tmp_path / "spool", systems)
    other = sqlite3.connect(tmp_path / "k.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    node.outbox.send(sms(), CALL)
    async with asyncio.timeout(0.2):
        assert await node.outbox.open_ticket(ticket(), ANNA, within=2.0) == "T1"
    assert not await node.journal.flush()
    node.clock.ahead = timedelta(hours=1)  # past every lease
    assert not await node.outbox.step()
    other.execute("ROLLBACK")
    other.close()
    await node.work()
    await node.work()
    assert systems["crm"].done == [("t1", "C-9", "lights: red")]
    assert systems["texts"].done == [("m1", None, "Tot morgen")]
    assert {kept.state for kept in (await node.errands()).values()} == {ErrandState.DONE}
    await node.journal.stop()
    await database.close()
