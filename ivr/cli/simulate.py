"""`ivr simulate`: plays a flow in the terminal, with no Asterisk: what a caller hears and presses."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
from click.core import ParameterSource

from ivr.cli.keyboard import keyboard
from ivr.cli.opening import config_of, wait_for
from ivr.cli.output import print_json
from ivr.cli.outside import identify, setting_of
from ivr.clock import SystemClock
from ivr.config.model import Config
from ivr.configured import sources_of
from ivr.domain.contact import EventKind, Json
from ivr.domain.errand import content_of
from ivr.domain.outage import Outage, OutageId
from ivr.domain.speech import Audio
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.flow.session import Services
from ivr.ports import Clock
from ivr.simulation.audible_prompts import AudiblePrompts
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.expected_errands import message_shown, ticket_shown
from ivr.simulation.keyboard_channel import KeyboardChannel, ShiftedClock
from ivr.simulation.loudspeaker import Loudspeaker
from ivr.simulation.play_through import HeardChannel, PlayedThrough, play_over, play_through, read_script
from ivr.simulation.scripted_channel import Act, ScriptedChannel, Sounding, unheard
from ivr.simulation.scripted_services import ScriptedErrands
from ivr.simulation.setting import Setting
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.transcript import Noted
from ivr.simulation.virtual_clock import VirtualClock
from ivr.speech.engines import engine
from ivr.speech.library import PromptLibrary
from ivr.yamlfile.problem import did_you_mean

SHOWN = {
    EventKind.PICKED_UP: "picks up",
    EventKind.PROMPT: "says",
    EventKind.DIGITS: "caller presses",
    EventKind.NO_INPUT: "caller is silent",
    EventKind.WRONG_INPUT: "not offered",
    EventKind.REASON: "reason",
    EventKind.RECOGNISED: "keys identity",
    EventKind.VERIFIED: "proves identity",
    EventKind.LOOKED_UP: "looks up",
    EventKind.OUTAGE_TOLD: "told outage",
    EventKind.CALLBACK_BOOKED: "promises call",
    EventKind.NOTICE_PROMISED: "promises news",
    EventKind.TRIAGE_RESULT: "triage",
    EventKind.TICKET: "ticket",
    EventKind.MESSAGE: "message",
    EventKind.RECORDED: "caller speaks",
    EventKind.MESSAGE_LEFT: "message left",
    EventKind.CALL_RECORDING: "records call",
    EventKind.SURVEY_ANSWER: "survey",
    EventKind.QUEUED: "to queue",
    EventKind.TRANSFERRED: "transfers to",
    EventKind.ERROR: "ERROR",
    EventKind.HUNG_UP: "caller hangs up",
}
"""The events that are shown, and the particulars' place after them."""


