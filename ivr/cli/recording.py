"""`ivr test --record`: a call of the journal as a scenario, tried at once."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

import click

from ivr.cli.opening import stores_of
from ivr.cli.outside import identify, setting_of
from ivr.config.model import Config
from ivr.configured import sources_of
from ivr.errors import InvalidFiles
from ivr.flow.loader import load
from ivr.simulation.recording import recorded
from ivr.simulation.scenario import scenarios_in
from ivr.simulation.trial import try_out
from ivr.yamlfile.reading import parse

SHOWN = "the recorded scenario"


async def print_recorded(ctx: click.Context, config: Config, call_id: str, *, reveal: bool) -> None:
    """Print the scenario of a call; on standard error, in what the flows of now differ from it.

    Raises:
        ClickException: there is no such call, or it has not ended.
        InvalidFiles: the flows contain mistakes.
        StoreUnavailable: the journal cannot be read.
    """
    async with stores_of(ctx) as stores:
        told = await stores.contacts.contacts(contact_id=call_id, limit=1)
    if not told:
        raise click.ClickException(f"there is no call {call_id} in the journal")
    contact, events = told[0]
    if not contact.flow or contact.outcome is None:
        raise click.ClickException(f"call {call_id} has not come to its end")
    caller = await identify(config, contact.number or "") if contact.customer_id else None
    flows = load(sources_of(config))
    text = recorded(contact, events, caller, ZoneInfo(config.organisation.time_zone), flows, reveal=reveal)
    click.echo(text, nl=False)
    written, problems = scenarios_in(parse(text, SHOWN), SHOWN, flows, config.regions)
    if problems:
        click.echo(f"ivr: the flows are not those of that call any more\n{InvalidFiles(problems)}", err=True)
        return
    verdict = await try_out(written[0], flows, setting_of(config), partial(identify, config))
    if verdict.difference:
        click.echo(
            f"ivr: played now, it differs: line {verdict.difference.line}: {verdict.difference.message}", err=True
        )
