"""The versions of flows as a table, as JSON, and in words: what is in force and why."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from ivr.cli.output import print_table, utc
from ivr.domain.contact import Json
from ivr.domain.flow_version import FILES, Origin
from ivr.flow.history import FlowHistory, Period

LATEST = 5
WHENCE = {Origin.FILES: "", Origin.DRAFT: "draft"}

Calls = Mapping[tuple[str, str], int]


def print_flows(history: FlowHistory, calls: Calls, zone: ZoneInfo, *, everything: bool) -> None:
    """A row for each version of each flow, the newest first; those that calls get now are always there."""
    rows = []
    for flow in history.flows:
        shares, files = history.shares(flow), history.files_version(flow)
        for position, period in enumerate(history.periods(flow)):
            percent = shares.get(period.version)
            if position >= LATEST and percent is None and not everything:
                continue
            rows.append(
                [
                    flow,
                    period.version,
                    f"{percent} %" if percent is not None else "-",
                    period.since.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
                    period.by or "-",
                    "in the files" if period.version == files else WHENCE[period.origin],
                    str(calls.get((flow, period.version), 0)),
                ]
            )
    columns = ["flow", "version", "calls get it", "since", "by", "", "calls so far"]
    print_table(columns, rows, empty="No flows have been taken over yet; a running engine does that.")


def as_json_objects(history: FlowHistory, calls: Calls) -> list[Json]:
    """Every flow in the stable shape of `ivr flows --json`."""
    return [as_json_object(history, flow, calls) for flow in history.flows]


def as_json_object(history: FlowHistory, flow: str, calls: Calls) -> Json:
    """A flow in that shape."""
    choice, shares = history.choice(flow), history.shares(flow)
    versions: list[Json] = [
        _version(period, shares, calls.get((flow, period.version), 0)) for period in history.periods(flow)
    ]
    chosen: Json = None
    if choice is not None:
        chosen = {
            "version": history.named(flow, choice.version),
            "candidate": None if choice.candidate is None else history.named(flow, choice.candidate),
            "percent": choice.percent,
            "at": utc(choice.at),
            "by": choice.by,
        }
    return {"flow": flow, "files": history.files_version(flow), "chosen": chosen, "versions": versions}


def why(history: FlowHistory, flow: str, zone: ZoneInfo) -> str:
    """What calls that begin in a flow get, and why, in words."""
    choice, files = history.choice(flow), history.files_version(flow)
    if choice is None:
        return f"Calls that begin in {flow} get version {files}, which the files hold."
    when = choice.at.astimezone(zone).strftime("%a %d-%m %H:%M")
    who = f"{choice.by or 'somebody'} chose this on {when}"
    over = "A change of the files ends that"
    version = _named(choice.version, files)
    if choice.candidate is None:
        return (
            f"Calls that begin in {flow} get {version}; the files hold {files}. {who}.\n"
            f"{over}, and so does: ivr flows rollback {flow} files"
        )
    return (
        f"{choice.percent} % of the calls that begin in {flow} get {_named(choice.candidate, files)}, "
        f"the others {version}. {who}.\n"
        f"{over}. Next: ivr flows promote {flow}, or ivr flows stop {flow}"
    )


def _named(version: str, files: str) -> str:
    return f"version {files} (the files)" if version == FILES else f"version {version}"


def _version(period: Period, shares: Mapping[str, int], calls: int) -> Json:
    return {
        "version": period.version,
        "percent": shares.get(period.version, 0),
        "since": utc(period.since),
        "by": period.by,
        "origin": period.origin.value,
        "calls": calls,
    }
