"""What agents read in a customer's record of a contact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ivr.calls.contact_notes import WORDS, ContactNotes
from ivr.domain.contact import Contact, ContactEvent, ContactId, Direction, EventKind, Json, Outcome
from ivr.domain.errand import ContactNote
from ivr.domain.language import Language

CALL = ContactId("1764000000.1")
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Amsterdam")
HAPPENED: list[tuple[EventKind, str, dict[str, Json]]] = [
    (EventKind.ARRIVED, "", {"entry": "0850001001"}),
    (EventKind.IDENTIFIED, "", {"state": "known"}),
    (EventKind.PROMPT, "main.menu", {"prompt": "main_menu", "language": "nl", "seconds": 2.0}),
    (EventKind.DIGITS, "main.menu", {"keys": "2"}),
    (EventKind.PROMPT, "main.menu", {"prompt": "main_menu", "language": "nl", "seconds": 2.0}),
    (EventKind.DIGITS, "order_number.ask", {"keys": "4711"}),
    (EventKind.VERIFIED, "", {"passed": True}),
    (EventKind.OUTAGE_TOLD, "", {"outage": "o1"}),
    (EventKind.TRIAGE_ANSWER, "", {"triage": "modem", "question": "lights", "answer": "red"}),
    (EventKind.TRIAGE_ANSWER, "", {"triage": "modem", "question": "restart", "answer": "did_not_help"}),
    (EventKind.TRIAGE_RESULT, "", {"triage": "modem", "result": "ticket"}),
    (EventKind.TICKET, "", {"number": "T-7", "subject": "Modem"}),
    (EventKind.TICKET, "", {"number": None, "subject": "Kabel"}),
    (EventKind.MESSAGE, "", {"by": "sms", "to": "+313******01"}),
    (EventKind.CALLBACK_BOOKED, "", {"start": "2026-11-24T08:00:00+00:00", "end": "2026-11-24T10:00:00+00:00"}),
    (EventKind.SURVEY_ANSWER, "", {"question": "solved", "answer": 5, "scale": 5}),
    (EventKind.SURVEY_ANSWER, "", {"question": "again", "answer": None}),
    (EventKind.MESSAGE_LEFT, "", {"box": "support"}),
    (EventKind.QUEUED, "", {"queue": "support", "site": "own"}),
    (EventKind.AGENT_ANSWERED, "", {"agent": "Jan", "waited": 42}),
    (EventKind.TRANSFERRED, "", {"to": "reception"}),
    (EventKind.ENDED, "", {}),
]


def events() -> Iterator[ContactEvent]:
    for number, (kind, step, detail) in enumerate(HAPPENED):
        yield ContactEvent(f"e{number}", CALL, START, kind, step, detail)


def contact(outcome: Outcome | None = Outcome.ANSWERED, **changes: object) -> Contact:
    particulars = {"ended_at": START + timedelta(minutes=61, seconds=5), "reason": "order_status", "outcome": outcome}
    return Contact(CALL, START, customer_references={"crm": "K1"}, **{**particulars, **changes})  # type: ignore[arg-type]


def lines(of: Contact, happened: list[ContactEvent], language: Language = Language.NL) -> list[str]:
    [assignment] = ContactNotes(["crm"], language, ZONE)(of, happened)
    assert isinstance(assignment.errand, ContactNote)
    return assignment.errand.text.splitlines()


def test_everything_of_use_is_told_in_words() -> None:
    assert lines(contact(), [*events()]) == [
        "Gebeld op 23-11-2026 om 10:00, 61 min 5 s.",
        "Reden: order status",
        "Afloop: gesproken met een medewerker",
        "Gehoord: main menu",
        "Gekozen: main 2, order number 4711",
        "Vragen over modem: lights: red, restart: did not help, komt uit op ticket",
        "Antwoorden: solved: 5, again: -",
        "Heeft aangetoond wie het is.",
        "Heeft gehoord dat er een storing is.",
        "Melding T-7: Modem",
        "Melding zonder nummer: Kabel",
        "Bericht gestuurd: sms",
        "Terugbelafspraak: 24-11-2026 09:00-11:00",
        "Heeft een bericht ingesproken.",
        "Wachtrij: support (own)",
        "Geholpen door Jan na 42 s wachten",
        "Doorverbonden met reception",
    ]


def test_a_call_that_a_crash_ended_is_told_as_far_as_it_is_known() -> None:
    assert lines(contact(None, reason=None, direction=Direction.OUTBOUND), [], Language.EN) == [
        "Called by us on 23-11-2026 at 10:00, 61 min 5 s.",
        "Outcome: unknown",
    ]


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("language", Language)
def test_every_outcome_has_words(outcome: Outcome, language: Language) -> None:
    assert len(lines(contact(outcome), [*events()], language)) == len(lines(contact(), [*events()]))


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    dutch, english = WORDS[Language.NL], WORDS[Language.EN]
    assert dutch.keys() == english.keys()
    assert {name: text.count("{") for name, text in dutch.items()} == {
        name: text.count("{") for name, text in english.items()
    }


def test_who_does_not_know_the_customer_gets_no_note() -> None:
    notes = ContactNotes(["erp", "crm"], Language.NL, ZONE)
    [note] = notes(contact(), [])
    assert (note.connector, note.customer_id, note.errand.key) == ("crm", "K1", f"{CALL}-note-crm")
    assert notes(Contact(CALL, START, ended_at=START), []) == []
