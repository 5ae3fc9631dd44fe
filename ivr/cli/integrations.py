"""`ivr integrations`: which there are, writing and checking one, and trying a connector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ivr.cli.connector_trial import Part, Sought, trial_of
from ivr.cli.opening import config_of, wait_for
from ivr.cli.output import masked, print_json, print_table
from ivr.connectors.catalog import Catalog
from ivr.connectors.inspection import Shortcoming, shortcomings
from ivr.connectors.manifest import Manifest
from ivr.connectors.scaffold import write_integration
from ivr.domain.contact import Json
from ivr.domain.line import PhoneNumber, parse_number
from ivr.errors import SetupError

FINE, WRONG = 0, 1


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of {name, title, capabilities}.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the integrations, or write, check and try them."""
    if ctx.invoked_subcommand is not None:
        return
    catalog = Catalog()
    manifests: list[Manifest] = []
    for name in catalog.names():
        try:
            manifests.append(catalog.manifest(name))
        except SetupError as error:
            click.echo(error.args[0], err=True)
    if as_json:
        print_json([{"name": m.name, "title": m.title, "capabilities": [*sorted(m.capabilities)]} for m in manifests])
    else:
        rows = [[m.name, m.title, ", ".join(sorted(m.capabilities))] for m in manifests]
        print_table(["integration", "connects", "can"], rows, empty="There are no integrations.")
    ctx.exit(FINE if len(manifests) == len(catalog.names()) else WRONG)


@command.command()
@click.argument("name")
def new(name: str) -> None:
    """Write a new integration, with its page and its tests, which pass as they are.

    It asks a system over HTTP with a key; change what your system does in another way.
    """
    integrations = Catalog().folder
    tests = integrations.parent / "tests" / "integrations"
    try:
        written = write_integration(name, integrations, tests)
    except SetupError as error:
        raise click.ClickException(str(error.args[0])) from error
    for path in written:
        click.echo(f"wrote {_shown(path)}")
    client, own_tests = _shown(integrations / name / "client.py"), _shown(tests / name)
    click.echo(f"\nNext: make {client} speak with your system, and mapping.py read its answers; then run")
    click.echo(f"`pytest {own_tests}` and `ivr integrations check {name}`. docs/connectors.md says more.")


@command.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of {integration, file, message}.")
@click.pass_context
def check(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """Check one integration, or all: manifest, modules, settings, capabilities, page and tests.

    Exit codes: 0 all is well, 1 something is not, or there is no such integration.
    """
    catalog = Catalog()
    names = [name] if name is not None else catalog.names()
    try:
        found: list[Shortcoming] = [each for one in names for each in shortcomings(catalog, one)]
    except SetupError as error:
        raise click.ClickException(str(error.args[0])) from error
    if as_json:
        print_json([{"integration": e.integration, "file": _shown(e.file), "message": e.message} for e in found])
    else:
        for each in found:
            click.echo(f"{_shown(each.file)}: {each.message}")
        click.echo(
            f"{len(found)} problem{'s' if len(found) != 1 else ''} in {', '.join(names)}" if found else _fine(names)
        )
    ctx.exit(WRONG if found else FINE)


@command.command("try")
@click.argument("name")
@click.option("--number", metavar="NUMBER", help="Whom to find, by the number that calls.")
@click.option("--email", metavar="ADDRESS", help="Whom to find, by an e-mail address.")
@click.option("--customer", metavar="NUMBER", help="Whom to find, by a customer number.")
@click.option("--write", is_flag=True, help="Also note a contact and open a ticket, which say that they are a test.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--reveal", is_flag=True, help="Show telephone numbers in full.")
@click.pass_context
def try_(
    ctx: click.Context,
    name: str,
    number: str | None,
    email: str | None,
    customer: str | None,
    write: bool,
    as_json: bool,
    reveal: bool,
) -> None:
    """Ask a connector of config.yaml; show what comes back, and how long each part took.

    NAME is one under `connectors`. Nothing is written there without --write.

    Exit codes: 0 every part answered, 1 one did not.
    """
    config = config_of(ctx)
    if name not in config.connectors:
        there = ", ".join(config.connectors) or "none"
        raise click.BadParameter(
            f"there is no connector '{name}' in config.yaml; there are: {there}", param_hint="NAME"
        )
    sought = Sought(_number(number, config.organisation.country), email, customer)
    if write and not sought.anybody:
        raise click.UsageError("--write needs somebody to write about: add --number, --email or --customer")
    try:
        trial = trial_of(config, name)
    except SetupError as error:
        raise click.ClickException(str(error.args[0])) from error
    parts = wait_for(trial.parts(sought, write=write))
    shown: Json = [part.as_json() for part in parts]
    if as_json:
        print_json(shown if reveal else masked(shown))
    else:
        for part in parts:
            click.echo(_lines(part, reveal=reveal))
        if not sought.anybody:
            click.echo("Add --number, --email or --customer to find somebody.")
    ctx.exit(WRONG if any(part.error for part in parts) else FINE)


def _number(text: str | None, country: str) -> PhoneNumber | None:
    if text is None:
        return None
    number = parse_number(text, country)
    if number is None:
        raise click.BadParameter(f"'{text}' is no valid telephone number in {country}", param_hint="--number")
    return number


def _lines(part: Part, *, reveal: bool) -> str:
    """A part for people: a line that says how it went, and what came back below it."""
    outcome = f"FAILED  {part.error}" if part.error else part.said
    late = f"  (a call waits {part.limit:g} s at most)" if part.seconds > part.limit else ""
    text = f"{part.asked:<34} {part.seconds * 1000:8.1f} ms  {outcome}{late}"
    for each in part.found:
        text += "".join(f"\n    {key:<16} {_words(value)}" for key, value in each.items()) + "\n"
    return text if reveal else str(masked(text))


def _words(value: Json) -> str:
    if isinstance(value, list):
        return "; ".join(map(_words, value))
    if isinstance(value, dict):
        return ", ".join(map(_words, value.values()))
    return str(value)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _fine(names: Sequence[str]) -> str:
    return f"{', '.join(names)}: no problems"
