"""`ivr flows`: the versions of flows: which there were, which of them calls get, and giving calls another one."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from ivr.cli.flow_table import as_json_object, as_json_objects, print_flows, why
from ivr.cli.opening import config_of, stores_of, wait_for
from ivr.cli.output import print_json
from ivr.config.model import Config
from ivr.configured import sources_of
from ivr.domain.flow_version import FlowChoice, KeptFlows, Origin
from ivr.flow.choosing import Chooser
from ivr.flow.drafted import drafted
from ivr.flow.history import FlowHistory
from ivr.flow.loader import load
from ivr.store.stores import Stores
from ivr.yamlfile.problem import did_you_mean

Choosing = Callable[[Chooser], FlowChoice | None]

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Every version there was, not only the latest five.")
@as_json_option
@click.pass_context
def command(ctx: click.Context, everything: bool, as_json: bool) -> None:
    """List flows with their versions, the calls each had, and what calls get now; or give calls another version.

    Running engines follow within a second. Calls in progress keep the version they began with.
    """
    if ctx.invoked_subcommand is None:
        wait_for(_list(ctx, everything=everything, as_json=as_json))


@command.command()
@click.argument("flow")
@click.argument("version", required=False)
@as_json_option
@click.pass_context
def rollback(ctx: click.Context, flow: str, version: str | None, as_json: bool) -> None:
    """Return FLOW to VERSION: the one before without it, `files` for what the files hold.

    It comes back with the flows and texts it was checked with. A later change of the files makes them current again.
    """
    wait_for(_choose(ctx, flow, lambda chooser: chooser.roll_back(version), as_json=as_json))


@command.command()
@click.argument("flow")
@click.argument("version", metavar="VERSION|files|DRAFT.yaml")
@click.option("--percent", required=True, type=click.IntRange(1, 99), help="The share of calls that gets it.")
@as_json_option
@click.pass_context
def canary(ctx: click.Context, flow: str, version: str, percent: int, as_json: bool) -> None:
    """Give a share of the calls that begin in FLOW another version; the others get what they get now.

    `files`: what the files hold; while all calls have that, the others return to the version before. DRAFT.yaml: a
    file that says FLOW anew, so that nothing in the files has to change.
    """
    wanted = wait_for(_keep_draft(ctx, flow, Path(version).absolute())) if version.endswith(".yaml") else version
    wait_for(_choose(ctx, flow, lambda chooser: chooser.try_out(wanted, percent), as_json=as_json))


@command.command()
@click.argument("flow")
@as_json_option
@click.pass_context
def promote(ctx: click.Context, flow: str, as_json: bool) -> None:
    """Give all calls that begin in FLOW the version that a share of them gets now."""
    wait_for(_choose(ctx, flow, Chooser.promote, as_json=as_json))


@command.command()
@click.argument("flow")
@as_json_option
@click.pass_context
def stop(ctx: click.Context, flow: str, as_json: bool) -> None:
    """Give no more calls the version that a share of them gets now."""
    wait_for(_choose(ctx, flow, Chooser.stop, as_json=as_json))


async def _list(ctx: click.Context, *, everything: bool, as_json: bool) -> None:
    config = config_of(ctx)
    zone = ZoneInfo(config.organisation.time_zone)
    async with stores_of(ctx) as stores:
        history = await _history(stores)
        calls = await stores.flows.calls()
    if as_json:
        print_json(as_json_objects(history, calls))
        return
    print_flows(history, calls, zone, everything=everything)
    for flow in history.flows:
        if history.choice(flow) is not None:
            click.echo(f"\n{why(history, flow, zone)}")


async def _choose(ctx: click.Context, flow: str, choosing: Choosing, *, as_json: bool) -> None:
    config = config_of(ctx)
    async with stores_of(ctx) as stores:
        history = await _history(stores)
        _refuse_unless_calls_begin_in(flow, config, history)
        try:
            choice = choosing(Chooser(history, flow, datetime.now(UTC), getpass.getuser()))
        except ValueError as error:
            raise click.ClickException(str(error)) from error
        if choice is None:
            await stores.flows.forget(flow)
        else:
            await _refuse_unless_right(stores, config, history, choice)
            await stores.flows.choose(choice)
        history, calls = await _history(stores), await stores.flows.calls()
    if as_json:
        print_json(as_json_object(history, flow, calls))
    else:
        click.echo(why(history, flow, ZoneInfo(config.organisation.time_zone)))


async def _history(stores: Stores) -> FlowHistory:
    return FlowHistory(await stores.flows.history(), await stores.flows.choices())


async def _keep_draft(ctx: click.Context, flow: str, file: Path) -> str:
    """Keep the flows with what a file says of one of them, and give its version. Raises InvalidFiles."""
    name, flows = drafted(replace(sources_of(config_of(ctx)), shown_from=Path.cwd()), file)
    if name != flow:
        raise click.BadParameter(f"{file.name} says flow '{name}', not '{flow}'", param_hint="DRAFT.yaml")
    # The other flows of the set are those of the files: it is no version of theirs.
    kept = KeptFlows(flows.id, datetime.now(UTC), getpass.getuser(), Origin.DRAFT, {name: flows.flows[name].version})
    async with stores_of(ctx) as stores:
        await stores.flows.keep(kept, flows.files)
    return kept.versions[name]


def _refuse_unless_calls_begin_in(flow: str, config: Config, history: FlowHistory) -> None:
    if flow not in history.flows:
        known = did_you_mean(flow, history.flows) if history.flows else "no flows have been taken over yet"
        raise click.BadParameter(f"there is no flow '{flow}'; {known}", param_hint="FLOW")
    begin = sorted({entry.flow for entry in config.entries} | {config.callbacks.flow, config.callbacks.outage_flow})
    if flow not in begin:
        where = ", ".join(begin)
        message = f"no call begins in '{flow}': its version goes with the flow that a call begins in ({where})"
        raise click.BadParameter(message, param_hint="FLOW")


async def _refuse_unless_right(stores: Stores, config: Config, history: FlowHistory, choice: FlowChoice) -> None:
    """A version may name a queue or a kind of step that is gone. Raises InvalidFiles."""
    for version in (choice.version, choice.candidate):
        for period in history.matching(choice.flow, version) if version else ():
            load(replace(sources_of(config), given=await stores.flows.files(period.set_id)))
