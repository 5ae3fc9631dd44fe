"""A caller that is not ours: SIPp rings, presses a key and talks to an agent."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from deploy.demo.crm import NAMED
from tests.asterisk.engine_under_test import EngineUnderTest, Json

pytestmark = pytest.mark.asterisk

SCENARIO = Path(__file__).with_name("to_an_agent.xml")


async def test_sipp_is_recognised_presses_a_key_and_reaches_an_agent(engine: EngineUnderTest, tmp_path: Path) -> None:
    callers = tmp_path / "callers.csv"
    callers.write_text("SEQUENTIAL\n" + "".join(f"{named.number}\n" for named in NAMED[:3]))
    asterisk = engine.asterisk
    # It sends keys through a raw socket.
    as_root = () if os.geteuid() == 0 else ("sudo", "-n")
    sipp = await asyncio.create_subprocess_exec(
        *(*as_root, "sipp", f"{asterisk.sip_host}:{asterisk.sip_port}", "-sf", str(SCENARIO), "-inf", str(callers)),
        *("-s", "100", "-i", "127.0.0.1", "-m", "3", "-r", "3", "-timeout", "40s", "-timeout_error"),
        cwd=tmp_path,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await asyncio.wait_for(sipp.communicate(), 60)
    assert sipp.returncode == 0, told.decode(errors="replace")[-2000:]

    async def ended() -> list[dict[str, Json]]:
        calls = await engine.calls()
        return calls if len(calls) == 3 and all(call["ended_at"] for call in calls) else []

    calls: list[dict[str, Json]] = await engine.until(ended, 10, "three calls to be in the journal")
    assert {call["customer"] for call in calls} == {named.customer_number for named in NAMED[:3]}
    assert {call["outcome"] for call in calls} == {"answered"}
    assert all("0" in [event.get("keys") for event in call["events"]] for call in calls)
