"""`ivr calls`: the journal, as a table, as one call's journey, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from ivr.cli.journey import journey_line
from ivr.cli.opening import config_of, stores_of, wait_for
from ivr.cli.output import masked, print_json, print_table, utc
from ivr.cli.since import since_when
from ivr.domain.contact import Contact, ContactEvent, Json

Told = tuple[Contact, Sequence[ContactEvent]]


class NoSuchCall(click.ClickException):
    """The journal holds no call with this id."""

    exit_code = 1


@click.command()
@click.argument("call_id", required=False)
@click.option("--since", help="Only calls since this moment (2026-11-22T10:00, local) or this long ago (2h).")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--reveal", is_flag=True, help="Show telephone numbers in full.")
@click.pass_context
def command(
    ctx: click.Context, call_id: str | None, since: str | None, limit: int, as_json: bool, reveal: bool
) -> None:
    """Show the calls in the journal, newest first, or one call's journey."""
    zone = ZoneInfo(config_of(ctx).organisation.time_zone)
    told = wait_for(_read(ctx, since_when(since, zone), call_id, limit))
    if call_id and not told:
        raise NoSuchCall(f"there is no call {call_id} in the journal")
    if as_json:
        print_json([as_json_object(contact, events, reveal=reveal) for contact, events in told])
    elif call_id:
        for event in told[0][1]:
            line = journey_line(event, zone)
            click.echo(line if reveal else masked(line))
    else:
        _print_table(told, zone, reveal=reveal)


async def _read(ctx: click.Context, since: datetime | None, call_id: str | None, limit: int) -> Sequence[Told]:
    async with stores_of(ctx) as stores:
        return await stores.contacts.contacts(since=since, contact_id=call_id, limit=limit)


def as_json_object(contact: Contact, events: Sequence[ContactEvent], *, reveal: bool) -> Json:
    """A call in the stable shape of `ivr calls --json`."""
    hide = (lambda value: value) if reveal else masked
    number = contact.number or contact.line_state.value
    return {
        "id": contact.id,
        "direction": contact.direction.value,
        "started_at": utc(contact.started_at),
        "answered_at": utc(contact.answered_at),
        "ended_at": utc(contact.ended_at),
        "caller": hide(number),
        "customer": contact.customer_id,
        "region": contact.region,
        "entry": hide(contact.entry),
        "flow": contact.flow,
        "flow_version": contact.flow_version,
        "reason": contact.reason,
        "outcome": contact.outcome.value if contact.outcome else None,
        "queue": contact.queue,
        "site": contact.site,
        "events": [
            {"at": utc(event.at), "kind": event.kind.value, "step": event.step, **_detail(event, reveal=reveal)}
            for event in events
        ],
    }


def _detail(event: ContactEvent, *, reveal: bool) -> dict[str, Json]:
    return {key: value if reveal else masked(value) for key, value in event.detail.items()}


def _print_table(told: Sequence[Told], zone: ZoneInfo, *, reveal: bool) -> None:
    rows = []
    for contact, _events in told:
        number = contact.number or contact.line_state.value
        lasted = f"{(contact.ended_at - contact.started_at).total_seconds():.0f} s" if contact.ended_at else "…"
        rows.append(
            [
                contact.started_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
                contact.id,
                str(number if reveal else masked(number)),
                contact.customer_id or "-",
                contact.flow or "-",
                contact.reason or "-",
                contact.outcome.value if contact.outcome else "-",
                contact.site or "-",
                lasted,
            ]
        )
    columns = ["started", "call", "caller", "customer", "flow", "reason", "outcome", "site", "lasted"]
    print_table(columns, rows, empty="No calls in the journal yet.")
