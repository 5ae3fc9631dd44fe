"""`ivr simulate`: plays a flow in the terminal, with no Asterisk: what a caller hears and presses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from ivr.app import sources_of
from ivr.cli.opening import config_of, wait_for
from ivr.cli.output import print_json
from ivr.cli.outside import identify, setting_of
from ivr.config.model import Config
from ivr.domain.contact import EventKind, Json
from ivr.domain.outage import Outage, OutageId
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.simulation.play_through import PlayedThrough, play_through, read_script
from ivr.simulation.scripted_channel import Act
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.virtual_clock import VirtualClock
from ivr.yamlfile.problem import did_you_mean

SHOWN = {
    EventKind.PICKED_UP: "picks up",
    EventKind.PROMPT: "says",
    EventKind.DIGITS: "caller presses",
    EventKind.NO_INPUT: "caller is silent",
    EventKind.WRONG_INPUT: "not offered",
    EventKind.REASON: "reason",
    EventKind.VERIFIED: "proves identity",
    EventKind.OUTAGE_TOLD: "told outage",
    EventKind.CALLBACK_BOOKED: "promises call",
    EventKind.TRIAGE_RESULT: "triage",
    EventKind.QUEUED: "to queue",
    EventKind.ERROR: "ERROR",
    EventKind.HUNG_UP: "caller hangs up",
}
"""The events that are shown, and the particulars' place after them."""


@click.command()
@click.argument("flow")
@click.option("--caller", default="", help="The number that calls, such as +31612345678; withheld without it.")
@click.option("--press", default="", help="What the caller does: 1,2 keys; 0612345678# many; - silence; x hangs up.")
@click.option("--at", "moment", default="", help="When, local time, such as 2026-11-21T10:00.  [default: now]")
@click.option("--outage", "regions", multiple=True, help="A region with an outage. May be given more than once.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: {events, outcome, reason}.")
@click.pass_context
def command(
    ctx: click.Context, flow: str, caller: str, press: str, moment: str, regions: tuple[str, ...], as_json: bool
) -> None:
    """Play FLOW in the terminal for a caller who is looked up as in a real call.

    Exit codes: 0 played, 1 the flows have problems, 2 wrong usage.
    """
    config = config_of(ctx)
    flows = load(sources_of(config))
    if flow not in flows.flows:
        raise click.BadParameter(f"there is no flow '{flow}'; {did_you_mean(flow, flows.flows)}", param_hint="FLOW")
    zone = ZoneInfo(config.organisation.time_zone)
    start, script = _moment(moment, zone), _script(press)
    for region in regions:
        if region not in config.regions:
            hint = did_you_mean(region, config.regions)
            raise click.BadParameter(f"'{region}' is not a region in config.yaml; {hint}", param_hint="--outage")
    played = wait_for(_play(config, flows, flow, caller, script, start, regions))
    if as_json:
        print_json(played.as_json())
    else:
        _show(played, zone)


async def _play(
    config: Config,
    flows: FlowSet,
    flow: str,
    number: str,
    script: Sequence[Act],
    start: datetime,
    regions: Sequence[str],
) -> PlayedThrough:
    caller, setting, prompts = await identify(config, number), setting_of(config), SpokenPrompts()
    outages = [Outage(OutageId(f"simulated-{region}"), start, region) for region in regions]
    return await play_through(
        flows,
        flow,
        setting.services_at(VirtualClock(start), prompts, outages, setting.desk(start)),
        prompts,
        lambda: caller,
        script,
        limits=setting.limits,
        direction=setting.direction(flow),
    )


def _moment(text: str, zone: ZoneInfo) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"'{text}' is not a moment; write such as 2026-11-21T10:00", param_hint="--at"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _script(text: str) -> Sequence[Act]:
    try:
        return read_script(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--press") from error


def _show(played: PlayedThrough, zone: ZoneInfo) -> None:
    for at, kind, step, detail in played.events():
        if kind in SHOWN:
            said = _particulars(kind, detail)
            click.echo(
                f"{at.astimezone(zone):%H:%M:%S}  {SHOWN[kind]:<16} {said}".rstrip() + f"   [{step}]" * bool(step)
            )
        key = detail.get("key")
        if kind is EventKind.PROMPT and key:
            click.echo(f"{'':8}  (interrupted by {key})")
    reason = f", reason {played.ending.reason}" if played.ending.reason else ""
    click.echo(f"outcome {played.ending.outcome.value}{reason}")


def _particulars(kind: EventKind, detail: dict[str, Json]) -> str:
    if kind is EventKind.PROMPT:
        return str(detail["text"] or f"(recording {detail['prompt']})")
    return " ".join(str(value) for value in detail.values() if not isinstance(value, list))
