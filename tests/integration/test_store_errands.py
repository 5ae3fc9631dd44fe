"""Errands in a real database: one row a key, one at a time, and each contact noted once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ivr.domain.caller import CustomerId
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind
from ivr.domain.errand import (
    Assignment,
    ContactNote,
    ErrandReport,
    ErrandState,
    Message,
    MessageKind,
    Ticket,
)
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database
from ivr.store.errands import StoredErrands

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CALL = ContactId("1764000000.1")
LEASE = timedelta(minutes=1)


@pytest.fixture
def errands(database: Database) -> StoredErrands:
    return StoredErrands(database)


def sms(key: str = "m1", at: datetime = NOW) -> Assignment:
    return Assignment(Message(key, MessageKind.SMS, "+31300000101", "Tot morgen"), "texts", CALL, at)


def ticket(key: str = "t1", **held: object) -> Assignment:
    asked = Ticket(key, "Modem", "lights: red\nrestart: did_not_help", CALL, "fault")
    return Assignment(asked, "crm", CALL, NOW, CustomerId("K1"), **held)  # type: ignore[arg-type]


def note(contact: Contact) -> Assignment:
    written = ContactNote(f"{contact.id}-note", contact.id, NOW, NOW, "inbound", "order", "told", "Belde.")
    return Assignment(written, "crm", contact.id, NOW, CustomerId("K1"))


async def claim(store: StoredErrands, now: datetime = NOW, owner: str = "a", limit: int = 10) -> list[str]:
    claimed = await store.claim_due(now=now, owner=owner, lease_until=now + LEASE, limit=limit)
    return [kept.assignment.errand.key for kept in claimed]


async def test_every_kind_comes_back_as_it_was_written(errands: StoredErrands) -> None:
    contact = Contact(CALL, NOW)
    assigned = [sms(), ticket(held_by="a", held_until=NOW + LEASE), note(contact)]
    await errands.write(assigned, [])
    found = {kept.assignment.errand.key: kept.assignment for kept in await errands.errands()}
    assert found == {assignment.errand.key: assignment for assignment in assigned}


async def test_a_key_is_there_once_however_often_it_is_written(errands: StoredErrands) -> None:
    await errands.write([sms(), sms()], [])
    await errands.write([sms()], [ErrandReport("m1", 1, NOW, ErrandState.DONE)])
    await errands.write([sms()], [])
    [kept] = await errands.errands()
    assert (kept.state, kept.attempts, kept.ended_at) == (ErrandState.DONE, 1, NOW)


async def test_a_claimed_errand_is_left_alone_until_its_lease_ends(errands: StoredErrands) -> None:
    await errands.write([sms()], [])
    assert await claim(errands) == ["m1"]
    assert await claim(errands, owner="b") == []
    assert await claim(errands, NOW + LEASE, owner="b") == ["m1"]


async def test_two_nodes_never_claim_the_same_at_a_time(errands: StoredErrands) -> None:
    await errands.write([sms(f"m{number}") for number in range(40)], [])
    nodes = [claim(errands, owner=f"node{number}", limit=7) for number in range(6)]
    claimed = [key for keys in await asyncio.gather(*nodes) for key in keys]
    assert len(claimed) == len(set(claimed)) == 40


async def test_what_somebody_holds_is_theirs_first(errands: StoredErrands) -> None:
    await errands.write([ticket(held_by="a", held_until=NOW + LEASE)], [])
    assert await claim(errands) == []
    assert await claim(errands, NOW + LEASE) == ["t1"]


async def test_an_owner_who_came_back_has_its_old_leases_free_and_nobody_elses(errands: StoredErrands) -> None:
    await errands.write([sms("mine"), sms("theirs", NOW + timedelta(seconds=1))], [])
    assert await claim(errands, owner="a", limit=1) == ["mine"]
    assert await claim(errands, NOW + timedelta(seconds=1), owner="b") == ["theirs"]
    await errands.release("a", until=NOW + timedelta(hours=1))
    assert await claim(errands, NOW + timedelta(seconds=2)) == ["mine"]


async def test_an_errand_put_off_is_due_again_at_its_time(errands: StoredErrands) -> None:
    await errands.write([sms()], [])
    await claim(errands)
    later = NOW + timedelta(seconds=30)
    await errands.write([], [ErrandReport("m1", 1, NOW, ErrandState.WAITING, "no answer", not_before=later)])
    assert await claim(errands, NOW + timedelta(seconds=29)) == []
    assert await claim(errands, later) == ["m1"]
    [kept] = await errands.errands()
    assert (kept.attempts, kept.reason) == (1, "no answer")


async def test_reports_that_are_written_again_change_nothing(errands: StoredErrands) -> None:
    reports = [
        ErrandReport("m1", 1, NOW, ErrandState.WAITING, "no answer", not_before=NOW + LEASE),
        ErrandReport("m1", 2, NOW, ErrandState.FAILED, "no such number"),
    ]
    await errands.write([sms()], reports)
    assert await errands.retry("m1", at=NOW)
    await errands.write([sms()], reports)
    [kept] = await errands.errands(state=ErrandState.WAITING)
    assert (kept.attempts, kept.reason) == (2, "no such number")
    assert await claim(errands) == ["m1"]


async def test_only_what_is_not_done_can_be_tried_again(errands: StoredErrands) -> None:
    await errands.write([sms()], [ErrandReport("m1", 1, NOW, ErrandState.DONE)])
    assert not await errands.retry("m1", at=NOW)
    assert not await errands.retry("nothing", at=NOW)


async def test_all_that_failed_can_be_tried_again(errands: StoredErrands) -> None:
    assigned = [sms("m1"), sms("m2"), sms("m3")]
    reports = [
        ErrandReport(key, 1, NOW, state) for key, state in (("m1", ErrandState.FAILED), ("m2", ErrandState.DONE))
    ]
    await errands.write(assigned, reports)
    assert await errands.retry_failed(at=NOW) == 1
    assert await claim(errands) == ["m1", "m3"]


async def test_what_waits_and_what_failed_is_counted(errands: StoredErrands) -> None:
    assert await errands.counts() == {ErrandState.WAITING: 0, ErrandState.FAILED: 0}
    await errands.write(
        [sms("m1"), sms("m2"), sms("m3"), sms("m4")],
        [ErrandReport("m1", 1, NOW, ErrandState.DONE), ErrandReport("m2", 1, NOW, ErrandState.FAILED, "refused")],
    )
    assert await errands.counts() == {ErrandState.WAITING: 2, ErrandState.FAILED: 1}
    assert [kept.assignment.errand.key for kept in await errands.errands(state=ErrandState.FAILED)] == ["m2"]


async def test_each_contact_that_ended_is_noted_once(errands: StoredErrands, database: Database) -> None:
    told: list[tuple[Contact, list[EventKind]]] = []

    def notes_of(contact: Contact, events: Sequence[ContactEvent]) -> Sequence[Assignment]:
        told.append((contact, [event.kind for event in events]))
        return [note(contact)] if contact.customer_references else []

    known = Contact(CALL, NOW, ended_at=NOW, customer_references={"crm": "K1"})
    unknown = Contact(ContactId("2"), NOW, ended_at=NOW)
    talking = Contact(ContactId("3"), NOW)
    old = Contact(ContactId("4"), NOW - timedelta(days=9), ended_at=NOW - timedelta(days=9))
    happened = [
        ContactEvent("e2", CALL, NOW + timedelta(seconds=1), EventKind.ENDED),
        ContactEvent("e1", CALL, NOW, EventKind.ARRIVED),
    ]
    contacts = StoredContacts(database)
    await contacts.write([known, unknown, talking, old], [], happened)
    since = NOW - timedelta(days=1)
    asked = [errands.note_ended(notes_of, since=since, limit=10) for _ in range(2)]
    assert sum(await asyncio.gather(*asked)) == 2
    assert sorted((contact.id, kinds) for contact, kinds in told) == [
        (CALL, [EventKind.ARRIVED, EventKind.ENDED]),
        ("2", []),
    ]
    await contacts.write([], [(talking.id, {"ended_at": NOW, "customer_references": {"crm": "K1"}})], [])
    assert await errands.note_ended(notes_of, since=since, limit=10) == 1
    found = {kept.assignment.errand.key for kept in await errands.errands()}
    assert found == {f"{CALL}-note", "3-note"}
