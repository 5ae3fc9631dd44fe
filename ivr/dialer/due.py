"""Due work: finds promises to keep now, no more than there are agents for, and runs their attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from datetime import timedelta
from uuid import uuid4

from structlog.stdlib import get_logger

from ivr.config.model import Callbacks
from ivr.dialer.attempt import AttemptRunner
from ivr.domain.callback import Attempt, AttemptId, AttemptOutcome, Callback, CallbackState
from ivr.domain.opening_hours import OpeningHours
from ivr.errors import AmiUnavailable, IvrError, StoreError
from ivr.ports import CallbackStore, Clock, Switchboard

log = get_logger()

NO_QUEUE = ""
"""The queue of who needs no agent."""


class Dialer:
    """Keeps promises, queue by queue. `queues` maps each queue to the Asterisk queues that serve it, `hours` to when.

    A customer is only called while people answer in the queue that they are put through to;
    who needs no agent, but is to be told something, in `usual_hours`.
    """

    def __init__(
        self,
        config: Callbacks,
        queues: Mapping[str, Sequence[str]],
        hours: Mapping[str, OpeningHours],
        usual_hours: OpeningHours,
        store: CallbackStore,
        switchboard: Switchboard,
        runner: AttemptRunner,
        clock: Clock,
        owner: str,
    ) -> None:
        self._config = config
        self._queues = queues
        self._hours = hours
        self._usual_hours = usual_hours
        self._store = store
        self._switchboard = switchboard
        self._runner = runner
        self._clock = clock
        self._owner = owner
        self._running: dict[AttemptId, tuple[str, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Keep promises until cancelled; attempts that are under way then go on in Asterisk and are settled later."""
        try:
            while True:
                await self.step()
                await self._clock.sleep(self._config.poll_interval)
        finally:
            await self._let_go()

    async def step(self) -> None:
        """Look once for attempts nobody follows any more and for promises that are due."""
        try:
            unfinished = await self._store.unfinished()
            await self._resume(unfinished)
            for queue in self._queues:
                if self._hours[queue].is_open(self._clock.now()):
                    free = await self._switchboard.free_agents(self._queues[queue])
                    await self._dial_due(queue, free - self._expected_agents(queue, unfinished))
            if self._usual_hours.is_open(self._clock.now()):
                await self._dial_due(NO_QUEUE, self._config.news_at_once - self._telling(unfinished))
        except StoreError as error:
            log.warning("dialer waits for the database", error=str(error))
        except AmiUnavailable:
            # The AMI client says so itself, once.
            return

    async def _resume(self, unfinished: Sequence[Callback]) -> None:
        for callback in unfinished:
            for attempt in _pending(callback):
                if attempt.id not in self._running and await self._take_over(callback):
                    log.info("callback attempt resumed", callback=callback.id, attempt=attempt.id)
                    self._follow(callback, attempt, self._runner.settle(callback, attempt))

    async def _take_over(self, callback: Callback) -> bool:
        now = self._clock.now()
        lease_until = now + timedelta(seconds=self._config.lease)
        state = await self._store.hold(callback.id, owner=self._owner, now=now, lease_until=lease_until)
        # None: another node follows it. BOOKED: it was settled since it was read.
        return state is not None and state is not CallbackState.BOOKED

    async def _dial_due(self, queue: str, most: int) -> None:
        if most <= 0:
            return
        now = self._clock.now()
        due = await self._store.claim_due(
            queue=queue,
            now=now,
            owner=self._owner,
            lease_until=now + timedelta(seconds=self._config.lease),
            limit=most,
        )
        for callback in due:
            # The channel's id is ours and chosen now, so that whoever resumes can ask Asterisk for it.
            attempt_id = AttemptId(uuid4().hex)
            attempt = Attempt(attempt_id, callback.id, f"callback-{attempt_id}", started_at=now)
            self._follow(callback, attempt, self._runner.dial(callback, attempt))

    def _expected_agents(self, queue: str, unfinished: Sequence[Callback]) -> int:
        """How many of a queue's agents the attempts under way will need: of any node, of any queue that shares them."""
        agents = set(self._queues[queue])
        under_way = self._under_way(unfinished)
        return sum(1 for other in under_way if not agents.isdisjoint(self._queues.get(other, ())))

    def _telling(self, unfinished: Sequence[Callback]) -> int:
        """How many who need no agent are being called: by any node."""
        return sum(1 for queue in self._under_way(unfinished) if queue == NO_QUEUE)

    def _under_way(self, unfinished: Sequence[Callback]) -> Collection[str]:
        """The queue of each attempt under way."""
        queue_of = {attempt.id: callback.request.queue for callback in unfinished for attempt in _pending(callback)}
        queue_of |= {attempt_id: running_queue for attempt_id, (running_queue, _) in self._running.items()}
        return queue_of.values()

    def _follow(self, callback: Callback, attempt: Attempt, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running[attempt.id] = (callback.request.queue, task)
        task.add_done_callback(lambda done: self._done(attempt.id, done))

    def _done(self, attempt_id: AttemptId, task: asyncio.Task[None]) -> None:
        del self._running[attempt_id]
        if task.cancelled() or (error := task.exception()) is None:
            return
        mistake = None if isinstance(error, IvrError) else error
        log.error("callback attempt not settled yet", attempt=attempt_id, error=str(error), exc_info=mistake)

    async def _let_go(self) -> None:
        """Stop following. What is being stored at this moment is stored whole or not at all."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _pending(callback: Callback) -> Sequence[Attempt]:
    return [attempt for attempt in callback.attempts if attempt.outcome is AttemptOutcome.PENDING]
