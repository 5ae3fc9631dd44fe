"""Identification: who calls, asked of every connected system at once, in time, and better late than never."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog

from ivr.calls.dossier import DossierLookup
from ivr.domain.address import same_postcode_digits
from ivr.domain.caller import Caller, Customer, Identification, IdentificationState, is_same_customer, merged
from ivr.domain.capability import KEPT_BY, Capability
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.domain.region import Region, region_of
from ivr.errors import ConnectorError
from ivr.ports import Clock, ConnectorSession, CustomerIndex

log = structlog.get_logger()

UNSETTLED = frozenset({IdentificationState.PENDING, IdentificationState.UNAVAILABLE})
"""States that a later answer may still better."""


class Identifier:
    """Asks connectors, the most trusted first in `connectors`, who a line belongs to.

    All are asked together. The answer is that of the first who knows the number: KNOWN with
    one customer, AMBIGUOUS with more. It is given as soon as everybody before them has
    answered, and after `budget` seconds at the latest. UNKNOWN means that every one of
    them said so; when nobody knows the number but somebody gave no answer it is UNAVAILABLE.
    What is in the `index` need not be asked.

    It is an `ivr.ports.CustomerDirectory`, and starts a `CallerLookup` for a call.
    """

    def __init__(
        self,
        connectors: Sequence[ConnectorSession],
        *,
        budget: float,
        clock: Clock,
        regions: Sequence[Region] = (),
        index: CustomerIndex | None = None,
    ) -> None:
        self._connectors = tuple(connectors)
        self._budget = budget
        self._clock = clock
        self._regions = tuple(regions)
        self._index = index

    async def identify(self, identity: Identity) -> Identification:
        """Whose a number, an address, a name or a customer number is, on whatever channel it came.

        Answers within the budget, UNAVAILABLE when it cannot; never raises.
        """
        line = Line(LineState.ABSENT)
        if identity.kind is IdentityKind.PHONE:
            line = Line(LineState.KNOWN, PhoneNumber(identity.value))
        lookup = self._lookup(line, identity, frozenset())
        try:
            return (await lookup.answer()).identification
        finally:
            lookup.close()

    def start(self, line: Line, fields: frozenset[str] = frozenset()) -> CallerLookup:
        """Begin to find out who calls; returns at once. Close it when the call ends.

        `fields` are those of a customer that the call may use: nothing else is asked for.
        """
        identity = Identity(IdentityKind.PHONE, line.number) if line.number else None
        return self._lookup(line, identity, fields)

    def _lookup(self, line: Line, identity: Identity | None, fields: frozenset[str]) -> CallerLookup:
        return CallerLookup(
            line,
            identity,
            self._connectors,
            budget=self._budget,
            clock=self._clock,
            regions=self._regions,
            index=self._index,
            fields=fields,
        )


class CallerLookup:
    """What one call knows of its caller, at every moment of the call (an `ivr.ports.Enquiry`).

    The look-up begins when this is made, and goes on after the budget for as long as the
    connectors' guards let it: PENDING and UNAVAILABLE are bettered by an answer that comes
    late. Who has been named once is not replaced, so nobody is greeted by two names; what
    other systems know of the same customer is added. Without an `identity`, as on a line
    without a number, it is answered at once and nobody is asked.
    """

    def __init__(
        self,
        line: Line,
        identity: Identity | None,
        connectors: Sequence[ConnectorSession],
        *,
        budget: float,
        clock: Clock,
        regions: Sequence[Region] = (),
        index: CustomerIndex | None = None,
        fields: frozenset[str] = frozenset(),
    ) -> None:
        self._line = line
        self._systems = connectors
        self._clock = clock
        self._regions = regions
        self._index = index
        wanted = frozenset(KEPT_BY[field] for field in fields if field in KEPT_BY)
        self._wants_proof = Capability.FIND_CALLER in wanted
        self._dossier = DossierLookup(connectors, wanted, budget=budget, clock=clock, changed=self._learn)
        self._answers: list[Sequence[Customer] | ConnectorError | None] = [None] * len(connectors)
        self._budget_spent = False
        self._answered = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._who: tuple[int, Customer] | None = None
        self._asked_also: set[int] = set()
        self._state = IdentificationState.PENDING
        self._recognised_by = identity.kind if identity else IdentityKind.PHONE
        self._is_somebody_else = False
        self._caller = Caller(line, region=region_of(regions, postcode=None, number=line.number))
        if identity is None:
            withheld = line.state is LineState.WITHHELD
            self._settle(IdentificationState.WITHHELD if withheld else IdentificationState.UNKNOWN)
        else:
            by_line = identity.kind is IdentityKind.PHONE
            needed = Capability.FIND_CALLER if by_line else Capability.FIND_CUSTOMER
            for place, connector in enumerate(connectors):
                if needed in connector.capabilities:
                    self._dossier.expect(self._ask(place, connector, identity), place)
                else:
                    self._answers[place] = ()
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

    async def ready(self, fields: frozenset[str]) -> None:
        """Wait until these fields of the customer are as well known as they can be in time. Never raises."""
        parts = frozenset(KEPT_BY[field] for field in fields if field in KEPT_BY)
        if parts:
            await self._dossier.ready(parts)

    async def look_up(self, part: Capability) -> Sequence[Any]:
        """A part of the customer's dossier as it is now; empty when nobody is known. Raises ConnectorError."""
        return await self._dossier.now(part) if self._who else ()

    async def recognise(self, identity: Identity, postcode: str) -> bool:
        """Find the one customer with this identity and postcode; they are the caller from now on.

        Raises:
            ConnectorError: no system could tell.
        """
        failure = ConnectorError("no connected system finds customers by what they key")
        answered = False
        for place, system in enumerate(self._systems):
            if Capability.FIND_CUSTOMER not in system.capabilities:
                continue
            try:
                found = await system.find_customer(identity)
            except ConnectorError as error:
                failure = error
                continue
            answered = True
            living_there = [customer for customer in found if same_postcode_digits(customer.postcode, postcode)]
            if len(living_there) == 1:
                self._dossier.forget()
                self._asked_also.clear()
                self._recognised_by, self._is_somebody_else = identity.kind, True
                self._answers = [None] * len(self._systems)
                self._settle(IdentificationState.KNOWN, (place, living_there[0]))
                return True
        if not answered:
            raise failure
        return False

    def close(self) -> None:
        """The call is over: stop waiting. Requests that are under way end by themselves, in their guards' time."""
        for task in self._tasks:
            task.cancel()
        self._dossier.close()
        self._answered.set()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("identification.failed", error=type(error).__name__)

    async def _ask(self, place: int, connector: ConnectorSession, identity: Identity) -> None:
        indexed = await self._index.find(connector.name, identity) if self._index else None
        if indexed is not None:
            self._heard(place, indexed)
            if not self._wants_proof:
                return
        try:
            if identity.kind is IdentityKind.PHONE:
                self._heard(place, await connector.find_caller(PhoneNumber(identity.value)))
            else:
                self._heard(place, await connector.find_customer(identity))
        except ConnectorError as error:
            if indexed is None:
                self._heard(place, error)

    async def _spend(self, budget: float) -> None:
        await self._clock.sleep(budget)
        self._budget_spent = True
        self._decide()

    def _heard(self, place: int, answer: Sequence[Customer] | ConnectorError) -> None:
        if self._is_somebody_else:
            return  # than the line said
        self._answers[place] = answer
        if self._who is None:
            self._decide()
        else:
            self._join(place)
            self._learn()

    def _decide(self) -> None:
        """Settle what the answers so far allow; see Identifier for the rule."""
        if self._state not in UNSETTLED:
            return
        for place, answer in enumerate(self._answers):
            if answer is None and not self._budget_spent:
                return
            if isinstance(answer, Sequence) and answer:
                only = _only(answer)
                state = IdentificationState.KNOWN if only else IdentificationState.AMBIGUOUS
                self._settle(state, (place, only) if only else None)
                return
        everybody_answered = all(isinstance(answer, Sequence) for answer in self._answers)
        self._settle(IdentificationState.UNKNOWN if everybody_answered else IdentificationState.UNAVAILABLE)

    def _settle(self, state: IdentificationState, who: tuple[int, Customer] | None = None) -> None:
        self._state, self._who = state, who
        if who is not None:
            self._dossier.begin(who[0], who[1].id)
            for place in range(len(self._systems)):
                self._join(place)
        self._learn()
        self._answered.set()
        if state not in UNSETTLED:
            for task in self._tasks - {asyncio.current_task()}:
                task.cancel()

    def _join(self, place: int) -> None:
        """Add what another system knows of the customer, as far as it means the same one."""
        if self._who is None:
            return
        chosen, customer = self._who
        answer, system = self._answers[place], self._systems[place]
        if place == chosen:
            # The index named them; the system itself knows more.
            again = [each for each in answer if each.id == customer.id] if isinstance(answer, Sequence) else []
            self._who = (chosen, again[0]) if again else self._who
        elif isinstance(answer, Sequence) and (other := _only(answer)) and is_same_customer(customer, other):
            self._dossier.begin(place, other.id)
            self._who = (chosen, merged(customer, other))
        elif (
            (self._is_somebody_else or (isinstance(answer, Sequence) and not answer))
            and Capability.FIND_CUSTOMER in system.capabilities
            and customer.customer_number
            and place not in self._asked_also
        ):
            self._asked_also.add(place)
            self._dossier.expect(self._find_also(place, customer.customer_number), place)

    async def _find_also(self, place: int, customer_number: str) -> None:
        """Find the customer in a system that does not know the line."""
        try:
            found = await self._systems[place].find_customer(Identity(IdentityKind.CUSTOMER_NUMBER, customer_number))
        except ConnectorError:
            return  # its guard counts it; the caller is who they are without it
        other = _only(found)
        if other and self._who:
            self._dossier.begin(place, other.id)
            self._who = (self._who[0], merged(self._who[1], other))
            self._learn()

    def _learn(self) -> None:
        """Tell the call what is known now."""
        customer = self._dossier.completed(self._who[1]) if self._who else None
        region = region_of(self._regions, postcode=customer.postcode if customer else None, number=self._line.number)
        self._caller = Caller(self._line, Identification(self._state, customer), region, self._recognised_by)


def _only(customers: Sequence[Customer]) -> Customer | None:
    """The one customer among the answers, if it is one."""
    return customers[0] if len({customer.id for customer in customers}) == 1 else None
