"""`ivr callbacks`: the promises, where each stands, and cancelling one."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from ivr.cli.opening import config_of, stores_of, wait_for
from ivr.cli.output import masked, print_json, print_table, utc
from ivr.domain.callback import Callback, CallbackId, CallbackState
from ivr.domain.contact import Json
from ivr.domain.line import mask


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also those that have ended.")
@click.option("--cancel", metavar="ID", help="Cancel a promise; the customer will not be called.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--reveal", is_flag=True, help="Show telephone numbers in full.")
@click.pass_context
def command(ctx: click.Context, everything: bool, cancel: str | None, limit: int, as_json: bool, reveal: bool) -> None:
    """Show the promises to call, soonest first, and what became of each attempt."""
    zone = ZoneInfo(config_of(ctx).organisation.time_zone)
    if cancel is not None:
        if not wait_for(_cancel(ctx, cancel)):
            raise click.ClickException(f"there is no open callback {cancel}; `ivr callbacks` shows those there are")
        click.echo(f"Callback {cancel} is cancelled.", err=as_json)

    async def read() -> list[Callback]:
        async with stores_of(ctx) as stores:
            return list(await stores.callbacks.callbacks(only_open=not everything, limit=limit))

    callbacks = wait_for(read())
    if as_json:
        print_json([as_json_object(callback, reveal=reveal) for callback in callbacks])
        return
    rows = [
        [
            callback.id,
            callback.request.number if reveal else mask(callback.request.number),
            callback.request.queue or "-",
            callback.request.purpose.value,
            f"{callback.request.window.start.astimezone(zone):%a %d-%m %H:%M}"
            f"-{callback.request.window.end.astimezone(zone):%H:%M}",
            callback.state.value,
            ", ".join(attempt.outcome.value for attempt in callback.attempts) or "-",
            callback.reason,
        ]
        for callback in callbacks
    ]
    print_table(
        ["callback", "number", "queue", "for", "window", "state", "attempts", "why"], rows, empty="No callbacks."
    )


async def _cancel(ctx: click.Context, callback_id: str) -> bool:
    async with stores_of(ctx) as stores:
        return await stores.callbacks.move(
            CallbackId(callback_id), CallbackState.CANCELLED, at=datetime.now(UTC), reason="cancelled by hand"
        )


def as_json_object(callback: Callback, *, reveal: bool) -> Json:
    """A promise in the stable shape of `ivr callbacks --json`."""
    request = callback.request
    return {
        "id": callback.id,
        "number": request.number if reveal else masked(request.number),
        "customer": request.customer_id,
        "queue": request.queue or None,
        "purpose": request.purpose.value,
        "language": request.language.value,
        "window": {"start": utc(request.window.start), "end": utc(request.window.end)},
        "state": callback.state.value,
        "reason": callback.reason,
        "created_at": utc(callback.created_at),
        "not_before": utc(callback.not_before),
        "ended_at": utc(callback.ended_at),
        "attempts": [
            {
                "id": attempt.id,
                "started_at": utc(attempt.started_at),
                "ended_at": utc(attempt.ended_at),
                "outcome": attempt.outcome.value,
            }
            for attempt in callback.attempts
        ],
    }
