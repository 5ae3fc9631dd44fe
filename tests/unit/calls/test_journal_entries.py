"""Entries as lines of text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ivr.calls.entries import Amendment, Entry, decode, encode
from ivr.domain.caller import CustomerId
from ivr.domain.contact import Contact, ContactEvent, ContactId, Direction, EventKind, Outcome
from ivr.domain.errand import Assignment, ContactNote, ErrandReport, ErrandState, Message, MessageKind, Ticket
from ivr.domain.line import LineState, PhoneNumber

START = datetime(2026, 11, 23, 9, 0, 0, 5, tzinfo=UTC)
ID = ContactId("1764000000.1")


@pytest.mark.parametrize(
    "entry",
    [
        Contact(ID, START),
        Contact(
            ID, START, Direction.OUTBOUND, answered_at=START, number=PhoneNumber("+31612345678"),
            line_state=LineState.KNOWN, outcome=Outcome.TOLD, reason='x"\n\0\udcff',
        ),
        Contact(ID, START.astimezone(timezone(timedelta(hours=1)))),
        Amendment(ID, {"outcome": Outcome.TOLD, "ended_at": START, "queue": None, "line_state": LineState.WITHHELD}),
        Contact(ID, START, customer_references={"crm": "K1"}),
        Assignment(Ticket("t1", "Modem", "a: 1\nb: 2", ID, "fault"), "crm", ID, START, CustomerId("K1"), "a:1", START),
        Assignment(ContactNote("n1", ID, START, START, "inbound", "", "told", "Belde."), "crm", ID, START),
        Assignment(Message("m1", MessageKind.EMAIL, "a@example.nl", "Dag", "Bestelling"), "post", ID, START),
        ErrandReport("t1", 1, START, ErrandState.DONE, result="T1"),
        ErrandReport("t1", 2, START, ErrandState.WAITING, "no answer", not_before=START),
        ContactEvent("e1", ID, START, EventKind.DIGITS, "menu", {"digits": "12", "deep": [1, {"a": None}], "é": 0.5}),
    ],
)  # fmt: skip
def test_an_entry_comes_back_from_its_line(entry: Entry) -> None:
    line = encode(entry)
    assert line.count(b"\n") == 1
    assert decode(line) == entry


def test_values_that_json_does_not_know_become_text() -> None:
    strange: dict[str, object] = {"path": Path("a"), "at": START, "ok": 1}
    entry = ContactEvent("e1", ID, START, EventKind.STEP, "", strange)  # type: ignore[arg-type]
    decoded = decode(encode(entry))
    assert isinstance(decoded, ContactEvent)
    assert decoded.detail == {"path": "a", "at": str(START), "ok": 1}


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"3", b'["event",1]', b'["other",{}]', b'["open",{"id":"x"}]', b'["open"]', b"\xff\xfe",
     b'["errand","walk",{},{}]', b'["errand","ticket",{"key":"t"},{}]', b'["report",{"key":"t"}]',
     b'["amend","x",{"outcome":"never heard of"}]', b'["event","e","c","yesterday","step","",{}]'],
)  # fmt: skip
def test_a_damaged_line_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode(line)
