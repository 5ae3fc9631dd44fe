"""`ivr replay`: recorded calls through other flows: which callers would hear, press or end differently."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from ivr.cli.opening import config_of, stores_of, wait_for
from ivr.cli.output import masked, print_json, print_table, utc
from ivr.cli.outside import setting_of
from ivr.cli.since import since_when
from ivr.config.model import Config
from ivr.configured import sources_of
from ivr.domain.contact import Contact, Json
from ivr.errors import InvalidFiles
from ivr.flow.drafted import drafted
from ivr.flow.history import FlowHistory
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.simulation.replay import Replayed, Verdict, is_over, replay
from ivr.store.stores import Stores

EXAMPLES = 3

Difference = tuple[str, str, str]
"""The flow in which calls began, and in words the first thing that is different: before and after."""
Doubt = tuple[str, str]
"""The flow in which calls began, and what of them is not in the journal."""


@click.command()
@click.option("--since", required=True, help="Calls since this moment (2026-11-22T10:00, local) or this long ago (2h).")
@click.option("--flow", "draft", type=click.Path(path_type=Path), help="A file that says one of the flows anew.")
@click.option(
    "--limit", default=2000, show_default=True, type=click.IntRange(1, 20_000), help="At most the latest so many."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, since: str, draft: Path | None, limit: int, as_json: bool) -> None:
    """Play the calls in the journal through the flows as the files say them now, or as a draft does.

    Callers do what they did. A call is compared with the version it had; see docs/flows.md for what cannot be known.
    """
    config = config_of(ctx)
    moment = since_when(since, ZoneInfo(config.organisation.time_zone))
    sources = sources_of(config)
    if draft is not None:
        _, flows = drafted(replace(sources, shown_from=Path.cwd()), draft.absolute())
    else:
        flows = load(sources)
    summary = wait_for(_replay(ctx, config, flows, moment, limit))
    if as_json:
        print_json(summary.as_json(moment))
    else:
        summary.show()


@dataclass
class _Summary:
    """What became of the calls; `examples` are ids of calls for each difference, and for each doubt."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: Counter[Difference] = field(default_factory=Counter)
    doubts: Counter[Doubt] = field(default_factory=Counter)
    examples: defaultdict[Difference | Doubt, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, replayed: Replayed) -> None:
        """Count a call."""
        self.counts[replayed.verdict] += 1
        flow = replayed.contact.flow
        if replayed.verdict is Verdict.DIFFERENT:
            difference = (flow, replayed.before, replayed.after)
            self.differences[difference] += 1
            self._exemplify(difference, replayed)
        elif replayed.verdict is Verdict.UNCLEAR:
            doubt = (flow, replayed.unknown or "what made it go as it went")
            self.doubts[doubt] += 1
            self._exemplify(doubt, replayed)

    def as_json(self, since: datetime | None) -> Json:
        """The stable shape of `ivr replay --json`."""
        differences: list[Json] = [
            {
                "flow": flow,
                "before": masked(before),
                "after": masked(after),
                "calls": count,
                "examples": [*self.examples[flow, before, after]],
            }
            for (flow, before, after), count in self.differences.most_common()
        ]
        doubts: list[Json] = [
            {"flow": flow, "unknown": unknown, "calls": count, "examples": [*self.examples[flow, unknown]]}
            for (flow, unknown), count in self.doubts.most_common()
        ]
        verdicts = {verdict.value: self.counts[verdict] for verdict in Verdict}
        return {
            "since": utc(since),
            **verdicts,
            "version_not_kept": self.counts[NOT_KEPT],
            "differences": differences,
            "doubts": doubts,
        }

    def show(self) -> None:
        """A row for each difference, the most frequent first, and what the other calls came to."""
        rows = [
            [str(count), flow, str(masked(before)), str(masked(after)), " ".join(self.examples[flow, before, after])]
            for (flow, before, after), count in self.differences.most_common()
        ]
        rows += [
            [str(count), flow, "unclear", f"depends on {unknown}", " ".join(self.examples[flow, unknown])]
            for (flow, unknown), count in self.doubts.most_common()
        ]
        print_table(["calls", "flow", "before", "after", "such as"], rows, empty="No call would be different.")
        click.echo(
            f"\n{self.counts[Verdict.SAME]} the same, {self.counts[Verdict.DIFFERENT]} different, "
            f"{self.counts[Verdict.UNCLEAR]} unclear (the journal does not hold what they depend on), "
            f"{self.counts[NOT_KEPT]} with a version that was not kept"
        )

    def _exemplify(self, what: Difference | Doubt, replayed: Replayed) -> None:
        if len(self.examples[what]) < EXAMPLES:
            self.examples[what].append(replayed.contact.id)


NOT_KEPT = "version_not_kept"


@dataclass
class _Versions:
    """The flows that calls had, loaded when they are first needed."""

    stores: Stores
    config: Config
    history: FlowHistory
    loaded: dict[str, FlowSet | None] = field(default_factory=dict)

    async def of(self, contact: Contact) -> FlowSet | None:
        """The flows a call had; None when they were not kept or can no longer be used."""
        periods = self.history.matching(contact.flow, contact.flow_version) if contact.flow_version else ()
        for period in periods:
            if period.set_id not in self.loaded:
                files = await self.stores.flows.files(period.set_id)
                self.loaded[period.set_id] = self._load(files)
            return self.loaded[period.set_id]
        return None

    def _load(self, files: Mapping[str, bytes]) -> FlowSet | None:
        try:
            return load(replace(sources_of(self.config), given=files))
        except InvalidFiles:
            return None


async def _replay(ctx: click.Context, config: Config, flows: FlowSet, since: datetime | None, limit: int) -> _Summary:
    summary, setting, now = _Summary(), setting_of(config), flows.versions()
    async with stores_of(ctx) as stores:
        told = await stores.contacts.contacts(since=since, limit=limit)
        outages = await stores.outages.outages(only_open=False)
        versions = _Versions(stores, config, FlowHistory(await stores.flows.history(), ()))
        for contact, events in told:
            if not is_over(contact) or not contact.flow:
                continue
            if contact.flow_version == now.get(contact.flow):
                summary.add(Replayed(contact, Verdict.SAME))
            elif (had := await versions.of(contact)) is None:
                summary.counts[NOT_KEPT] += 1
            else:
                summary.add(await replay(contact, events, had, flows, setting, outages))
    return summary
