"""Recording: a call of the journal written down as a scenario in which nobody can be recognised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from ivr.domain.caller import Caller, IdentificationState
from ivr.domain.contact import Contact, ContactEvent, EventKind, Outcome
from ivr.domain.line import LineState
from ivr.flow.agreeing import MOMENT as CALLBACK_MOMENT
from ivr.flow.model import FlowSet
from ivr.flow.step import Step
from ivr.flow.steps.ask import Ask
from ivr.flow.steps.identify import Identify
from ivr.flow.steps.lookup import MOMENT as LOOKUP_MOMENT
from ivr.flow.steps.outage import STANDARD
from ivr.flow.steps.survey import Survey
from ivr.flow.steps.ticket import MOMENT as TICKET_MOMENT
from ivr.flow.voice import HIDDEN as HIDDEN_KEY
from ivr.simulation.recorded_customer import NOBODY, NUMBER, POSTCODE, described, keys_of, prompts_of
from ivr.simulation.scenario import OUTAGE_PROMPT

HIDDEN = "**"
"""Stands in keys of which the journal does not hold all."""
KEYED_NUMBER = "0612345678#"
"""What is keyed in instead of a number that the journal does not hold."""
DESKS = {
    "callback_none": "full",
    "callback_unavailable": "away",
    "callback_full": "taken",
    "notice_unavailable": "away",
}
"""How callbacks were, by a prompt that is only said then."""
NO_KEY = "*"
"""Pressed where the journal only says that the key was a wrong one."""
MOMENTS = (CALLBACK_MOMENT, LOOKUP_MOMENT, TICKET_MOMENT)
"""What callers hear when a system of ours is slow; in a simulated call none is."""
INPUT = (EventKind.DIGITS, EventKind.NO_INPUT, EventKind.WRONG_INPUT)
SECRET = ("identify", "verify")
"""The kinds of steps of which the journal does not hold any keys."""
ITS_OWN_NUMBER, KEYED = "1", "keyed"
WRONG = "0#"
"""Keyed by who did not prove who they are."""


def recorded(
    contact: Contact,
    events: Sequence[ContactEvent],
    caller: Caller | None,
    zone: ZoneInfo,
    flows: FlowSet,
    *,
    reveal: bool = False,
) -> str:
    """The file with the scenario of a call. `caller` is who the connected systems say it was, if they still know.

    Numbers that were keyed in are replaced, for the journal does not hold them. Without `reveal` so are the caller's
    name, number, postcode, customer and order numbers.
    """
    events = [event for event in events if event.detail.get("prompt") not in MOMENTS]
    start = contact.started_at.astimezone(zone)
    file: dict[str, Any] = {"flow": contact.flow, "at": start.strftime("%Y-%m-%dT%H:%M")}
    scenario: dict[str, Any] = {"name": f"call {contact.id}"}
    caller_then, customer, steps = _line(contact, reveal=reveal), dict[str, Any](), _steps(contact, events, flows)
    prefix = next((step.prefix for step in steps.values() if isinstance(step, Identify)), "")
    if any(event.kind is EventKind.RECOGNISED and event.detail.get("passed") for event in events):
        # Whoever the line belongs to, they keyed to be this customer.
        customer = described(prefix + ITS_OWN_NUMBER, None, events, start, reveal=reveal)
        file["callers"] = {KEYED: customer}
        caller_then |= {"name": NOBODY} if _was_known(events) else {}
    elif contact.customer_id:
        number = contact.customer_id if reveal else f"K{ITS_OWN_NUMBER}"
        customer = described(number, caller.customer if caller else None, events, start, reveal=reveal)
        caller_then |= customer
    if caller_then:
        scenario["caller"] = caller_then
    if contact.entry and reveal:
        scenario["entry"] = contact.entry
    scenario |= _world(contact, events)
    acts = list(_acts(events, keys_of(customer, prefix), steps))
    if acts:
        scenario["press"] = acts
    scenario["expect"] = _expected(contact, events)
    file["scenarios"] = [scenario]
    return yaml.dump(file, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=110)


def shown_keys(keys: str) -> str:
    """Keys to press for those that the journal has: where it hides them others, as many of an answer that is secret."""
    if HIDDEN not in keys:
        return keys
    return KEYED_NUMBER if keys.strip("*") else "1" * len(keys)


def kind_of(step: str) -> str:
    """The kind of a step, by its name in the journal."""
    return step.rpartition(".")[2].partition("-")[0]


class _Plain(yaml.SafeDumper):
    """Writes everything out: scenarios know no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _line(contact: Contact, *, reveal: bool) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if contact.line_state is not LineState.KNOWN:
        told["number"] = "withheld"
    elif reveal and contact.number:
        told["number"] = str(contact.number)
    return told | ({"region": contact.region} if contact.region else {})


def _was_known(events: Sequence[ContactEvent]) -> bool:
    """Whether it was known who calls when the call began."""
    first = next((event.detail for event in events if event.kind is EventKind.IDENTIFIED), {})
    return first.get("state") == IdentificationState.KNOWN


def _steps(contact: Contact, events: Sequence[ContactEvent], flows: FlowSet) -> dict[str, Step]:
    """The steps that were passed, as the flows have them now, by their names in the journal."""
    passed = {(str(event.detail.get("flow", contact.flow)), event.step) for event in events}
    return {
        placed.label: placed.step
        for name, flow in flows.flows.items()
        for block in flow.blocks.values()
        for placed in block
        if (name, placed.label) in passed
    }


