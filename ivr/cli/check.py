"""`ivr check`: every mistake in the flows, texts and configuration, before a caller meets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from ivr.cli.connector_problems import connector_problems
from ivr.cli.output import print_json
from ivr.config.loading import load
from ivr.configured import sources_of
from ivr.domain.contact import Json
from ivr.errors import InvalidFiles
from ivr.flow.loader import examine
from ivr.flow.model import FlowSet
from ivr.flow.sources import TRIAGE, Sources
from ivr.flow.unused import UNUSED
from ivr.yamlfile.problem import Problem, errors_in, in_order

FINE, WRONG, UNREADABLE = 0, 1, 2


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: a list of {file, line, column, rule, message, hint, severity}."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="github: annotations on the lines of a pull request.",
)
@click.option("--strict", is_flag=True, help="Count warnings as problems.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], as_json: bool, form: str, strict: bool) -> None:
    """Check flows (files or folders; those of config.yaml without PATHS), the texts they say, and config.yaml.

    Exit codes: 0 no problems (without --strict there may be warnings), 1 there are some, 2 something cannot be read.
    """
    problems, right = examined(ctx.obj, paths)
    if as_json or form == "json":
        found: list[Json] = [{**problem.as_json()} for problem in problems]
        print_json(found)
    elif form == "github":
        for problem in problems:
            click.echo(_annotation(problem))
    else:
        for problem in problems:
            click.echo(f"{problem}\n")
        click.echo(_summary(problems, right))
    if any(problem.rule == "unreadable" for problem in problems):
        ctx.exit(UNREADABLE)
    ctx.exit(WRONG if (problems if strict else errors_in(problems)) else FINE)


def examined(config_file: Path, paths: Sequence[Path]) -> tuple[list[Problem], Sequence[FlowSet]]:
    """Every problem there is, and the flows that are right."""
    try:
        config = load(config_file)
    except InvalidFiles as invalid:
        return [problem for problem in invalid.problems if isinstance(problem, Problem)], ()
    configured = replace(sources_of(config), shown_from=Path.cwd())
    problems: list[Problem] = []
    right: list[FlowSet] = []
    for path in paths or (config.flows.path,):
        folder = (path.parent if path.suffix == ".yaml" else path).absolute()
        if folder != path.absolute() and folder.name == TRIAGE.rstrip("/"):
            folder = folder.parent  # a triage is checked with the flows around it
        is_whole = folder == configured.flows
        sources = configured if is_whole else replace(configured, flows=folder, entrances=None)
        flows, found = examine(sources)
        if folder != path.absolute():
            found = list(_of_file(found, sources, path))
        if flows is not None:
            right.append(flows)
        problems += found
    problems += connector_problems(config)
    return in_order(problems), right


def _of_file(problems: Sequence[Problem], sources: Sources, path: Path) -> Iterator[Problem]:
    """The problems of one flow file and the texts it says, of those in its whole folder."""
    file = sources.shown(path.absolute())
    flows = {sources.shown(other) for other in (*sources.flow_files(), *sources.triage_files())}
    if file not in flows:
        yield Problem(file, 1, 1, 2, "unreadable", "cannot be read: there is no such file")
    prompts = sources.shown(sources.prompts)
    for problem in problems:
        if problem.file == file or (Path(problem.file).is_relative_to(prompts) and problem.rule != UNUSED):
            yield problem


def _annotation(problem: Problem) -> str:
    """A problem as a workflow command of GitHub Actions, escaped as its documentation says."""
    message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    place = f"file={_property(problem.file)},line={problem.line},col={problem.column},endColumn={problem.end_column}"
    return f"::{problem.severity} {place},title={_property(problem.rule)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _summary(problems: Sequence[Problem], right: Sequence[FlowSet]) -> str:
    errors = len(errors_in(problems))
    warnings = f", {_counted(len(problems) - errors, 'warning')}" if len(problems) > errors else ""
    if errors:
        return f"{_counted(errors, 'problem')}{warnings}"
    flows = [flow for found in right for flow in found.flows.values()]
    steps = sum(len(block) for flow in flows for block in flow.blocks.values())
    return f"{_counted(len(flows), 'flow')}, {_counted(steps, 'step')}: no problems{warnings}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
