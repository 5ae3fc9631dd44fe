"""Due work: finds promises to keep now, no more than there are agents for, and runs their attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from uuid import uuid4

from structlog.stdlib import get_logger

from ivr.config.model import Callbacks
from ivr.dialer.attempt import AttemptRunner
from ivr.domain.callback import Attempt, AttemptId, Callback, CallbackId
from ivr.domain.opening_hours import OpeningHours
from ivr.errors import AmiUnavailable, StoreUnavailable
from ivr.ports import CallbackStore, Clock, Switchboard

log = get_logger()


class Dialer:
    """Keeps promises, queue by queue. `queues` maps each queue to the Asterisk queues that serve it."""

    def __init__(
        self,
        config: Callbacks,
        queues: Mapping[str, Sequence[str]],
        hours: OpeningHours,
        store: CallbackStore,
        switchboard: Switchboard,
        runner: AttemptRunner,
        clock: Clock,
        owner: str,
    ) -> None:
        self._config = config
        self._queues = queues
        self._hours = hours
        self._store = store
        self._switchboard = switchboard
        self._runner = runner
        self._clock = clock
        self._owner = owner
        self._running: dict[CallbackId, tuple[str, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Keep promises until cancelled; attempts that are under way then go on in Asterisk and are settled later."""
        try:
            while True:
                await self.step()
                await self._clock.sleep(self._config.poll_interval)
        finally:
            for _, task in self._running.values():
                task.cancel()

    async def step(self) -> None:
        """Look once for attempts nobody follows any more and for promises that are due."""
        try:
            await self._resume()
            if self._hours.is_open(self._clock.now()):
                for queue, asterisk_queues in self._queues.items():
                    await self._dial_due(queue, asterisk_queues)
        except StoreUnavailable as error:
            log.warning("dialer waits for the database", error=str(error))
        except AmiUnavailable:
            # The AMI client says so itself, once.
            return

    async def _resume(self) -> None:
        for callback in await self._store.unfinished():
            if callback.id in self._running:
                continue
            now = self._clock.now()
            lease_until = now + timedelta(seconds=self._config.lease)
            if not await self._store.hold(callback.id, owner=self._owner, now=now, lease_until=lease_until):
                continue
            attempt = callback.attempts[-1]
            log.info("callback attempt resumed", callback=callback.id, attempt=attempt.id)
            self._follow(callback, self._runner.settle(callback, attempt))

    async def _dial_due(self, queue: str, asterisk_queues: Sequence[str]) -> None:
        free = await self._switchboard.free_agents(asterisk_queues)
        free -= sum(1 for running_queue, _ in self._running.values() if running_queue == queue)
        if free <= 0:
            return
        now = self._clock.now()
        due = await self._store.claim_due(
            queue=queue,
            now=now,
            owner=self._owner,
            lease_until=now + timedelta(seconds=self._config.lease),
            limit=free,
        )
        for callback in due:
            # The channel's id is ours and chosen now, so that whoever resumes can ask Asterisk for it.
            attempt_id = AttemptId(uuid4().hex)
            attempt = Attempt(attempt_id, callback.id, f"callback-{attempt_id}", started_at=now)
            self._follow(callback, self._runner.dial(callback, attempt))

    def _follow(self, callback: Callback, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running[callback.id] = (callback.request.queue, task)
        task.add_done_callback(lambda done: self._done(callback.id, done))

    def _done(self, callback_id: CallbackId, task: asyncio.Task[None]) -> None:
        self._running.pop(callback_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("callback attempt could not be settled yet", callback=callback_id, error=str(error))