@click.command()
@click.argument("flow")
@click.option("--caller", default="", help="The number that calls, such as +31612345678; withheld without it.")
@click.option(
    "--press", default="", help="What the caller does: 1,2 or 0612345678# keys; - silence; 6s speech; x hangs up."
)
@click.option("--at", "moment", default="", help="When, local time, such as 2026-11-21T10:00.  [default: now]")
@click.option("--outage", "regions", multiple=True, help="A region with an outage. May be given more than once.")
@click.option("--audio", is_flag=True, help="Let it be heard too, on this machine's loudspeaker.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: {events, outcome, reason, tickets, messages}.")
@click.pass_context
def command(
    ctx: click.Context,
    flow: str,
    caller: str,
    press: str,
    moment: str,
    regions: tuple[str, ...],
    audio: bool,
    as_json: bool,
) -> None:
    """Play FLOW in the terminal for a caller who is looked up as in a real call.

    Without --press, in a terminal, you are the caller: press keys while it plays, the space bar to hear no more of
    a line, x to hang up. With --audio it takes the time of a real call, and a key cuts off what is heard.

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
    typed = not as_json and ctx.get_parameter_source("press") is ParameterSource.DEFAULT and sys.stdin.isatty()
    call = _Call(config, flows, flow, caller, start, regions)
    if typed or audio:
        played = wait_for(_live(call, None if typed else script, audio=audio, shown_in=None if as_json else zone))
    else:
        played = wait_for(_play(call, script))
    if as_json:
        tickets: list[Json] = [content_of(ticket) for ticket in call.errands.tickets]
        messages: list[Json] = [content_of(message) for message in call.errands.messages]
        print_json({**played.as_json(), "tickets": tickets, "messages": messages})
        return
    if not (typed or audio):
        _show(played, zone)
    for ticket in call.errands.tickets:
        click.echo(f"ticket {ticket_shown(ticket)}")
    for message in call.errands.messages:
        click.echo(f"message {message_shown(message)}")
    click.echo(_ending(played))


@dataclass(frozen=True, slots=True)
class _Call:
    """Who calls when, and what for a world they call into."""

    config: Config
    flows: FlowSet
    flow: str
    number: str
    start: datetime
    regions: Sequence[str]
    errands: ScriptedErrands = field(default_factory=ScriptedErrands)

    def services(self, setting: Setting, clock: Clock, prompts: SpokenPrompts) -> Services:
        """What the flow asks of the outside."""
        outages = [Outage(OutageId(f"simulated-{region}"), self.start, region) for region in self.regions]
        return setting.services_at(clock, prompts, outages, setting.desk(self.start), self.errands)


async def _play(call: _Call, script: Sequence[Act]) -> PlayedThrough:
    caller, setting, prompts = await identify(call.config, call.number), setting_of(call.config), SpokenPrompts()
    return await play_through(
        call.flows,
        call.flow,
        call.services(setting, VirtualClock(call.start), prompts),
        prompts,
        DescribedEnquiry(lambda: caller),
        script,
        limits=setting.limits,
        direction=setting.direction(call.flow),
    )


async def _live(call: _Call, script: Sequence[Act] | None, *, audio: bool, shown_in: ZoneInfo | None) -> PlayedThrough:
    """A call in real time, with the keyboard for a telephone where there is no script."""
    caller, setting = await identify(call.config, call.number), setting_of(call.config)
    async with AsyncExitStack() as opened:
        prompts: SpokenPrompts = SpokenPrompts()
        heard: Sounding = unheard
        if audio:
            prompts = audible = await opened.enter_async_context(_audible(call.config))
            heard = audible.sounding
        clock = ShiftedClock(call.start, SystemClock())

        @asynccontextmanager
        async def sounding(audio: Audio) -> AsyncIterator[None]:
            if shown_in is not None:
                said = prompts.said(audio)
                words = said.text or f"(recording {said.name})"
                click.echo(_line(clock.now(), shown_in, EventKind.PROMPT, words, ""))
            async with heard(audio):
                yield

        def happened(noted: Noted) -> None:
            if shown_in is not None and noted.kind in SHOWN and noted.kind is not EventKind.PROMPT:
                particulars = _particulars(noted.kind, noted.detail)
                click.echo(_line(noted.at, shown_in, noted.kind, particulars, noted.step))

        channel: HeardChannel
        if script is None:
            click.echo("press keys; space: hear no more of this line; x: hang up")
            channel = KeyboardChannel(clock, prompts, opened.enter_context(keyboard()), sounding)
        else:
            channel = ScriptedChannel(clock, prompts, script, sounding=sounding)
        return await play_over(
            channel,
            call.flows,
            call.flow,
            call.services(setting, clock, prompts),
            DescribedEnquiry(lambda: caller),
            limits=setting.limits,
            direction=setting.direction(call.flow),
            also=happened,
        )


@asynccontextmanager
async def _audible(config: Config) -> AsyncIterator[AudiblePrompts]:
    """Prompts as the engine makes them."""
    library = PromptLibrary(config.speech, engine(config.speech), SystemClock())
    await library.open()
    try:
        yield AudiblePrompts(library=library, loudspeaker=Loudspeaker(_complain), complain=_complain)
    finally:
        await library.close()


def _complain(what: str) -> None:
    click.echo(f"ivr: {what}", err=True)


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
            click.echo(_line(at, zone, kind, _particulars(kind, detail), step))
        key = detail.get("key")
        if kind is EventKind.PROMPT and key:
            click.echo(f"{'':8}  (interrupted by {key})")


def _ending(played: PlayedThrough) -> str:
    reason = f", reason {played.ending.reason}" if played.ending.reason else ""
    return f"outcome {played.ending.outcome.value}{reason}"


def _line(at: datetime, zone: ZoneInfo, kind: EventKind, what: str, step: str) -> str:
    return f"{at.astimezone(zone):%H:%M:%S}  {SHOWN[kind]:<16} {what}".rstrip() + f"   [{step}]" * bool(step)


def _particulars(kind: EventKind, detail: dict[str, Json]) -> str:
    if kind is EventKind.PROMPT:
        return str(detail["text"] or f"(recording {detail['prompt']})")
    return " ".join(str(value) for value in detail.values() if not isinstance(value, list))
