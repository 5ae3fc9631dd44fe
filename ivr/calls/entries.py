"""Entries: what the journal takes, and how one is a line of text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from ivr.domain.contact import Contact, ContactEvent, ContactId, Direction, EventKind, Outcome
from ivr.domain.errand import Assignment, ErrandReport, ErrandState, content_of, errand_of, kind_of
from ivr.domain.line import LineState

FIELDS = tuple(field.name for field in fields(Contact))
OF_ASSIGNMENT = tuple(field.name for field in fields(Assignment) if field.name != "errand")
OF_REPORT = tuple(field.name for field in fields(ErrandReport))
MOMENTS = frozenset({"started_at", "answered_at", "ended_at", "at", "held_until", "not_before"})
WORDS = {"direction": Direction, "line_state": LineState, "outcome": Outcome, "state": ErrandState}

# Values that JSON does not know become text, names that it does not know are left out: an entry is never refused.
_encoder = json.JSONEncoder(default=str, skipkeys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Amendment:
    """Fields of a contact, by the names of `Contact`, that got another value."""

    contact_id: ContactId
    changes: Mapping[str, object]


Entry = Contact | Amendment | ContactEvent | Assignment | ErrandReport
"""A contact that began, a change to one, something that happened in one; an errand, and what an attempt came to."""


def encode(entry: Entry) -> bytes:
    """An entry as one line of JSON: `[kind, …]`, with its line end."""
    line: list[object]
    match entry:
        case ContactEvent():
            moment = entry.at.isoformat()
            line = ["event", entry.id, entry.contact_id, moment, entry.kind, entry.step, entry.detail]
        case Amendment():
            line = ["amend", entry.contact_id, {name: _plain(value) for name, value in entry.changes.items()}]
        case Contact():
            line = ["open", {name: _plain(getattr(entry, name)) for name in FIELDS}]
        case Assignment():
            errand = [kind_of(entry.errand), content_of(entry.errand)]
            line = ["errand", *errand, {name: _plain(getattr(entry, name)) for name in OF_ASSIGNMENT}]
        case ErrandReport():
            line = ["report", {name: _plain(getattr(entry, name)) for name in OF_REPORT}]
    return _encoder.encode(line).encode() + b"\n"


def decode(line: bytes) -> Entry:
    """The entry of a line.

    Raises:
        ValueError: the line is damaged, or not one that this version knows.
    """
    try:
        kind, *rest = json.loads(line)
        match kind:
            case "event":
                name, contact_id, moment, what, step, detail = rest
                return ContactEvent(
                    name, ContactId(contact_id), datetime.fromisoformat(moment), EventKind(what), step, detail
                )
            case "amend":
                contact_id, changes = rest
                return Amendment(ContactId(contact_id), _rich(changes))
            case "open":
                return Contact(**_rich(rest[0]))
            case "errand":
                what, content, particulars = rest
                return Assignment(errand=errand_of(what, content), **_rich(particulars))
            case "report":
                return ErrandReport(**_rich(rest[0]))
    except (TypeError, KeyError, IndexError) as error:
        raise ValueError(f"not an entry: {error}") from error
    raise ValueError(f"not an entry: {kind}")


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _rich(changes: Mapping[str, Any]) -> dict[str, Any]:
    rich: dict[str, Any] = dict(changes)
    for name, value in changes.items():
        if value is None:
            continue
        if name in MOMENTS:
            rich[name] = datetime.fromisoformat(value)
        elif name in WORDS:
            rich[name] = WORDS[name](value)
    return rich
