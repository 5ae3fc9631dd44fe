"""A call's journey: one line for each thing that happened, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from ivr.domain.contact import ContactEvent, EventKind, Json

Detail = Mapping[str, Json]


def journey_line(event: ContactEvent, zone: ZoneInfo) -> str:
    """One event as a person reads it: local time, call, what happened."""
    at = event.at.astimezone(zone).strftime("%H:%M:%S.%f")[:-3]
    detail = {name: _local(value, zone) for name, value in event.detail.items()}
    return f"{at}  {event.contact_id}  {WORDS[event.kind](event, detail)}"


def _caller(_event: ContactEvent, detail: Detail) -> str:
    who = f"customer {detail['customer']}" if detail.get("customer") else str(detail.get("state"))
    where = f", from {detail['region']}" if detail.get("region") else ""
    late = " (late answer)" if detail.get("late") else ""
    took = f" ({detail['took_ms']} ms)" if "took_ms" in detail else ""
    return f"caller is {who}{where}{took}{late}"


def _prompt(_event: ContactEvent, detail: Detail) -> str:
    key = f", until key {detail['key']}" if detail.get("key") else ""
    gone = ", until the caller left" if detail.get("hung_up") else ""
    return f"hears {detail.get('prompt')} ({detail.get('language')}, {detail.get('seconds')} s){key}{gone}"


def _verified(_event: ContactEvent, detail: Detail) -> str:
    facts = detail.get("facts")
    keyed = f" by {', '.join(map(str, facts))}" if isinstance(facts, list) and facts else ""
    right = f" ({detail.get('right')} right, {detail.get('wrong')} wrong)" if keyed else ""
    return f"{'proves' if detail.get('passed') else 'does not prove'} who they are{keyed}{right}"


def _triage_result(_event: ContactEvent, detail: Detail) -> str:
    parts = detail.get("parts")
    bring = f", to bring: {', '.join(map(str, parts))}" if isinstance(parts, list) and parts else ""
    return f"triage {detail.get('triage')} comes to {detail.get('result')}{bring}"


def _recorded(_event: ContactEvent, detail: Detail) -> str:
    gone = ", until the caller left" if detail.get("hung_up") else ""
    kept = "" if detail.get("kept") else ", too little to keep"
    return f"speaks for {detail.get('seconds')} s ({detail.get('purpose')}){gone}{kept}"


def _survey_answer(_event: ContactEvent, detail: Detail) -> str:
    answer = detail.get("answer")
    if answer is None:
        return f"does not answer {detail.get('question')}"
    what = "a recording" if detail.get("seconds") else f"{answer} of {detail.get('scale')}"
    return f"answers {detail.get('question')} with {what}"


def _ticket(_event: ContactEvent, detail: Detail) -> str:
    return f"gets ticket {detail.get('number') or 'without a number yet'}: {detail.get('subject')}"


def _errand(_event: ContactEvent, detail: Detail) -> str:
    came_to = detail.get("number") or detail.get("reason")
    return f"the {detail.get('errand')} is {detail.get('state')}{f': {came_to}' if came_to else ''}"


def _queued(_event: ContactEvent, detail: Detail) -> str:
    return f"goes to queue {detail.get('queue')} at site {detail.get('site')}"


def _answered(_event: ContactEvent, detail: Detail) -> str:
    return f"agent {detail.get('agent')} answers after {detail.get('waited')} s"


def _rest(words: str) -> Callable[[ContactEvent, Detail], str]:
    """The words, and every particular that there is behind them."""

    def line(event: ContactEvent, detail: Detail) -> str:
        shown = ", ".join(f"{name.replace('_', ' ')} {_text(value)}" for name, value in detail.items() if value)
        return f"{words}{': ' + shown if shown else ''}"

    return line


def _text(value: Json) -> str:
    return " or ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _local(value: Json, zone: ZoneInfo) -> Json:
    """A moment in the site's own time; anything else as it is."""
    if isinstance(value, list):
        return [_local(item, zone) for item in value]
    if not isinstance(value, str) or value[10:11] != "T":
        return value
    try:
        return datetime.fromisoformat(value).astimezone(zone).strftime("%a %d-%m %H:%M")
    except ValueError:
        return value


WORDS: Mapping[EventKind, Callable[[ContactEvent, Detail], str]] = {
    EventKind.ARRIVED: lambda _, detail: f"{detail.get('entry')} is dialled, the line is {detail.get('line')}",
    EventKind.IDENTIFIED: _caller,
    EventKind.PICKED_UP: _rest("picked up"),
    EventKind.STEP: lambda event, _: f"step {event.step}",
    EventKind.PROMPT: _prompt,
    EventKind.DIGITS: lambda _, detail: f"presses {detail.get('keys')}",
    EventKind.NO_INPUT: lambda *_: "presses nothing",
    EventKind.WRONG_INPUT: _rest("presses what is not offered"),
    EventKind.REASON: lambda _, detail: f"calls for {detail.get('reason')}",
    EventKind.RECOGNISED: _rest("keys who they are"),
    EventKind.VERIFIED: _verified,
    EventKind.LOOKED_UP: _rest("is looked up"),
    EventKind.OUTAGE_TOLD: lambda _, detail: f"is told of outage {detail.get('outage')}",
    EventKind.CALLBACK_OFFERED: _rest("is offered a callback"),
    EventKind.CALLBACK_BOOKED: _rest("is promised a callback"),
    EventKind.NOTICE_PROMISED: _rest("is promised a call when the outage is over"),
    EventKind.TRIAGE_ANSWER: lambda _, detail: f"answers {detail.get('question')} with {detail.get('answer')}",
    EventKind.TRIAGE_RESULT: _triage_result,
    EventKind.TICKET: _ticket,
    EventKind.MESSAGE: _rest("is to get a message"),
    EventKind.ERRAND: _errand,
    EventKind.RECORDED: _recorded,
    EventKind.MESSAGE_LEFT: _rest("leaves a message"),
    EventKind.CALL_RECORDING: lambda _, detail: f"recording of the call: {detail.get('state')}",
    EventKind.SURVEY_ANSWER: _survey_answer,
    EventKind.QUEUED: _queued,
    EventKind.TRANSFERRED: lambda _, detail: f"to telephone {detail.get('to')}",
    EventKind.TRANSFER_RESULT: _rest("the telephone there"),
    EventKind.AGENT_ANSWERED: _answered,
    EventKind.QUEUE_ABANDONED: _rest("leaves the queue"),
    EventKind.ERROR: _rest("ERROR"),
    EventKind.HUNG_UP: _rest("hangs up"),
    EventKind.ENDED: _rest("over"),
}
