"""A call's journey: one line for each thing that happened, in words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ivr.domain.contact import ContactEvent, EventKind, Json

WORDS = {
    EventKind.ARRIVED: "call comes in",
    EventKind.IDENTIFIED: "caller",
    EventKind.PICKED_UP: "picked up",
    EventKind.STEP: "step",
    EventKind.PROMPT: "says",
    EventKind.DIGITS: "caller presses",
    EventKind.NO_INPUT: "caller presses nothing",
    EventKind.WRONG_INPUT: "caller presses something that is not offered",
    EventKind.REASON: "reason",
    EventKind.OUTAGE_TOLD: "tells of the outage",
    EventKind.CALLBACK_OFFERED: "offers a callback",
    EventKind.CALLBACK_BOOKED: "promises to call",
    EventKind.QUEUED: "goes to the queue",
    EventKind.AGENT_ANSWERED: "agent answers",
    EventKind.QUEUE_ABANDONED: "caller leaves the queue",
    EventKind.ERROR: "ERROR",
    EventKind.HUNG_UP: "caller hangs up",
    EventKind.ENDED: "over",
}


def journey_line(event: ContactEvent, zone: ZoneInfo) -> str:
    """One event as a person reads it: local time, call, what happened and its particulars."""
    at = event.at.astimezone(zone).strftime("%H:%M:%S.%f")[:-3]
    step = f"  [{event.step}]" if event.step else ""
    particulars = ", ".join(_particular(name, value) for name, value in event.detail.items() if value not in (None, ""))
    return f"{at}  {event.contact_id:<18}  {WORDS[event.kind]}{': ' + particulars if particulars else ''}{step}"


def _particular(name: str, value: Json) -> str:
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    if isinstance(value, str) and "T" in value[:11]:
        value = _short_moment(value)
    return f"{name.replace('_', ' ')} {value}"


def _short_moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text).strftime("%d-%m %H:%M %Z")
    except ValueError:
        return text
