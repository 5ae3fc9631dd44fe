"""The dossier of one call's customer, asked of the systems that know them while the welcome plays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import structlog

from ivr.domain.caller import Customer, CustomerId
from ivr.domain.capability import DOSSIER, Capability
from ivr.errors import ConnectorError
from ivr.ports import Clock, ConnectorSession

log = structlog.get_logger()


class DossierLookup:
    """Asks for the parts that flows use, of every system as soon as it is known who it knows the customer as.

    When a system gives no answer, what it told lately is used; a late answer is used from
    then on. `changed` is called when more is known.
    """

    def __init__(
        self,
        systems: Sequence[ConnectorSession],
        parts: frozenset[Capability],
        *,
        budget: float,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self._systems = systems
        self._parts = parts
        self._budget = budget
        self._clock = clock
        self._changed = changed
        self._known_as: dict[int, CustomerId] = {}
        self._told: dict[tuple[int, Capability], Sequence[Any]] = {}
        self._under_way: dict[asyncio.Task[None], frozenset[Capability]] = {}
        self._until = clock.monotonic() + budget

    def expect(self, asking: Coroutine[Any, Any, None], place: int) -> None:
        """Wait for what may still tell who the system at a place knows the customer as, as for its parts."""
        self._begin(asking, self._parts & self._systems[place].capabilities)

    def begin(self, place: int, customer: CustomerId) -> None:
        """The system at a place knows the customer by this id: ask it."""
        now = self._clock.monotonic()
        if not self._known_as and now >= self._until:
            # Who is known late, or by what they keyed. Else the first words would wait for who it is and then for this.
            self._until = now + self._budget
        if place in self._known_as:
            return
        self._known_as[place] = customer
        for part in self._parts & self._systems[place].capabilities & set(DOSSIER):
            self._begin(self._ask(place, part, customer), frozenset({part}))

    def forget(self) -> None:
        """The caller turned out to be somebody else."""
        self.close()
        self._known_as.clear()
        self._told.clear()

    def completed(self, customer: Customer) -> Customer:
        """A customer with what the systems told."""
        told: dict[str, Any] = {}
        for (_, part), found in sorted(self._told.items(), key=lambda each: each[0][0]):
            seen = {each.number for each in told.get(part, ())}
            told[part] = (*told.get(part, ()), *(each for each in found if each.number not in seen))
        references = {self._systems[place].name: known_as for place, known_as in self._known_as.items()}
        return replace(customer, **told, references=tuple(references.items()))

    async def ready(self, parts: frozenset[Capability]) -> None:
        """Wait until these parts are known, at most until the budget is spent."""
        while awaited := [task for task, of in self._under_way.items() if of & parts and not task.done()]:
            left = self._until - self._clock.monotonic()
            if left <= 0:
                return
            alarm = asyncio.ensure_future(self._clock.sleep(left))
            try:
                await asyncio.wait([*awaited, alarm], return_when=asyncio.FIRST_COMPLETED)
            finally:
                alarm.cancel()

    async def now(self, part: Capability) -> Sequence[Any]:
        """A part as the systems tell it now.

        Raises:
            ConnectorError: every system that keeps it failed, or none does.
        """
        failure = ConnectorError(f"no connected system keeps {part} of this customer")
        answered = False
        for place, customer in self._known_as.items():
            if part not in self._systems[place].capabilities:
                continue
            try:
                self._told[place, part] = await self._systems[place].dossier(part, customer)
                answered = True
            except ConnectorError as error:
                failure = error
        if not answered:
            raise failure
        self._changed()
        return [each for (_, of), found in sorted(self._told.items()) if of is part for each in found]

    def close(self) -> None:
        """The call is over: stop waiting."""
        for task in self._under_way:
            task.cancel()

    async def _ask(self, place: int, part: Capability, customer: CustomerId) -> None:
        system = self._systems[place]
        try:
            found = await system.dossier(part, customer)
        except ConnectorError as error:
            before = system.dossier_before(part, customer)
            if before is None:
                log.warning("dossier.not_told", connector=system.name, part=part.value, error=str(error))
                return
            found, age = before
            log.warning("dossier.as_before", connector=system.name, part=part.value, age_seconds=round(age))
        self._told[place, part] = found
        self._changed()

    def _begin(self, asking: Coroutine[Any, Any, None], parts: frozenset[Capability]) -> None:
        task = asyncio.create_task(asking)
        self._under_way[task] = parts
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("dossier.failed", error=type(error).__name__)
