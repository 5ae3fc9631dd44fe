"""Recording: a call of the journal written down as a scenario in which nobody can be recognised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from ivr.domain.caller import Caller, Customer
from ivr.domain.contact import Contact, ContactEvent, EventKind, Outcome
from ivr.domain.line import LineState
from ivr.flow.steps.outage import STANDARD
from ivr.simulation.scenario import OUTAGE_PROMPT

NOBODY = "Voorbeeld"
"""The name that a caller gets whose own is not told."""
KEYED_NUMBER = "0612345678#"
"""What is keyed in instead of a number that the journal does not hold."""
DESKS = {"callback_none": "full", "callback_unavailable": "away", "callback_full": "taken"}
"""How callbacks were, by a prompt that is only said then."""
NO_KEY = "*"
"""Pressed where the journal only says that the key was a wrong one."""


def recorded(
    contact: Contact, events: Sequence[ContactEvent], caller: Caller | None, zone: ZoneInfo, *, reveal: bool = False
) -> str:
    """The file with the scenario of a call. `caller` is who the connected systems say it was, if they still know.

    Numbers that were keyed in are replaced, for the journal does not hold them. Without `reveal` so are the caller's
    name, number, postcode, customer and order numbers.
    """
    start = contact.started_at.astimezone(zone)
    scenario: dict[str, Any] = {"name": f"call {contact.id}"}
    described = _caller(contact, caller, reveal=reveal)
    if described:
        scenario["caller"] = described
    if contact.entry and reveal:
        scenario["entry"] = contact.entry
    if any(event.kind is EventKind.OUTAGE_TOLD for event in events):
        scenario["outages"] = [{"region": contact.region} if contact.region else {}]
    prompts = [str(event.detail.get("prompt", "")) for event in events if event.kind is EventKind.PROMPT]
    desk = next((state for prompt, state in DESKS.items() if prompt in prompts), "")
    if desk:
        scenario["callbacks"] = desk
    if any(event.kind is EventKind.TICKET and not event.detail.get("number") for event in events):
        scenario["tickets"] = "late"
    acts = list(_acts(events))
    if acts:
        scenario["press"] = acts
    scenario["expect"] = _expected(contact, events, prompts)
    file = {"flow": contact.flow, "at": start.strftime("%Y-%m-%dT%H:%M"), "scenarios": [scenario]}
    return yaml.dump(file, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=110)


class _Plain(yaml.SafeDumper):
    """Writes everything out: scenarios know no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _caller(contact: Contact, caller: Caller | None, *, reveal: bool) -> dict[str, Any]:
    described: dict[str, Any] = {}
    if contact.line_state is not LineState.KNOWN:
        described["number"] = "withheld"
    elif reveal and contact.number:
        described["number"] = str(contact.number)
    if contact.region:
        described["region"] = contact.region
    if contact.customer_id:
        described |= _customer(contact, caller.customer if caller else None, reveal=reveal)
    return described


def _customer(contact: Contact, customer: Customer | None, *, reveal: bool) -> dict[str, Any]:
    described: dict[str, Any] = {"customer": contact.customer_id if reveal else "K1"}
    if customer is None or not reveal:
        described["name"] = NOBODY
    if customer is None:
        return described
    if reveal:
        described |= {"name": customer.name} | ({"postcode": customer.postcode} if customer.postcode else {})
    if customer.language:
        described["language"] = customer.language.value
    if customer.products:
        described["products"] = sorted(customer.products)
    orders = []
    for position, order in enumerate(customer.orders, start=1):
        told = {"number": order.number if reveal else f"B{position}", "state": order.state.value}
        told |= {"description": order.description} if order.description else {}
        told |= {"expected_on": order.expected_on.isoformat()} if order.expected_on else {}
        orders.append(told)
    return described | ({"orders": orders} if orders else {})


def _acts(events: Sequence[ContactEvent]) -> Iterator[str | dict[str, str]]:
    """What the caller did. A key that cut a prompt off is in the journal twice: in the prompt, and when it counts."""
    early: list[str] = []
    for event, following in zip_longest(events, events[1:]):
        keys = str(event.detail.get("keys", ""))
        match event.kind:
            case EventKind.PROMPT if key := str(event.detail.get("key", "")):
                early.append(key)
                yield {"during": _named(str(event.detail["prompt"])), "press": key}
            case EventKind.PROMPT if event.detail.get("hung_up"):
                yield {"during": _named(str(event.detail["prompt"])), "press": "x"}
                return
            case EventKind.DIGITS | EventKind.WRONG_INPUT if early:
                first = early.pop(0)
                if len(keys) > 1:
                    yield KEYED_NUMBER if "*" in keys[1:-1] else keys.removeprefix(first)
            case EventKind.DIGITS if following is not None and following.kind is EventKind.SURVEY_ANSWER:
                yield keys
            case EventKind.DIGITS if len(keys) > 1:
                yield KEYED_NUMBER if "*" in keys[1:-1] else f"{keys}#"
            case EventKind.NO_INPUT:
                yield "-"
            case EventKind.SURVEY_ANSWER if event.detail.get("scale") == 10 and event.detail.get("answer") == 1:
                yield "-"  # no zero came behind it, which would have made a ten
            case EventKind.RECORDED if event.detail.get("kept"):
                key = str(event.detail.get("key", ""))
                yield f"{event.detail['seconds']}s{',' if key else ''}{key}"
            case EventKind.RECORDED:
                yield "-"
            case EventKind.DIGITS:  # no keys: a number was asked for, and none came
                yield keys or "-"
            case EventKind.WRONG_INPUT:
                yield keys or NO_KEY
            case EventKind.QUEUED | EventKind.TRANSFERRED:
                return
            case EventKind.HUNG_UP:
                yield "x"
                return


def _expected(contact: Contact, events: Sequence[ContactEvent], prompts: Sequence[str]) -> dict[str, Any]:
    expected: dict[str, Any] = {"heard": [_named(prompt) for prompt in prompts]}
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
