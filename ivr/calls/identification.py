"""Identification: who calls, asked of every connected system at once, in time, and better late than never."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog

from ivr.domain.caller import Caller, Customer, Identification, IdentificationState
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.domain.region import Region, region_of
from ivr.errors import ConnectorError
from ivr.ports import Clock, ConnectorSession

log = structlog.get_logger()

UNSETTLED = frozenset({IdentificationState.PENDING, IdentificationState.UNAVAILABLE})
"""States that a later answer may still better."""


class Identifier:
    """Asks connectors, the most trusted first in `connectors`, who a line belongs to.

    All are asked together. The answer is that of the first who knows the number: KNOWN with
    one customer, AMBIGUOUS with more. It is given as soon as everybody before them has
    answered, and after `budget` seconds at the latest. UNKNOWN means that every one of
    them said so; when nobody knows the number but somebody gave no answer it is UNAVAILABLE.

    It is an `ivr.ports.CustomerDirectory`, and starts a `CallerLookup` for a call.
    """

    def __init__(
        self, connectors: Sequence[ConnectorSession], *, budget: float, clock: Clock, regions: Sequence[Region] = ()
    ) -> None:
        self._connectors = tuple(connectors)
        self._budget = budget
        self._clock = clock
        self._regions = tuple(regions)

    async def identify(self, number: PhoneNumber) -> Identification:
        """Who calls from a number. Answers within the budget, UNAVAILABLE when it cannot; never raises."""
        lookup = self.start(Line(LineState.KNOWN, number))
        try:
            return (await lookup.answer()).identification
        finally:
            lookup.close()

    def start(self, line: Line) -> CallerLookup:
        """Begin to find out who calls; returns at once. Close it when the call ends."""
        return CallerLookup(line, self._connectors, budget=self._budget, clock=self._clock, regions=self._regions)


class CallerLookup:
    """What one call knows of its caller, at every moment of the call.

    The look-up begins when this is made, and goes on after the budget for as long as the
    connectors' guards let it: PENDING and UNAVAILABLE are bettered by an answer that comes
    late. Who has been named once is not replaced, so nobody is greeted by two names.
    A line without a number is answered at once and nobody is asked.
    """

    def __init__(
        self,
        line: Line,
        connectors: Sequence[ConnectorSession],
        *,
        budget: float,
        clock: Clock,
        regions: Sequence[Region] = (),
    ) -> None:
        self._line = line
        self._clock = clock
        self._regions = regions
        self._answers: list[Sequence[Customer] | ConnectorError | None] = [None] * len(connectors)
        self._budget_spent = False
        self._answered = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._caller = self._caller_as(IdentificationState.PENDING)
        if line.number is None:
            withheld = line.state is LineState.WITHHELD
            self._settle(IdentificationState.WITHHELD if withheld else IdentificationState.UNKNOWN)
        else:
            for place, connector in enumerate(connectors):
                self._begin(self._ask(place, connector, line.number))
            self._begin(self._spend(budget))
            self._decide()

    def current(self) -> Caller:
        """The caller as known now."""
        return self._caller

    async def answer(self) -> Caller:
        """The caller, as soon as it is clear who it is and at the end of the budget at the latest."""
        await self._answered.wait()
        return self._caller

    async def settled(self, within: float) -> Caller:
        """The caller, as `answer` gives it, but after `within` seconds at the latest; then perhaps still PENDING."""
        if not self._answered.is_set():
            waited_for: set[asyncio.Future[object]] = {
                asyncio.ensure_future(self._answered.wait()),
                asyncio.ensure_future(self._clock.sleep(within)),
            }
            try:
                await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for waiting in waited_for:
                    waiting.cancel()
        return self._caller

    def close(self) -> None:
        """The call is over: stop waiting. Requests that are under way end by themselves, in their guards' time."""
        for task in self._tasks:
            task.cancel()
        self._answered.set()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("identification.failed", error=type(error).__name__)

    async def _ask(self, place: int, connector: ConnectorSession, number: PhoneNumber) -> None:
        try:
            self._answers[place] = await connector.find_caller(number)
        except ConnectorError as error:
            self._answers[place] = error
        self._decide()

    async def _spend(self, budget: float) -> None:
        await self._clock.sleep(budget)
        self._budget_spent = True
        self._decide()

    def _decide(self) -> None:
        """Settle what the answers so far allow; see Identifier for the rule."""
        if self._caller.identification.state not in UNSETTLED:
            return
        for answer in self._answers:
            if answer is None and not self._budget_spent:
                return
            if isinstance(answer, Sequence) and answer:
                only = answer[0] if len({customer.id for customer in answer}) == 1 else None
                self._settle(IdentificationState.KNOWN if only else IdentificationState.AMBIGUOUS, only)
                return
        everybody_answered = all(isinstance(answer, Sequence) for answer in self._answers)
        self._settle(IdentificationState.UNKNOWN if everybody_answered else IdentificationState.UNAVAILABLE)

    def _settle(self, state: IdentificationState, customer: Customer | None = None) -> None:
        self._caller = self._caller_as(state, customer)
        self._answered.set()
        if state not in UNSETTLED:
            here = asyncio.current_task()
            for task in self._tasks - {here}:
                task.cancel()

    def _caller_as(self, state: IdentificationState, customer: Customer | None = None) -> Caller:
        postcode = customer.postcode if customer else None
        region = region_of(self._regions, postcode=postcode, number=self._line.number)
        return Caller(self._line, Identification(state, customer), region)
