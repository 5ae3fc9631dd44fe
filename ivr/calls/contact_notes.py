"""Contact notes: what a customer's record in the connected systems says of a contact, for agents to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from ivr.domain.caller import CustomerId
from ivr.domain.contact import Contact, ContactEvent, Direction, EventKind, Json
from ivr.domain.errand import Assignment, ContactNote
from ivr.domain.language import Language

Words = Mapping[str, str]

DUTCH: Words = {
    "inbound": "Gebeld op {day} om {time}, {minutes} min {seconds} s.",
    "outbound": "Door ons gebeld op {day} om {time}, {minutes} min {seconds} s.",
    "reason": "Reden: {0}",
    "outcome": "Afloop: {0}",
    "heard": "Gehoord: {0}",
    "chosen": "Gekozen: {0}",
    "verified": "Heeft aangetoond wie het is.",
    "not_verified": "Kon niet aantonen wie het is.",
    "outage": "Heeft gehoord dat er een storing is.",
    "callback": "Terugbelafspraak: {0}",
    "triage": "Vragen over {0}: {1}",
    "comes_to": "komt uit op {0}",
    "ticket": "Melding {0}: {1}",
    "no_number": "zonder nummer",
    "message": "Bericht gestuurd: {0}",
    "left_message": "Heeft een bericht ingesproken.",
    "survey": "Antwoorden: {0}",
    "queue": "Wachtrij: {0} ({1})",
    "transferred": "Doorverbonden met {0}",
    "agent": "Geholpen door {0}",
    "waited": "na {0} s wachten",
    "told": "geïnformeerd",
    "self_served": "zelf geregeld",
    "callback_booked": "terugbelafspraak gemaakt",
    "message_left": "bericht ingesproken",
    "handed_over": "doorverbonden",
    "answered": "gesproken met een medewerker",
    "refused": "wilde niet meer gebeld worden",
    "abandoned": "opgehangen",
    "failed": "mislukt",
    "unknown": "onbekend",
}
ENGLISH: Words = {
    "inbound": "Called on {day} at {time}, {minutes} min {seconds} s.",
    "outbound": "Called by us on {day} at {time}, {minutes} min {seconds} s.",
    "reason": "Reason: {0}",
    "outcome": "Outcome: {0}",
    "heard": "Heard: {0}",
    "chosen": "Chose: {0}",
    "verified": "Proved who they are.",
    "not_verified": "Did not prove who they are.",
    "outage": "Was told of an outage.",
    "callback": "Callback: {0}",
    "triage": "Questions on {0}: {1}",
    "comes_to": "comes to {0}",
    "ticket": "Ticket {0}: {1}",
    "no_number": "without a number",
    "message": "Message sent: {0}",
    "left_message": "Left a message.",
    "survey": "Answers: {0}",
    "queue": "Queue: {0} ({1})",
    "transferred": "Transferred to {0}",
    "agent": "Helped by {0}",
    "waited": "after {0} s of waiting",
    "told": "informed",
    "self_served": "helped themselves",
    "callback_booked": "callback promised",
    "message_left": "left a message",
    "handed_over": "handed over",
    "answered": "spoke with an agent",
    "refused": "no longer wanted the call",
    "abandoned": "hung up",
    "failed": "failed",
    "unknown": "unknown",
}
WORDS: Mapping[Language, Words] = {Language.NL: DUTCH, Language.EN: ENGLISH}


class ContactNotes:
    """Makes notes; an `ivr.ports.errands.NotesOf`.

    Each of the `connectors` that knows the customer gets one. `zone` is the organisation's.
    """

    def __init__(self, connectors: Sequence[str], language: Language, zone: ZoneInfo) -> None:
        self._connectors = tuple(connectors)
        self._words = WORDS[language]
        self._zone = zone

    def __call__(self, contact: Contact, events: Sequence[ContactEvent]) -> Sequence[Assignment]:
        """The notes of a contact that ended, with its events in order of time."""
        ended_at = contact.ended_at or contact.started_at
        text = "\n".join(self._lines(contact, events, ended_at))
        return [
            Assignment(
                ContactNote(
                    key=f"{contact.id}-note-{connector}",
                    contact_id=contact.id,
                    started_at=contact.started_at,
                    ended_at=ended_at,
                    direction=contact.direction.value,
                    reason=contact.reason or "",
                    outcome=contact.outcome.value if contact.outcome else "",
                    text=text,
                ),
                connector,
                contact.id,
                ended_at,
                CustomerId(contact.customer_references[connector]),
            )
            for connector in self._connectors
            if connector in contact.customer_references
        ]

    def _lines(self, contact: Contact, events: Sequence[ContactEvent], ended_at: datetime) -> Iterator[str]:
        words, start = self._words, contact.started_at.astimezone(self._zone)
        minutes, seconds = divmod(round((ended_at - contact.started_at).total_seconds()), 60)
        began = words["outbound" if contact.direction is Direction.OUTBOUND else "inbound"]
        yield began.format(day=f"{start:%d-%m-%Y}", time=f"{start:%H:%M}", minutes=minutes, seconds=seconds)
        if contact.reason:
            yield words["reason"].format(_plain(contact.reason))
        yield words["outcome"].format(words[contact.outcome.value] if contact.outcome else words["unknown"])
        heard = dict.fromkeys(_plain(event.detail.get("prompt")) for event in _of(events, EventKind.PROMPT))
        if heard:
            yield words["heard"].format(", ".join(heard))
        keys = [
            f"{_block(event)} {event.detail['keys']}"
            for event in _of(events, EventKind.DIGITS)
            if "keys" in event.detail
        ]
        if keys:
            yield words["chosen"].format(", ".join(keys))
        yield from self._triages(events)
        answers = [_answer(event) for event in _of(events, EventKind.SURVEY_ANSWER)]
        if answers:
            yield words["survey"].format(", ".join(answers))
        for event in events:
            line = self._line(event)
            if line:
                yield line

    def _triages(self, events: Sequence[ContactEvent]) -> Iterator[str]:
        told: dict[str, list[str]] = {}
        for event in _of(events, EventKind.TRIAGE_ANSWER):
            told.setdefault(_plain(event.detail.get("triage")), []).append(_answer(event))
        for event in _of(events, EventKind.TRIAGE_RESULT):
            comes_to = self._words["comes_to"].format(_plain(event.detail.get("result")))
            told.setdefault(_plain(event.detail.get("triage")), []).append(comes_to)
        for triage, answers in told.items():
            yield self._words["triage"].format(triage, ", ".join(answers))

    def _line(self, event: ContactEvent) -> str:
        """A line for what is told in the order it happened; empty for what is not."""
        words, detail = self._words, event.detail
        match event.kind:
            case EventKind.VERIFIED:
                return words["verified" if detail.get("passed") else "not_verified"]
            case EventKind.OUTAGE_TOLD:
                return words["outage"]
            case EventKind.CALLBACK_BOOKED:
                start = datetime.fromisoformat(str(detail["start"])).astimezone(self._zone)
                end = datetime.fromisoformat(str(detail["end"])).astimezone(self._zone)
                return words["callback"].format(f"{start:%d-%m-%Y %H:%M}-{end:%H:%M}")
            case EventKind.TICKET:
                return words["ticket"].format(detail.get("number") or words["no_number"], detail.get("subject"))
            case EventKind.MESSAGE:
                return words["message"].format(detail.get("by"))
            case EventKind.MESSAGE_LEFT:
                return words["left_message"]
            case EventKind.QUEUED:
                return words["queue"].format(detail.get("queue"), detail.get("site"))
            case EventKind.TRANSFERRED:
                return words["transferred"].format(detail.get("to"))
            case EventKind.AGENT_ANSWERED:
                waited = f" {words['waited'].format(detail['waited'])}" if detail.get("waited") else ""
                return f"{words['agent'].format(detail.get('agent'))}{waited}"
        return ""


def _of(events: Sequence[ContactEvent], kind: EventKind) -> Iterator[ContactEvent]:
    return (event for event in events if event.kind is kind)


def _answer(event: ContactEvent) -> str:
    return f"{_plain(event.detail.get('question'))}: {_plain(event.detail.get('answer'))}"


def _block(event: ContactEvent) -> str:
    return _plain(event.step.partition(".")[0])


def _plain(word: Json) -> str:
    """A name as words."""
    return "-" if word is None else str(word).replace("_", " ")
