"""`ivr errands`: what connected systems were asked to do, how far it is, and trying one again."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from ivr.cli.opening import config_of, stores_of, wait_for
from ivr.cli.output import masked, print_json, print_table, utc
from ivr.domain.contact import Json
from ivr.domain.errand import ContactNote, ErrandState, KeptErrand, Message, Ticket, content_of, kind_of

MOST_SHOWN = 60


@click.group(invoke_without_command=True)
@click.option("--failed", is_flag=True, help="Only those that failed.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--reveal", is_flag=True, help="Show telephone numbers in full.")
@click.pass_context
def command(ctx: click.Context, failed: bool, limit: int, as_json: bool, reveal: bool) -> None:
    """Show tickets, messages and notes for connected systems, newest first, and how far each is."""
    if ctx.invoked_subcommand is not None:
        return
    zone = ZoneInfo(config_of(ctx).organisation.time_zone)

    async def read() -> list[KeptErrand]:
        async with stores_of(ctx) as stores:
            return list(await stores.errands.errands(state=ErrandState.FAILED if failed else None, limit=limit))

    errands = wait_for(read())
    if as_json:
        print_json([as_json_object(kept, reveal=reveal) for kept in errands])
        return
    rows = [
        [
            kept.assignment.errand.key,
            f"{kept.assignment.at.astimezone(zone):%d-%m %H:%M:%S}",
            kind_of(kept.assignment.errand),
            kept.assignment.connector,
            str(_hidden(_about(kept), reveal=reveal)),
            kept.state.value,
            str(kept.attempts),
            str(_hidden(kept.result or kept.reason, reveal=reveal)),
        ]
        for kept in errands
    ]
    columns = ["errand", "asked", "what", "connector", "about", "state", "attempts", "result"]
    print_table(columns, rows, empty="No errand has failed." if failed else "No errands.")


@command.command()
@click.argument("key", required=False)
@click.option("--failed", is_flag=True, help="Every errand that failed, instead of one.")
@click.pass_context
def retry(ctx: click.Context, key: str | None, failed: bool) -> None:
    """Try the errand KEY again at once, also one that failed."""
    if (key is None) != failed:
        raise click.UsageError("give the KEY of an errand, or --failed")

    async def again() -> int:
        async with stores_of(ctx) as stores:
            now = datetime.now(UTC)
            if key is None:
                return await stores.errands.retry_failed(at=now)
            return int(await stores.errands.retry(key, at=now))

    count = wait_for(again())
    if key is not None and not count:
        raise click.ClickException(f"there is no errand {key} that is not done; `ivr errands` shows those there are")
    click.echo(f"Errand {key} is tried again." if key is not None else f"{count} errands are tried again.")


def as_json_object(kept: KeptErrand, *, reveal: bool) -> Json:
    """An errand in the stable shape of `ivr errands --json`."""
    assignment = kept.assignment
    content = {
        name: value for name, value in content_of(assignment.errand).items() if name not in ("key", "contact_id")
    }
    return {
        "key": assignment.errand.key,
        "kind": kind_of(assignment.errand),
        "connector": assignment.connector,
        "contact": assignment.contact_id,
        "customer": assignment.customer_id,
        "state": kept.state.value,
        "attempts": kept.attempts,
        "asked_at": utc(assignment.at),
        "not_before": utc(kept.not_before) if kept.state is ErrandState.WAITING else None,
        "ended_at": utc(kept.ended_at),
        "result": kept.result,
        "reason": _hidden(kept.reason, reveal=reveal),
        "content": _hidden(content, reveal=reveal),
    }


def _hidden(value: Json, *, reveal: bool) -> Json:
    return value if reveal else masked(value)


def _about(kept: KeptErrand) -> str:
    match kept.assignment.errand:
        case Ticket() as ticket:
            told = ticket.subject
        case Message() as message:
            told = f"{message.kind} to {message.to}"
        case ContactNote() as note:
            told = note.text.partition("\n")[0]
    return told if len(told) <= MOST_SHOWN else f"{told[:MOST_SHOWN].rstrip()}…"
