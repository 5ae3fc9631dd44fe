"""`ivr test`: plays the scenarios beside the flows, and shows the first thing that is not as expected."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import click

from ivr.cli.junit import Case, write_junit
from ivr.cli.opening import config_of, wait_for
from ivr.cli.output import print_json
from ivr.cli.outside import identify, setting_of
from ivr.cli.recording import print_recorded
from ivr.config.model import Config
from ivr.configured import sources_of
from ivr.domain.contact import Json
from ivr.errors import InvalidFiles
from ivr.flow.drafts import read_flow
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.flow.sources import Sources
from ivr.flow.ways import FlowMap
from ivr.simulation.coverage import Coverage, Covered
from ivr.simulation.scenario import Written, read_scenarios
from ivr.simulation.trial import Verdict, try_out
from ivr.yamlfile.problem import Problem, in_order

PASSED, FAILED, NOT_RUN = 0, 1, 2
WIDTH = 100
FOLDER = "scenarios"
"""Where scenarios are, in the folder of the flows."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A scenario's verdict, and how many seconds it took."""

    verdict: Verdict
    seconds: float


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("-k", "word", default="", help="Only scenarios whose name holds this, in capitals or not.")
@click.option("--coverage", "show_coverage", is_flag=True, help="Show which steps and branches no scenario came to.")
@click.option(
    "--min-coverage", type=click.IntRange(0, 100), help="Fail when less of a flow, in percent, was come through."
)
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write the results as JUnit XML.")
@click.option("--record", metavar="CALL_ID", help="Print the scenario of a call in the journal; play nothing else.")
@click.option("--reveal", is_flag=True, help="With --record: keep the caller's own name and numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: {scenarios, coverage}.")
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    word: str,
    show_coverage: bool,
    min_coverage: int | None,
    junit: Path | None,
    record: str | None,
    reveal: bool,
    as_json: bool,
) -> None:
    """Play scenarios (files or folders; those beside the flows without PATHS) and compare.

    Exit codes: 0 all is as expected, 1 something is not, or too little is covered, 2 they cannot be played.
    """
    config = config_of(ctx)
    sources = replace(sources_of(config), shown_from=Path.cwd())
    if record is not None:
        wait_for(print_recorded(ctx, config, record, reveal=reveal))
        return
    try:
        flows = load(sources)
        written = _scenarios(config, sources, flows, paths)
    except InvalidFiles as invalid:
        click.echo(str(invalid), err=True)
        ctx.exit(NOT_RUN)
    chosen = [one for one in written if word.lower() in one.scenario.name.lower()]
    if not chosen:
        _refuse(ctx, f"no scenario has '{word}' in its name" if word else "there are no scenarios")
    began = time.monotonic()
    tried = _try_all(config, flows, chosen, quiet=as_json)
    took = time.monotonic() - began
    measured = _measured(sources, flows, tried, every=not paths and not word)
    if junit is not None:
        write_junit(junit, [_case(one) for one in tried])
    if as_json:
        print_json({"scenarios": [_as_json(one) for one in tried], "coverage": [_as_covered(one) for one in measured]})
    else:
        _print(tried, measured if show_coverage or min_coverage is not None else (), took)
    low = [one for one in measured if min_coverage is not None and one.percent < min_coverage]
    for one in low:
        click.echo(f"ivr: only {one.percent} % of flow {one.flow} is covered, not {min_coverage} %", err=True)
    ctx.exit(FAILED if low or any(one.verdict.difference for one in tried) else PASSED)


def _refuse(ctx: click.Context, message: str) -> NoReturn:
    click.echo(f"ivr: {message}", err=True)
    ctx.exit(NOT_RUN)


def _scenarios(config: Config, sources: Sources, flows: FlowSet, paths: Sequence[Path]) -> list[Written]:
    """Every scenario in these files and folders. Raises InvalidFiles with every problem."""
    written: list[Written] = []
    problems: list[Problem] = []
    for path in _files(paths or [config.flows.path / FOLDER]):
        found, wrong = read_scenarios(path, sources.shown(path.absolute()), flows, config.regions, config.opening_hours)
        written += found
        problems += wrong
    if problems:
        raise InvalidFiles(in_order(problems))
    return written


