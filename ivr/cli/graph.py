"""`ivr graph`: a flow as a picture, with the share of callers on each way if asked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from ivr.cli.opening import config_of, stores_of, wait_for
from ivr.cli.since import since_when
from ivr.configured import sources_of
from ivr.flow.drafts import read_flow
from ivr.flow.loader import load
from ivr.flow.mermaid import mermaid
from ivr.flow.picture import Went, count_calls, picture
from ivr.flow.svg import svg
from ivr.flow.ways import FlowMap
from ivr.yamlfile.problem import did_you_mean

MOST_CALLS = 10_000
"""The latest so many calls are counted."""


@click.command()
@click.argument("flow")
@click.option("--svg", "image", type=click.Path(path_type=Path, dir_okay=False), help="Write an SVG image.")
@click.option(
    "--calls", "since", metavar="SINCE", help="Show the share of callers on each way: today, 2h, 2026-11-22T10:00."
)
@click.pass_context
def command(ctx: click.Context, flow: str, image: Path | None, since: str | None) -> None:
    """Show FLOW as a picture: Mermaid text, or an SVG image.

    Exit codes: 0 shown, 1 the flows have problems, 2 wrong usage.
    """
    config = config_of(ctx)
    sources = sources_of(config)
    load(sources)
    maps = FlowMap.all_of([read_flow(path, sources.shown(path)) for path in sources.flow_files()])
    found = next((one for one in maps if one.flow == flow), None)
    if found is None:
        hint = did_you_mean(flow, [one.flow for one in maps])
        raise click.BadParameter(f"there is no flow '{flow}'; {hint}", param_hint="FLOW")
    went = wait_for(_went(ctx, found, since, ZoneInfo(config.organisation.time_zone))) if since else None
    shown = picture(found, went)
    if image is None:
        click.echo(mermaid(shown), nl=False)
        return
    try:
        image.write_text(svg(shown), encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(image), error.strerror) from error


async def _went(ctx: click.Context, found: FlowMap, since: str, zone: ZoneInfo) -> Went:
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight if since == "today" else since_when(since, zone)
    async with stores_of(ctx) as stores:
        told = await stores.contacts.contacts(since=start, limit=MOST_CALLS)
    return count_calls(found, [(contact.flow, events) for contact, events in told])
