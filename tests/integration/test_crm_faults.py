"""A CRM over HTTP that fails costs callers only what it would have told, and is believed again once it is well."""

from __future__ import annotations

import asyncio
import socket
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from ivr.app import Application, running
from ivr.config.loading import load
from ivr.connectors.breaker import BreakerState
from ivr.connectors.guard import Count
from ivr.simulation.asterisk_peer import AsteriskPeer
from ivr.simulation.faulty_crm import FLOOD, RECIPE, Fault, FaultyCrm

ROOT = Path(__file__).parents[2]
FAILURES = 3
PATIENCE = 10.0
FLOW = """
flow: orders_first
start: orders
blocks:
  orders:
    - branch: [{ when: caller.open_orders, goto: told }]
    - say: shortest_question
    - hang_up:
  told:
    - say: shortest_answer
    - hang_up:
"""

FAULTS = [fault for fault in Fault if fault not in (Fault.NONE, Fault.SLOW)]
"""Those in which it gives no good answer in time."""


class Telephones:
    """Callers, each from a number that nobody called from before."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self._placed = 0

    def breaker(self) -> BreakerState:
        """Whether the CRM is asked now."""
        return self.app.guards[0].status.breaker

    async def call(self) -> str:
        """The one prompt that a call hears before it ends well."""
        self._placed += 1
        peer = await AsteriskPeer.call(
            self.app.agi.port, callerid=f"030{self._placed:07}", uniqueid=f"1790000000.{self._placed}"
        )
        answered, said, ended = await peer.play()
        assert answered == "ANSWER"
        assert ended == 'SET VARIABLE KLANTLIJN_NEXT "hangup"'
        return said

    async def calls(self, count: int) -> Sequence[str]:
        """What each of so many calls at once heard."""
        return await asyncio.gather(*(self.call() for _ in range(count)))

    async def call_until(self, heard: str) -> None:
        """Call again and again, until that is heard."""
        async with asyncio.timeout(PATIENCE):
            while await self.call() != heard:  # noqa: ASYNC110  # a caller only knows by calling
                await asyncio.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def written(folder: Path, crm: FaultyCrm) -> Path:
    """A configuration with this CRM and one flow, which wants the orders before it says anything."""
    (folder / "dialplans").mkdir()
    (folder / "dialplans" / "orders_first.yaml").write_text(FLOW)
    (folder / "crm.yaml").write_text(RECIPE)
    (folder / "ami.secret").write_text("secret\n")
    settings = {"recipe": "crm.yaml", "values": {"base_url": crm.base_url}}
    guard = {"timeout": "1s", "open_for": "500ms", "failures_to_open": FAILURES}
    config: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
    del config["callbacks"]["flow"]
    config |= {
        "entries": [{"dialled": "*", "flow": "orders_first"}],
        "flows": {"path": "dialplans"},
        "identify": {"connectors": ["crm"], "budget": "500ms"},
        "connectors": {"crm": {"integration": "rest", "settings": settings, "guard": guard}},
    }
    config["asterisk"]["fastagi"]["port"] = free_port()
    config["asterisk"]["ami"] |= {"port": free_port(), "secret_file": "ami.secret"}
    config["speech"] |= {"recordings": str(ROOT / "prompts"), "cache": "prompts"}
    config["http"]["port"] = free_port()
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder / "config.yaml"


@pytest.fixture
async def crm() -> AsyncIterator[FaultyCrm]:
    async with FaultyCrm() as listening:
        yield listening


@pytest.fixture
async def telephones(tmp_path: Path, crm: FaultyCrm) -> AsyncIterator[Telephones]:
    async with running(load(written(tmp_path, crm))) as app:
        yield Telephones(app)


@pytest.mark.parametrize("fault", FAULTS)
async def test_calls_go_on_without_a_crm_that_fails_and_with_it_when_it_is_well(
    telephones: Telephones, crm: FaultyCrm, fault: Fault
) -> None:
    told = await telephones.call()
    crm.fault = fault
    heard: set[str] = set()
    async with asyncio.timeout(PATIENCE):
        while telephones.breaker() is BreakerState.CLOSED:
            heard |= set(await telephones.calls(FAILURES))
    assert len(heard - {told}) == 1
    crm.fault = Fault.NONE
    await telephones.call_until(told)
    assert telephones.breaker() is BreakerState.CLOSED
    assert set(await telephones.calls(FAILURES)) == {told}


async def test_an_answer_without_end_takes_little_memory_and_is_broken_off(
    telephones: Telephones, crm: FaultyCrm
) -> None:
    await telephones.call()
    crm.fault = Fault.FLOODS
    tracemalloc.start()
    try:
        await telephones.calls(FAILURES)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert telephones.app.guards[0].status.counts[Count.REFUSED] == FAILURES
    assert peak < FAILURES * 10_000_000
    assert crm.sent < FAILURES * FLOOD / 4
