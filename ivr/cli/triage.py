"""`ivr triage`: how many faults were solved on the telephone, along each path of answers."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import click

from ivr.cli.opening import config_of, stores_of, wait_for
from ivr.cli.output import print_json, print_table
from ivr.cli.since import since_when
from ivr.domain.contact import Json
from ivr.reports.triage import LEFT, PathReport, triage_paths

MOST_CONTACTS = 100_000
RESULTS = ("solved", "ticket", "visit", "agent", LEFT)


@click.command()
@click.argument("name", required=False)
@click.option("--since", default="7d", show_default=True, help="From when on: 2h, 7d, or 2026-11-21T10:00 local time.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of {triage, path, calls, results, solved}.")
@click.pass_context
def command(ctx: click.Context, name: str | None, since: str, as_json: bool) -> None:
    """Show what became of callers in triage NAME, or in every triage, along each path of answers.

    solved % is those whose fault was solved on the telephone, of all who answered along that path.
    """
    zone = ZoneInfo(config_of(ctx).organisation.time_zone)
    begin = since_when(since, zone)

    async def read() -> Sequence[PathReport]:
        async with stores_of(ctx) as stores:
            found = await stores.contacts.contacts(since=begin, limit=MOST_CONTACTS)
        return triage_paths(events for _, events in found)

    reports = [report for report in wait_for(read()) if name in (None, report.triage)]
    if as_json:
        print_json([as_json_object(report) for report in reports])
        return
    rows = [
        [
            report.triage,
            " > ".join(f"{question}: {answer}" for question, answer in report.path) or "no answer",
            str(report.calls),
            *(str(report.results.get(result, 0)) for result in RESULTS),
            f"{report.solved_share:.0%}",
        ]
        for report in reports
    ]
    nobody = f"nobody was asked by {f'triage {name}' if name else 'a triage'} since then"
    print_table(["triage", "answers", "calls", *RESULTS, "solved %"], rows, empty=nobody)


def as_json_object(report: PathReport) -> dict[str, Json]:
    """A path as `--json` shows it; `solved` is a share between 0 and 1."""
    return {
        "triage": report.triage,
        "path": [{"question": question, "answer": answer} for question, answer in report.path],
        "calls": report.calls,
        "results": dict(report.results),
        "solved": round(report.solved_share, 4),
    }
