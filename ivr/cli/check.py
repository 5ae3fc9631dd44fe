"""`ivr check`: every mistake in the flows, texts and configuration, before a caller meets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from ivr.app import sources_of
from ivr.cli.output import print_json
from ivr.config.loading import load
from ivr.config.model import Config
from ivr.domain.contact import Json
from ivr.errors import InvalidFiles
from ivr.flow.loader import TRIAGE, Sources, examine
from ivr.flow.model import FlowSet
from ivr.yamlfile.binding import place_problem
from ivr.yamlfile.problem import Problem, did_you_mean, in_order
from ivr.yamlfile.reading import read

FINE, WRONG, UNREADABLE = 0, 1, 2


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: a list of {file, line, column, rule, message, hint}."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="github: annotations on the lines of a pull request.",
)
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], as_json: bool, form: str) -> None:
    """Check flows (files or folders; those of config.yaml without PATHS), the texts they say, and config.yaml.

    Exit codes: 0 all is well, 1 there are problems, 2 something cannot be read.
    """
    problems, counted = examined(ctx.obj, paths)
    if as_json or form == "json":
        found: list[Json] = [{**problem.as_json()} for problem in problems]
        print_json(found)
    elif form == "github":
        for problem in problems:
            click.echo(_annotation(problem))
    else:
        for problem in problems:
            click.echo(f"{problem}\n")
        click.echo(_summary(problems, counted))
    if any(problem.rule == "unreadable" for problem in problems):
        ctx.exit(UNREADABLE)
    ctx.exit(WRONG if problems else FINE)


def examined(config_file: Path, paths: Sequence[Path]) -> tuple[list[Problem], Sequence[FlowSet]]:
    """Every problem there is, and the flows that have none."""
    try:
        config = load(config_file)
    except InvalidFiles as invalid:
        return [problem for problem in invalid.problems if isinstance(problem, Problem)], ()
    configured = replace(sources_of(config), shown_from=Path.cwd())
    problems: list[Problem] = []
    right: list[FlowSet] = []
    for path in paths or (config.flows.path,):
        folder = path.parent if path.suffix == ".yaml" else path
        if folder != path and folder.name == TRIAGE.rstrip("/"):
            folder = folder.parent  # a triage is checked in the flows that use it
        sources = replace(configured, flows=folder.absolute())
        flows, found = examine(sources)
        if folder != path:
            found = list(_of_file(found, sources, path))
        if flows is not None:
            right.append(flows)
            if not paths:
                found += _unknown_flows(config_file, config, flows)
        problems += found
    return in_order(problems), right


def _of_file(problems: Sequence[Problem], sources: Sources, path: Path) -> Iterator[Problem]:
    """The problems of one flow file and the texts, of those in its whole folder."""
    file = sources.shown(path.absolute())
    flows = {sources.shown(other) for other in (*sources.flow_files(), *sources.triage_files())}
    if file not in flows:
        yield Problem(file, 1, 1, 2, "unreadable", "cannot be read: there is no such file")
    for problem in problems:
        if problem.file == file or problem.file not in flows:
            yield problem


def _unknown_flows(config_file: Path, config: Config, flows: FlowSet) -> Iterator[Problem]:
    """The flows that config.yaml names and that do not exist."""
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("entries", position, "flow"), entry.flow) for position, entry in enumerate(config.entries)
    ]
    named.append((("callbacks", "flow"), config.callbacks.flow))
    for loc, name in named:
        if name not in flows.flows:
            hint = did_you_mean(name, flows.flows)
            yield place_problem(
                read(config_file), loc, "unknown-flow", f"unknown flow '{name}'", hint, "docs/config.md"
            )


def _annotation(problem: Problem) -> str:
    """A problem as a workflow command of GitHub Actions, escaped as its documentation says."""
    message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    place = f"file={_property(problem.file)},line={problem.line},col={problem.column},endColumn={problem.end_column}"
    return f"::error {place},title={_property(problem.rule)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _summary(problems: Sequence[Problem], right: Sequence[FlowSet]) -> str:
    if problems:
        return f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    flows = [flow for found in right for flow in found.flows.values()]
    steps = sum(len(block) for flow in flows for block in flow.blocks.values())
    return f"{len(flows)} flows, {steps} steps: no problems"
