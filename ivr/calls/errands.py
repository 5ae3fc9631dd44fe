"""Errands: what connected systems are asked to do, taken at once and carried out until they are done or have failed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta

from structlog.stdlib import get_logger

from ivr.config.errands import Errands
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.contact import ContactEvent, ContactId, EventKind, Json
from ivr.domain.errand import (
    NOTE,
    Assignment,
    ContactNote,
    ErrandReport,
    ErrandState,
    KeptErrand,
    Message,
    Ticket,
    kind_of,
)
from ivr.errors import ConnectorError, ConnectorRefused, StoreError
from ivr.ports import Clock, ErrandBook, ErrandStore, ErrandSystem
from ivr.ports.errands import NotesOf

log = get_logger()

AT_ONCE = 10
"""Errands under way at a time: fewer than a system's places by default, so that callers always find one."""

NOTED_AT_ONCE = 50
"""Contacts whose notes are written in one transaction."""

MARGIN = 30.0
"""Seconds that a claim outlasts the slowest system, for what it came to to reach the database."""


class Outbox:
    """Takes errands (an `ivr.ports.ErrandDesk`), and carries out those that are due.

    What it takes is in the journal's spool before anything is done with it, and in the
    store, under its key, soon after. From there every node claims what is due for the time
    of a lease. What an attempt came to goes the same way, so that a database that is away
    neither holds up a call nor makes anything be forgotten. An errand may only be done twice
    when a process dies, or is cut off from the database for longer than a lease, between the
    doing and the writing down; its key is the same then.

    `notes_of` says what connected systems have to know of a contact that ended.
    """

    def __init__(
        self,
        config: Errands,
        systems: Mapping[str, ErrandSystem],
        store: ErrandStore,
        book: ErrandBook,
        clock: Clock,
        owner: str,
        *,
        longest: float,
        notes_of: NotesOf,
    ) -> None:
        """`longest` is how many seconds the slowest system may take for an answer."""
        self._config = config
        self._systems = systems
        self._store = store
        self._book = book
        self._clock = clock
        self._owner = owner
        self._lease = timedelta(seconds=longest + MARGIN)
        self._notes_of = notes_of
        self._began = clock.now()
        self._released = False
        self._running: dict[str, asyncio.Task[ErrandReport]] = {}
        self.counts: Mapping[ErrandState, int] = {ErrandState.WAITING: 0, ErrandState.FAILED: 0}
        """How many wait and have failed, as they were last counted."""

    # --- taking ------------------------------------------------------------------------------------------------------

    async def open_ticket(self, ticket: Ticket, customer: Customer | None, *, within: float) -> str | None:
        """Open a ticket now. Its number, or None when it is not known within so many seconds: it is opened later then.

        Raises:
            ConnectorRefused: the system refuses it, or none is named for tickets.
        """
        connector = self._config.tickets
        if connector is None:
            raise ConnectorRefused("errands.tickets in config.yaml names no connector")
        known_as = dict(customer.references).get(connector) if customer else None
        now = self._clock.now()
        assignment = Assignment(
            ticket, connector, ticket.contact_id, now, known_as, self._owner, held_until=now + self._lease
        )
        self._book.assign(assignment)
        working = self._begin(KeptErrand(assignment, since=now))
        alarm = asyncio.ensure_future(self._clock.sleep(within))
        try:
            # Whoever stops waiting leaves it under way.
            await asyncio.wait({working, alarm}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
        report = working.result() if working.done() else None
        if report is not None and report.state is ErrandState.FAILED:
            raise ConnectorRefused(report.reason)
        return report.result if report is not None and report.state is ErrandState.DONE else None

    def send(self, message: Message, contact_id: ContactId) -> None:
        """Send a message soon."""
        connector = self._config.messages.of(message.kind)
        self._book.assign(Assignment(message, connector or "", contact_id, self._clock.now()))

    # --- carrying out ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Carry out what is due until cancelled."""
        try:
            while True:
                is_busy = await self.step()
                if is_busy:
                    # More may be due than could be begun: on with it as soon as one is done.
                    await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
                else:
                    await self._clock.sleep(self._config.poll_interval)
        finally:
            # What a system is doing now is waited for, so that it need not be done again.
            working = [*self._running.values()]
            if working:
                await asyncio.wait(working, timeout=self._lease.total_seconds())
            for task in working:
                task.cancel()

    async def step(self) -> bool:
        """Note contacts that ended and begin errands that are due; whether as many are under way as may be."""
        if self._book.is_database_away:
            # What was done may not be written down yet: it must not be claimed again.
            return False
        try:
            if not self._released:
                # A process of this name that is gone: what it had claimed need not wait for its leases to end.
                await self._store.release(self._owner, until=self._began + self._lease)
                self._released = True
            if self._config.contacts:
                since = self._clock.now() - timedelta(seconds=self._config.give_up_after)
                await self._store.note_ended(self._notes_of, since=since, limit=NOTED_AT_ONCE)
            await self._begin_due()
            self.counts = await self._store.counts()
        except StoreError as error:
            log.warning("errands wait for the database", error=str(error))
            return False
        return len(self._running) >= AT_ONCE

    async def settled(self) -> None:
        """Wait until what is under way has come to something."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _begin_due(self) -> None:
        room = AT_ONCE - len(self._running)
        if room <= 0:
            return
        now = self._clock.now()
        due = await self._store.claim_due(now=now, owner=self._owner, lease_until=now + self._lease, limit=room)
        for kept in due:
            if kept.assignment.errand.key not in self._running:
                self._begin(kept)

    def _begin(self, kept: KeptErrand) -> asyncio.Task[ErrandReport]:
        key = kept.assignment.errand.key
        task = asyncio.create_task(self._attempt(kept))
        self._running[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: str, task: asyncio.Task[ErrandReport]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
        if not task.cancelled() and (mistake := task.exception()) is not None:
            log.error("errand not settled yet", errand=key, exc_info=mistake)

    async def _attempt(self, kept: KeptErrand) -> ErrandReport:
        """One attempt, and what is written down of it."""
        errand, connector = kept.assignment.errand, kept.assignment.connector
        error: ConnectorError | None = None
        result = ""
        try:
            result = await self._carry_out(kept.assignment)
        except ConnectorError as failure:
            error = failure
        report = self._report(kept, result, error)
        self._book.report(report)
        if report.state is ErrandState.FAILED:
            log.error("errand failed", errand=errand.key, connector=connector, reason=report.reason)
        elif report.state is ErrandState.WAITING:
            log.warning("errand put off", errand=errand.key, connector=connector, reason=report.reason)
        self._tell(kept.assignment, report)
        return report

    async def _carry_out(self, assignment: Assignment) -> str:
        """Have the system do it; a ticket's number. Raises ConnectorError."""
        system, customer = self._systems.get(assignment.connector), assignment.customer_id
        if system is None:
            named = assignment.connector or "a connector for it"
            raise ConnectorRefused(f"errands in config.yaml does not name {named}")
        match assignment.errand:
            case Ticket() as ticket:
                return await system.create_ticket(ticket, customer)
            case ContactNote() as note:
                await system.log_contact(note, customer or CustomerId(""))
            case Message() as message:
                await system.send_message(message)
        return ""

    def _report(self, kept: KeptErrand, result: str, error: ConnectorError | None) -> ErrandReport:
        now, key, attempt = self._clock.now(), kept.assignment.errand.key, kept.attempts + 1
        if error is None:
            return ErrandReport(key, attempt, now, ErrandState.DONE, result=result)
        reason = ", ".join(map(str, error.args)) or str(error)
        again_at = now + timedelta(seconds=self._pause(attempt))
        if not error.retryable:
            return ErrandReport(key, attempt, now, ErrandState.FAILED, reason)
        if again_at > kept.since + timedelta(seconds=self._config.give_up_after):
            return ErrandReport(key, attempt, now, ErrandState.FAILED, f"given up after {attempt} attempts: {reason}")
        return ErrandReport(key, attempt, now, ErrandState.WAITING, reason, not_before=again_at)

    def _pause(self, attempt: int) -> float:
        """Seconds until the next attempt: twice as long each time, and never for many errands the same."""
        doubled: float = self._config.retry_after * 2.0 ** min(attempt - 1, 30)
        return min(self._config.retry_max, doubled) * random.uniform(0.75, 1.25)  # noqa: S311 - nothing secret hangs on it

    def _tell(self, assignment: Assignment, report: ErrandReport) -> None:
        """Write in the contact's own journal what became of its errand."""
        kind = kind_of(assignment.errand)
        over = report.state is not ErrandState.WAITING
        if not over or (kind == NOTE and report.state is ErrandState.DONE):
            return
        detail: dict[str, Json] = {"errand": kind, "state": report.state.value}
        if report.result:
            detail["number"] = report.result
        if report.reason:
            detail["reason"] = report.reason
        identity = f"{report.key}-{report.attempt}"
        self._book.event(ContactEvent(identity, assignment.contact_id, report.at, EventKind.ERRAND, detail=detail))
