"""Every kind of step does what the cases in `tests/steps/<kind>.yaml` say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ivr.domain.opening_hours import OpeningHours
from ivr.flow.steps import KINDS
from ivr.yamlfile.reading import read

UTC = ZoneInfo("UTC")
CASES = Path(__file__).parents[2] / "steps"


def cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.yaml")):
        found = read(path).plain
        assert isinstance(found, list)
        for case in found:
            assert isinstance(case, dict)
            yield pytest.param(case, id=f"{path.stem}: {case['case']}")


def test_every_kind_of_step_has_cases_and_every_file_a_kind() -> None:
    assert {path.stem for path in CASES.glob("*.yaml")} == set(KINDS)


def test_every_kind_of_step_is_tried_and_refused() -> None:
    for path in CASES.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert "outcome:" in text, path
        assert "problems:" in text, path


def hours_of(case: Mapping[str, Any]) -> dict[str, OpeningHours]:
    """The opening hours of a case, each `open` or `closed` all week."""
    week = {"open": (((time(0), time(0)),),) * 7, "closed": ((),) * 7}
    return {name: OpeningHours(UTC, week[word]) for name, word in case.get("hours", {}).items()}


@pytest.mark.parametrize("case", list(cases()))
def test_step(case: Mapping[str, Any], world: Any, examine_flow: Any) -> None:
    flows, problems = examine_flow(
        case["blocks"],
        case.get("texts", {}),
        case.get("head", ""),
        hours_of(case),
        triage=case.get("triage", ""),
        others=case.get("flows", {}),
        capabilities=case.get("capabilities"),
        errands=case.get("errands"),
    )
    world.hours = hours_of(case)
    shown = [f"{p.line}:{p.column}: {p.message} ({p.hint})" for p in problems]
    expected = case.get("problems", [])
    assert len(shown) == len(expected), shown
    for line, part in zip(shown, expected, strict=True):
        assert part in line
    if expected:
        return
    if "outage" in case:
        end = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
        world.open_outage(None if case["outage"] == "every region" else case["outage"], expected_end=end)
    if case.get("desk") == "away":
        world.desk.available = False
    elif case.get("desk") == "cannot_book":
        world.desk.fails_to_book = True
    elif case.get("desk") == "none":
        world.desk.offers = ()
    elif case.get("desk") == "outage_over":
        world.desk.over = {outage.id for outage in world.board.outages}
    elif case.get("desk") == "second_full":
        world.desk.full = {world.desk.offers[1]}
    world.errands.tickets_are = case.get("tickets", "open")
    world.systems_away = case.get("systems") == "away"
    world.prompts.broken = set(case.get("broken", []))
    played = world.play(flows, case.get("caller", "unknown"), case.get("press", ""))
    if "heard" in case:
        assert [heard.utterance.text for heard in played.heard] == case["heard"]
    if "events" in case:
        assert [f"{kind} {' '.join(map(str, detail.values()))}".strip() for _, kind, _, detail in played.events()
                if kind not in ("step", "prompt", "picked_up", "ended")] == case["events"]  # fmt: skip
    assert played.ending.outcome == case["outcome"]
    assert (played.ending.reason or "") == case.get("reason", "")
    if "opened" in case:
        opened = zip(world.errands.tickets, world.errands.customers, strict=True)
        assert [{"subject": t.subject, "text": t.text, "customer": whose or ""} for t, whose in opened] == case[
            "opened"
        ]
    if "sent" in case:
        assert [f"{m.kind} {m.to} {m.subject} {m.text}" for m in world.errands.messages] == case["sent"]
    if "booked" in case:
        assert [f"{b.number} {b.window.start:%H:%M} {b.queue}" for b in world.desk.booked] == case["booked"]
    if "noticed" in case:
        assert [f"{n.outage_id} {n.number} {n.language}" for n in world.desk.notices] == case["noticed"]