def _files(paths: Collection[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.yaml"))
        else:
            yield path


def _try_all(config: Config, flows: FlowSet, chosen: Sequence[Written], *, quiet: bool) -> list[Tried]:
    setting = setting_of(config)
    tried: list[Tried] = []
    for position, one in enumerate(chosen):
        if not quiet and (position == 0 or chosen[position - 1].file != one.file):
            click.echo(f"{'' if position == 0 else chr(10)}{one.file} ", nl=False)
        began = time.monotonic()
        with _no_log():
            verdict = wait_for(try_out(one, flows, setting, partial(identify, config)))
        tried.append(Tried(verdict, time.monotonic() - began))
        if not quiet:
            click.echo("F" if verdict.difference else ".", nl=False)
    if not quiet:
        click.echo()
    return tried


@contextmanager
def _no_log() -> Iterator[None]:
    """Without a log: a flow that fails is told as what the scenario came to."""
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _measured(sources: Sources, flows: FlowSet, tried: Sequence[Tried], *, every: bool) -> Sequence[Covered]:
    """The coverage of each flow; with only some scenarios, of the flows they are about."""
    drafts = [read_flow(path, sources.shown(path)) for path in sources.flow_files()]
    maps: Mapping[str, FlowMap] = {found.flow: found for found in FlowMap.all_of(drafts)}
    coverage = Coverage(maps)
    for one in tried:
        coverage.add(one.verdict.played.noted, one.verdict.written.flow)
    about = set(flows.flows) if every else {one.verdict.written.flow for one in tried}
    return [coverage.of(name) for name in maps if name in about]


# --- what is printed -------------------------------------------------------------------------------------------------


def _print(tried: Sequence[Tried], measured: Sequence[Covered], took: float) -> None:
    failed = [one for one in tried if one.verdict.difference]
    if failed:
        click.echo(_ruled("FAILURES", "="))
    for one in failed:
        click.echo(f"{_ruled(one.verdict.written.scenario.name, '_')}\n{_failure(one)}\n")
    if measured:
        click.echo(_ruled("coverage", "-"))
    for found in measured:
        click.echo(
            f"{found.percent:>3} %  {found.flow}: {found.steps} of {found.all_steps} steps,"
            f" {found.branches} of {found.all_branches} branches"
        )
        for missing in found.missing:
            click.echo(f"       {missing.file}:{missing.line}: {missing.what}")
    counts = [f"{len(failed)} failed"] * bool(failed) + [f"{len(tried) - len(failed)} passed"]
    click.echo(_ruled(f"{', '.join(counts)} in {took:.2f}s", "="))


def _ruled(text: str, letter: str) -> str:
    return f" {text} ".center(WIDTH, letter)


def _failure(one: Tried) -> str:
    written, difference = one.verdict.written, one.verdict.difference
    return f"{written.file}:{difference.line}: {difference.message}" if difference else ""


def _case(one: Tried) -> Case:
    written = one.verdict.written
    return Case(written.file, written.scenario.name, one.seconds, _failure(one))


def _as_json(one: Tried) -> Json:
    written, difference = one.verdict.written, one.verdict.difference
    return {
        "file": written.file,
        "line": difference.line if difference else written.line("name"),
        "flow": written.flow,
        "name": written.scenario.name,
        "passed": difference is None,
        "difference": difference.message if difference else None,
    }


def _as_covered(one: Covered) -> Json:
    return {
        "flow": one.flow,
        "percent": one.percent,
        "steps": {"covered": one.steps, "all": one.all_steps},
        "branches": {"covered": one.branches, "all": one.all_branches},
        "missing": [{"file": missing.file, "line": missing.line, "what": missing.what} for missing in one.missing],
    }
