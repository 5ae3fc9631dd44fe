"""`ivr run`: the engine, until it is stopped."""

from __future__ import annotations

import click

from ivr.cli.opening import config_of
from ivr.cli.serving import serve
from ivr.logs import configure


@click.command()
@click.option("--journeys", is_flag=True, help="Print what happens in each call, in words.")
@click.pass_context
def command(ctx: click.Context, journeys: bool) -> None:
    """Take calls until stopped by Ctrl-C or SIGTERM; calls in progress are let finish."""
    config = config_of(ctx)
    configure(config.log)
    serve(config, journeys=journeys)
