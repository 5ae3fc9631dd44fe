"""`ivr robot`: a telephone that dials, presses, listens and reports."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ivr.app import personal_files, prompts_of
from ivr.config.loading import load
from ivr.config.model import Config, Log
from ivr.config.units import seconds
from ivr.logs import configure
from ivr.robot.journey import Journey
from ivr.robot.performing import perform
from ivr.robot.prompts import KnownPrompts
from ivr.robot.script import HangUp, Moment, Press, Script, read_moment, read_press
from ivr.robot.sip_message import address_of
from ivr.robot.sound_file import sound_files
from ivr.robot.user_agent import UserAgent


class Written(click.ParamType[Any]):
    """An option that a function reads; what the function raises is shown as wrong usage."""

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("sip_uri", required=False, type=Written("SIP address", lambda text: address_of(text) and text))
@click.option("--caller", default="", metavar="NUMBER", help="The number that calls.  [default: none shown]")
@click.option("--withheld", is_flag=True, help="Withhold the caller's number, as trunks do.")
@click.option(
    "--press",
    "presses",
    multiple=True,
    type=Written("keys@moment", read_press),
    help="Press keys: 1@3.5s after the answer, 1@main_menu when that prompt is recognised, "
    "1@main_menu:end+500ms after its end. May be given again.",
)
@click.option("--hang-up-after", type=Written("moment", read_moment), help="Hang up: 20s, goodbye, goodbye:end.")
@click.option("--menu", "menus", multiple=True, metavar="PROMPT", help="After this prompt silence is the caller's.")
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="Write what is heard to a WAV file.")
@click.option(
    "--prompts",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folders with the sound files to listen for.  [default: what the flows of config.yaml say]",
)
@click.option("--limit", default="60s", show_default=True, type=Written("duration", seconds), help="Hang up then.")
@click.option("--json", "as_json", is_flag=True, help="Print the journey as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    sip_uri: str | None,
    caller: str,
    withheld: bool,
    presses: tuple[Press, ...],
    hang_up_after: Moment | None,
    menus: tuple[str, ...],
    record: Path | None,
    folders: tuple[Path, ...],
    limit: float,
    as_json: bool,
) -> None:
    """Call SIP_URI as a caller would, and report what was heard and every stretch of dead air.

    Without SIP_URI the Asterisk of config.yaml is called.

    Exit codes: 0 all as expected; 1 the call failed, dead air lasted over 300 ms, or a key's moment never came;
    2 wrong usage.
    """
    config = load(ctx.obj) if sip_uri is None or not folders else None
    configure(Log(level="warning") if config is None else config.log.model_copy(update={"level": "warning"}))
    script = Script((*presses, *([HangUp(hang_up_after)] if hang_up_after else [])), limit, frozenset(menus))
    known = _known(config, folders)
    if not folders:
        _require_known(script, known)
    target = sip_uri or _default_target(config)
    journey = asyncio.run(_call(target, caller, withheld, script, known, record))
    if as_json:
        click.echo(json.dumps(journey.as_json(), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(journey.lines()))
    ctx.exit(0 if journey.as_expected else 1)


def _known(config: Config | None, folders: tuple[Path, ...]) -> KnownPrompts:
    if config is None or folders:
        return KnownPrompts(sound_files(*folders), lambda: sound_files(*folders))
    return KnownPrompts(asyncio.run(prompts_of(config)), lambda: personal_files(config))


def _require_known(script: Script, known: KnownPrompts) -> None:
    """A prompt that no flow says would be waited for in vain."""
    for name in sorted(script.prompts - known.names):
        if not name.startswith("personal/"):
            near = difflib.get_close_matches(name, known.names, 1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"no flow says a prompt '{name}'{hint}")


def _default_target(config: Config | None) -> str:
    if config is None:
        raise click.UsageError("say which SIP address to call")
    private = config.asterisk.private
    return f"sip:100@{private.sip_host}:{private.sip_port}"


async def _call(
    target: str, caller: str, withheld: bool, script: Script, known: KnownPrompts, record: Path | None
) -> Journey:
    async with UserAgent(known=known) as telephone:
        call = await telephone.call(target, caller_number=caller, privacy=withheld)
        return await perform(call, script, record=record)