def _world(contact: Contact, events: Sequence[ContactEvent]) -> dict[str, Any]:
    """What was so around the caller."""
    world: dict[str, Any] = {}
    if any(event.kind is EventKind.OUTAGE_TOLD or event.detail.get("prompt") == "notice_offer" for event in events):
        world["outages"] = [{"region": contact.region} if contact.region else {}]
    if any(event.kind in (EventKind.LOOKED_UP, EventKind.RECOGNISED) and "error" in event.detail for event in events):
        world["systems"] = "away"
    desk = next((state for prompt, state in DESKS.items() if prompt in prompts_of(events)), "")
    if desk:
        world["callbacks"] = desk
    if any(event.kind is EventKind.ERROR and kind_of(event.step) == "ticket" for event in events):
        world["tickets"] = "refused"
    elif any(event.kind is EventKind.TICKET and not event.detail.get("number") for event in events):
        world["tickets"] = "late"
    return world


def _acts(
    events: Sequence[ContactEvent], proofs: Mapping[str, str], steps: Mapping[str, Step]
) -> Iterator[str | dict[str, str]]:
    """What the caller did. A key that cut a prompt off is in the journal twice: in the prompt, and when it counts.

    `proofs` are the keys that tell who the customer is, by the prompts that ask for them.
    """
    early: list[str] = []
    for position, event in enumerate(events):
        prompt, key = str(event.detail.get("prompt", "")), str(event.detail.get("key", ""))
        match event.kind:
            case EventKind.PROMPT if event.detail.get("hung_up"):
                yield {"during": _named(prompt), "press": "x"}
                return
            case EventKind.PROMPT if prompt in proofs:
                keyed = _proof(event, events[position + 1 :], proofs[prompt])
                if key:
                    yield {"during": prompt, "press": (keyed or "1")[0].replace("-", "#")}
                    keyed = keyed[1:]
                if keyed:
                    yield keyed
            case EventKind.PROMPT if key:
                early.append(_first(events[position + 1 :]) if key == HIDDEN_KEY else key)
                yield {"during": _named(prompt), "press": early[-1]}
            case EventKind.DIGITS | EventKind.WRONG_INPUT:
                pressed, keys = early.pop(0) if early else "", str(event.detail.get("keys", ""))
                told = shown_keys(keys).removesuffix("#") or keys
                told += "#" if _is_ended(keys, steps.get(event.step)) else ""
                if rest := told[len(pressed) :]:
                    yield rest
                elif not pressed:  # a number was asked for and none came, or it is not kept which key was wrong
                    yield NO_KEY if event.kind is EventKind.WRONG_INPUT else "-"
            case EventKind.NO_INPUT if early[:1] == ["#"]:
                early.pop(0)
            case EventKind.NO_INPUT:
                yield "-"
            case EventKind.SURVEY_ANSWER if event.detail.get("scale") == 10 and event.detail.get("answer") == 1:
                yield "-"  # no zero came behind it, which would have made a ten
            case EventKind.RECORDED if event.detail.get("kept"):
                yield f"{event.detail['seconds']}s{',' if key else ''}{key}"
            case EventKind.RECORDED if not event.detail.get("hung_up"):
                yield "-"
            case EventKind.QUEUED | EventKind.TRANSFERRED:
                return
            case EventKind.HUNG_UP:
                yield "x"
                return


def _first(after: Sequence[ContactEvent]) -> str:
    """The first key of an answer that comes in the journal after a key that it hides."""
    answer = next((event for event in after if event.kind in INPUT), None)
    keys = str(answer.detail.get("keys", "")) if answer is not None else "1"
    return shown_keys(keys)[:1] or "#"


def _is_ended(keys: str, step: Step | None) -> bool:
    """Whether several keys take a `#` to be an answer; not when they are all that it can have."""
    if isinstance(step, Survey) or (isinstance(step, Ask) and len(keys) >= step.most_keys):
        return False
    return len(keys) > 1


def _proof(asked: ContactEvent, after: Sequence[ContactEvent], right: str) -> str:
    """What is keyed where the journal holds no keys: as right or wrong as it was then; nothing by who left there."""
    following = after[0] if after else asked
    if following is asked or following.kind is EventKind.HUNG_UP:
        return ""
    prompt = str(asked.detail["prompt"])
    if prompt == NUMBER:
        return right if following.detail.get("prompt") == POSTCODE else "-"
    here = takewhile(lambda event: event.kind is EventKind.PROMPT and event.step == asked.step, after)
    position = len(list(here))
    result = after[position] if position < len(after) else asked
    if result.kind not in (EventKind.RECOGNISED, EventKind.VERIFIED):  # they left later, or gave up here
        return right if following.kind is EventKind.PROMPT and prompt != POSTCODE else "-"
    facts = result.detail.get("facts")
    if isinstance(facts, list) and prompt.removeprefix("verify_") not in facts:
        return "-"
    return right if result.detail.get("passed") else WRONG


def _expected(contact: Contact, events: Sequence[ContactEvent]) -> dict[str, Any]:
    heard = [_named(str(event.detail.get("prompt", ""))) for event in events if event.kind is EventKind.PROMPT]
    expected: dict[str, Any] = {"heard": heard}
    if contact.reason:
        expected["reason"] = contact.reason
    queued = next((event for event in events if event.kind is EventKind.QUEUED), None)
    transferred = next((event for event in events if event.kind is EventKind.TRANSFERRED), None)
    # What came of it in the queue or at the telephone is not the flow's.
    outcome = Outcome.HANDED_OVER if queued or transferred else contact.outcome
    if outcome:
        expected["outcome"] = outcome.value
    if queued:
        expected["queue"] = queued.detail.get("queue")
    if transferred:
        expected["transfer"] = transferred.detail.get("to")
    return expected


def _named(prompt: str) -> str:
    return STANDARD if prompt.startswith(OUTAGE_PROMPT) else prompt
