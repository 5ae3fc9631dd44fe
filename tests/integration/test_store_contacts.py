"""Stored contacts, on each kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ivr.domain.contact import Contact, ContactEvent, ContactId, Direction, EventKind, Outcome
from ivr.domain.line import LineState, PhoneNumber
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ID = ContactId("1764000000.1")
FULL = Contact(
    id=ID,
    started_at=START,
    direction=Direction.OUTBOUND,
    channel="phone",
    answered_at=START + timedelta(seconds=1, microseconds=5),
    ended_at=START + timedelta(seconds=90),
    number=PhoneNumber("+31612345678"),
    line_state=LineState.KNOWN,
    customer_id="c-1",
    region="Utrecht",
    entry="+31850001000",
    flow="lijnnet",
    flow_version="3f2a",
    reason="fault",
    outcome=Outcome.HANDED_OVER,
    queue="support",
    site="own",
)


@pytest.fixture
def store(database: Database) -> StoredContacts:
    return StoredContacts(database)


def event(name: str, seconds: float = 0, kind: EventKind = EventKind.STEP, **detail: str) -> ContactEvent:
    return ContactEvent(name, ID, START + timedelta(seconds=seconds), kind, "welcome", detail)


async def test_a_contact_comes_back_as_it_was_written(store: StoredContacts) -> None:
    noted = [event("a", 1, say="welcome"), ContactEvent("b", ID, START, EventKind.ARRIVED, detail={"n": [1, None]})]
    await store.write([FULL], [], noted)
    assert await store.contacts() == [(FULL, [noted[1], noted[0]])]


async def test_times_come_back_in_utc_whatever_zone_they_were_written_in(store: StoredContacts) -> None:
    summer = timezone(timedelta(hours=2))
    await store.write([Contact(ID, START.astimezone(summer))], [], [])
    [(contact, _)] = await store.contacts()
    assert contact.started_at == START
    assert contact.started_at.tzinfo is UTC


async def test_a_batch_written_twice_is_written_once(store: StoredContacts) -> None:
    batch = [Contact(ID, START)], [(ID, {"outcome": Outcome.TOLD})], [event("a"), event("b")]
    await store.write(*batch)
    once = await store.contacts()
    await store.write(*batch)
    assert await store.contacts() == once


async def test_opening_a_contact_again_does_not_undo_its_changes(store: StoredContacts) -> None:
    await store.write([Contact(ID, START)], [], [])
    await store.write([], [(ID, {"outcome": Outcome.TOLD, "ended_at": START})], [])
    await store.write([Contact(ID, START)], [], [])
    [(contact, _)] = await store.contacts()
    assert contact == Contact(ID, START, outcome=Outcome.TOLD, ended_at=START)


async def test_the_last_of_several_changes_counts(store: StoredContacts) -> None:
    changes = [(ID, {"outcome": Outcome.TOLD}), (ID, {"queue": "support", "outcome": Outcome.HANDED_OVER})]
    await store.write([Contact(ID, START)], [*changes, (ID, {"queue": None})], [])
    assert (await store.contacts())[0][0] == Contact(ID, START, outcome=Outcome.HANDED_OVER)


async def test_changes_that_come_before_their_contact_win_over_it(store: StoredContacts) -> None:
    await store.write([], [(ID, {"outcome": Outcome.TOLD, "ended_at": START + timedelta(seconds=9)})], [])
    await store.write([replace(FULL, outcome=None, ended_at=None)], [], [])
    [(contact, _)] = await store.contacts()
    assert contact == replace(FULL, outcome=Outcome.TOLD, ended_at=START + timedelta(seconds=9))


async def test_events_of_one_moment_stay_in_the_order_of_writing(store: StoredContacts) -> None:
    names = [f"{number:02}" for number in (7, 3, 9, 1)]
    await store.write([Contact(ID, START)], [], [event(name) for name in names])
    [(_, events)] = await store.contacts()
    assert [one.id for one in events] == names


async def test_text_no_database_takes_is_made_storable(store: StoredContacts) -> None:
    strange = Contact(ID, START, entry="a\0b\udcff", reason="\udce9")
    detail = {"text\0": "x\0\ud800", "nested": [{"deep": "\0"}], "wait": float("nan")}
    await store.write([strange], [(ID, {"flow": "f\0"})], [replace(event("a"), detail=detail)])
    [(contact, [noted])] = await store.contacts()
    assert (contact.entry, contact.reason, contact.flow) == ("ab?", "?", "f")
    assert noted.detail == {"text": "x?", "nested": [{"deep": ""}], "wait": None}


async def test_contacts_are_found_by_time_by_id_and_newest_first(store: StoredContacts) -> None:
    several = [Contact(ContactId(str(hour)), START + timedelta(hours=hour)) for hour in range(4)]
    await store.write(several, [], [])
    assert [contact.id for contact, _ in await store.contacts(limit=2)] == ["3", "2"]
    assert [contact.id for contact, _ in await store.contacts(since=START + timedelta(hours=2))] == ["3", "2"]
    assert [contact.id for contact, _ in await store.contacts(contact_id="1")] == ["1"]
    assert await store.contacts(contact_id="x") == []


async def test_contacts_whose_end_was_never_written_are_found(store: StoredContacts) -> None:
    going_on = replace(FULL, id=ContactId("going-on"), ended_at=None)
    long_ago = replace(going_on, id=ContactId("long-ago"), started_at=START - timedelta(days=2))
    await store.write([FULL, going_on, long_ago], [], [])
    assert await store.unended(since=START - timedelta(days=1)) == ["going-on"]


async def test_who_calls_in_an_hour_comes_in_order_of_how_often_they_did(store: StoredContacts) -> None:
    often, once, ours = map(PhoneNumber, ("+31612345678", "+31687654321", "+31300000101"))
    hour = timedelta(hours=1)

    def called(
        name: str, number: PhoneNumber | None, at: datetime, direction: Direction = Direction.INBOUND
    ) -> Contact:
        return Contact(ContactId(name), at, direction, number=number)

    await store.write(
        [
            called("1", often, START),
            called("2", often, START - timedelta(days=1) + hour / 2),
            called("3", once, START + hour / 2),
            called("4", once, START + hour),
            called("5", None, START),
            called("6", ours, START, Direction.OUTBOUND),
        ],
        [],
        [],
    )
    hours = [(START - timedelta(days=day), START - timedelta(days=day) + hour) for day in range(2)]
    assert list(await store.callers(hours, 10)) == [often, once]
    assert list(await store.callers(hours, 1)) == [often]
