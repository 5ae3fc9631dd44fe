"""What a flow does when a real caller hangs up."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.asterisk.callers import QUICK, callers_of, heard, kinds
from tests.asterisk.conftest import StartEngine
from tests.asterisk.engine_under_test import ROOT

pytestmark = pytest.mark.asterisk

FLOW = """
flow: leaving
start: here
on_hangup: left
blocks:
  here:
    - menu: { prompt: shortest_question, timeout: 10s, options: { "1": there } }
  there:
    - reason: chosen
    - menu: { prompt: shortest_question, timeout: 10s, options: { "1": here } }
  left:
    - branch: [{ when: call.reason, goto: known }]
    - reason: hung_up_at_once
  known:
    - set: { outcome: self_served }
"""


async def test_a_caller_who_leaves_is_accounted_for(start_engine: StartEngine, tmp_path: Path) -> None:
    folder = tmp_path / "dialplans"
    folder.mkdir()
    shutil.copy(ROOT / "dialplans" / "callback.yaml", folder)
    (folder / "leaving.yaml").write_text(FLOW.lstrip(), encoding="utf-8")
    engine = await start_engine(
        flows={"path": str(folder)}, speech=QUICK, entries=[{"dialled": "*", "flow": "leaving"}]
    )
    async with callers_of(engine) as callers:
        at_once = await callers.ring("+31612340041")
        await at_once.hears("nl/shortest_question", 10)
        await at_once.hang_up()
        later = await callers.ring("+31612340042")
        first = await later.hears("nl/shortest_question", 10)
        await later.press("1")
        await later.hears("nl/shortest_question", 10, after=first)
        await later.hang_up()
        met, came_to = await callers.contact(at_once), await callers.contact(later)
    assert (met["outcome"], met["reason"]) == ("abandoned", "hung_up_at_once")
    assert kinds(met)[-5:] == ["hung_up", "step", "step", "reason", "ended"]
    assert (came_to["outcome"], came_to["reason"]) == ("self_served", "chosen")
    assert heard(later) == ["nl/shortest_question"] * 2
