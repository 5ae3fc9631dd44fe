"""Nodes that keep promises and can be broken off at any operation, beside an Asterisk that goes on by itself."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import Enum
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from ivr.config.model import Asterisk, Callbacks
from ivr.dialer.attempt import AttemptRunner
from ivr.dialer.due import Dialer
from ivr.domain.callback import Callback, CallbackRequest, Window
from ivr.domain.dialling import DialOutcome, DialRequest
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.domain.opening_hours import OpeningHours
from ivr.domain.outage import Outage, OutageId, OutageNotice
from ivr.errors import AmiUnavailable, StoreUnavailable
from ivr.ports import CallbackStore, Switchboard
from ivr.simulation.manual_clock import ManualClock
from ivr.simulation.scripted_switchboard import ScriptedSwitchboard
from ivr.store.callbacks import StoredCallbacks
from ivr.store.database import Database
from ivr.store.outages import StoredOutages

ALWAYS = OpeningHours(ZoneInfo("Europe/Amsterdam"), (((time(0), time(0)),),) * 7)
SUPPORT: Mapping[str, Sequence[str]] = {"support": ("support-own",)}
POLL = 5.0
LIMIT = 20.0
"""Seconds of real time in which the databases must have answered."""


class Break(Enum):
    """What happens at the operation that is to be broken off."""

    NEVER = "never"
    DIES = "dies"
    FAILS = "fails"


@dataclass
class Operations:
    """Everything a node asks of database and Asterisk, counted; the `at`-th is broken off.

    With `after` it takes effect and only its answer is lost. A node that DIES gets no
    answer and must be given up; one for which an operation FAILS goes on.
    """

    how: Break = Break.NEVER
    at: int = 0
    after: bool = False
    count: int = 0
    open: int = 0
    is_dead: bool = False
    asked: list[str] = field(default_factory=list)

    async def run(self, name: str, operation: Callable[[], Awaitable[Any]], failure: Exception) -> Any:
        assert not self.is_dead, f"a node that is gone asked for {name}"
        self.count += 1
        self.asked.append(name)
        is_it = self.how is not Break.NEVER and self.count == self.at
        # A telephone rings for as long as it likes, which is nothing to wait for.
        counts = int(name != "dial")
        self.open += counts
        try:
            if is_it and not self.after:
                return await self._break_off(name, failure, counts)
            answer = await operation()
            return await self._break_off(name, failure, counts) if is_it else answer
        finally:
            self.open -= counts

    async def _break_off(self, name: str, failure: Exception, counts: int) -> Any:
        if self.how is Break.DIES:
            self.is_dead = True
            self.open -= counts
            try:
                await asyncio.Future()
            finally:
                self.open += counts
        if name == "dial" and self.after:
            # A switchboard that has dialled never says that it has not.
            return DialOutcome.UNKNOWN
        raise failure


class _Asked:
    """An object whose every method goes through `operations`."""

    def __init__(self, target: object, operations: Operations, failure: Exception) -> None:
        self._target, self._operations, self._failure = target, operations, failure

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)

        async def ask(*values: Any, **named: Any) -> Any:
            return await self._operations.run(name, lambda: method(*values, **named), self._failure)

        return ask


@dataclass
class _Telephones(ScriptedSwitchboard):
    """Dialling lasts while a telephone rings: until somebody stops it."""

    stopped: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    async def dial(self, request: DialRequest) -> DialOutcome:
        outcome = await super().dial(request)
        if request.channel_id in self.ringing:
            await self.stopped[request.channel_id].wait()
        return outcome

    async def stop_ringing(self, channel_id: str) -> None:
        await super().stop_ringing(channel_id)
        self.stopped[channel_id].set()


class Customers:
    """Asterisk and the customers it calls: `answers[number]` tells how each call ends, the last for ever.

    `connected`: picks up, confirms, waits for an agent, talks. `told`: picks up and listens to
    the end. `rings`: does so until it is stopped. Else a DialOutcome.
    """

    def __init__(self, clock: ManualClock, agents: int = 1) -> None:
        self.clock = clock
        self.answers: dict[PhoneNumber, list[str]] = {}
        self.connected: list[PhoneNumber] = []
        self.told: list[PhoneNumber] = []
        self.switchboard = _Telephones(agents=agents, on_dial=self._ring)
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def dialled(self) -> list[PhoneNumber]:
        """Every number that was dialled, in order."""
        return [request.number for request in self.switchboard.dialled]

    def _ring(self, request: DialRequest) -> None:
        answers = self.answers.get(request.number, ["connected"])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer == "rings":
            self.switchboard.ringing.add(request.channel_id)
            self.switchboard.outcomes = [DialOutcome.NO_ANSWER]
            return
        if answer not in ("connected", "told"):
            self.switchboard.outcomes = [DialOutcome(answer)]
            return
        self.switchboard.outcomes = [DialOutcome.ANSWERED]
        self.switchboard.channels.add(request.channel_id)
        call = asyncio.create_task(self._talk(request) if answer == "connected" else self._listen(request))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _talk(self, request: DialRequest) -> None:
        marks, attempt = self.switchboard.marks, request.variables["KLANTLIJN_ATTEMPT"]
        marks[attempt] = "answered"
        await self.clock.sleep(POLL / 2)
        marks[attempt] = "waiting"
        await self.clock.sleep(POLL)
        marks[attempt] = "connected"
        self.connected.append(request.number)
        await self.clock.sleep(2 * POLL)
        self.switchboard.channels.discard(request.channel_id)

    async def _listen(self, request: DialRequest) -> None:
        marks, attempt = self.switchboard.marks, request.variables["KLANTLIJN_ATTEMPT"]
        marks[attempt] = "answered"
        await self.clock.sleep(1.5 * POLL)
        marks[attempt] = "finished"
        self.told.append(request.number)
        self.switchboard.channels.discard(request.channel_id)


class Node:
    """A dialer with the real runner on a real store, at work from now on."""

    def __init__(
        self,
        store: CallbackStore,
        customers: Customers,
        *,
        owner: str = "a",
        operations: Operations | None = None,
        hours: OpeningHours = ALWAYS,
        queues: Mapping[str, Sequence[str]] = SUPPORT,
        **settings: Any,
    ) -> None:
        self.operations = operations or Operations()
        config = Callbacks(**({"poll_interval": POLL, "retry_after": 2 * POLL, "lease": 2 * POLL} | settings))
        asked_store: CallbackStore = _asked(store, self.operations, StoreUnavailable("broken off"))
        asked_switchboard: Switchboard = _asked(customers.switchboard, self.operations, AmiUnavailable("broken off"))
        clock = customers.clock
        runner = AttemptRunner(config, Asterisk(), asked_store, asked_switchboard, clock, owner)
        open_in = dict.fromkeys(queues, hours)
        self._dialer = Dialer(config, queues, open_in, hours, asked_store, asked_switchboard, runner, clock, owner)
        self.task = asyncio.create_task(self._dialer.run())

    async def stop(self) -> None:
        """Stop it; what it follows, it follows no more."""
        self.operations.is_dead = True
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def _asked(target: object, operations: Operations, failure: Exception) -> Any:
    return _Asked(target, operations, failure)


async def pass_time(clock: ManualClock, nodes: Sequence[Node], seconds: float) -> None:
    """Let time pass in steps, each as soon as the databases have answered everything."""
    for _ in range(int(seconds / POLL * 2)):
        await quiet(clock, nodes)
        await clock.advance(POLL / 2)
    await quiet(clock, nodes)


async def quiet(clock: ManualClock, nodes: Sequence[Node]) -> None:
    """Wait until no node waits for a database or for Asterisk."""
    async with asyncio.timeout(LIMIT):
        await clock.settle()
        while any(node.operations.open for node in nodes):
            await asyncio.sleep(0.0005)
            await clock.settle()


def number(last: int) -> PhoneNumber:
    return PhoneNumber(f"+316{last:08}")


async def book(store: CallbackStore, clock: ManualClock, last: int = 1, queue: str = "support") -> Callback:
    """Promise to call within the hour that begins now."""
    window = Window(clock.now(), clock.now() + timedelta(hours=1))
    request = CallbackRequest(number(last), window, queue, Language.NL, f"contact-{last}")
    return await store.book(request, now=clock.now(), capacity=1000)


async def promise_news(database: Database, clock: ManualClock, *lasts: int) -> list[Callback]:
    """Promises to tell that an outage is over, which it is now."""
    outages, outage = StoredOutages(database), OutageId(uuid4().hex)
    await outages.add(Outage(outage, clock.now()))
    for last in lasts:
        notice = OutageNotice(outage, number(last), Language.NL, f"contact-{last}")
        assert await outages.call_after(notice, now=clock.now(), not_before=clock.now())
    assert await outages.close(outage, clock.now())
    asked = {number(last) for last in lasts}
    stored = await StoredCallbacks(database).callbacks(only_open=True)
    return [promise for promise in stored if promise.request.number in asked]
