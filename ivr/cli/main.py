"""The `ivr` command: what an operator, an admin or a script asks of Klantlijn."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from ivr.config.model import Log
from ivr.errors import InvalidFiles, IvrError
from ivr.logs import configure

COMMANDS = (
    "run",
    "check",
    "test",
    "schema",
    "graph",
    "simulate",
    "flows",
    "replay",
    "calls",
    "triage",
    "outage",
    "split",
    "callbacks",
    "errands",
    "voicemails",
    "integrations",
    "doctor",
    "robot",
)


class Commands(click.Group):
    """Loads a command's module when it is asked for, and gives every command `--config`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"ivr.cli.{cmd_name}").command
        _offer_config(command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        # The one place where our errors become lines on a screen.
        try:
            return super().invoke(ctx)
        except InvalidFiles as error:
            click.echo(str(error), err=True)
            ctx.exit(1)
        except IvrError as error:
            click.echo(f"ivr: {error}", err=True)
            ctx.exit(1)


def _offer_config(command: click.Command) -> None:
    if isinstance(command, click.Group):
        for child in command.commands.values():
            _offer_config(child)
        if not command.invoke_without_command:
            return
    if not any(parameter.name == "config" for parameter in command.params):
        command.params.append(_config_option())


def _config_option() -> click.Option:
    return click.Option(
        ["--config"],
        type=click.Path(path_type=Path),
        expose_value=False,
        is_eager=True,
        callback=_remember,
        help="The configuration file.  [default: ./config.yaml]",
    )


def _remember(ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.obj = value
    elif ctx.obj is None:
        ctx.obj = Path("config.yaml")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Klantlijn: a telephone IVR that knows who calls and why.

    Exit codes: 0 done, 1 it could not be done or something is wrong (the message says what), 2 wrong usage.
    """
    # On standard error, so that it never mixes with what was asked for; `ivr run` sets up its own.
    configure(Log(level="warning"))


main.params.append(_config_option())
