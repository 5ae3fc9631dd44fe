"""CRMs that fail as told, in a process of their own, so that they take no time from what is measured."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from ivr.simulation.faulty_crm import Fault, FaultyCrm


@dataclass(frozen=True, slots=True)
class Kind:
    """A CRM that knows everybody or nobody, and takes `delay` seconds for an answer."""

    knows: bool = True
    delay: float = 0.0


class CrmProcess:
    """The process; `ports` are where its CRMs listen, in their order."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.ports: Sequence[int] = pipe.recv()

    def be(self, fault: Fault, place: int = 0) -> int:
        """Let the CRM at a place fail from now on; how many requests it got so far."""
        self._pipe.send((place, fault))
        requests: int = self._pipe.recv()
        return requests


@contextmanager
def crms(*kinds: Kind) -> Iterator[CrmProcess]:
    """These CRMs, while the block runs."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, kinds), daemon=True)
    process.start()
    try:
        yield CrmProcess(ours)
    finally:
        ours.send(None)
        process.join(10)


def _run(pipe: Connection, kinds: Sequence[Kind]) -> None:
    asyncio.run(_serve(pipe, kinds))


async def _serve(pipe: Connection, kinds: Sequence[Kind]) -> None:
    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(_crm(kind)) for kind in kinds]
        pipe.send([crm.port for crm in made])
        while (told := await asyncio.to_thread(pipe.recv)) is not None:
            place, fault = told
            made[place].fault = fault
            pipe.send(made[place].requests)


def _crm(kind: Kind) -> FaultyCrm:
    return FaultyCrm(lambda _: kind.knows, delay=kind.delay)
