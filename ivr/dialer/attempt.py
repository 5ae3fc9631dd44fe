"""One attempt: dial the customer, and find out for certain how it ended.

What happened is read from Asterisk itself, not remembered: the extensions mark in
Asterisk's own database how far an attempt came. So an attempt that outlives the process
that dialled it is settled by the next one in the same way, neither lost nor repeated.
"""

from __future__ import annotations

from datetime import timedelta

from structlog.stdlib import get_logger

from ivr.config.model import Asterisk, Callbacks
from ivr.dialer.retry import after
from ivr.domain.callback import Attempt, AttemptOutcome, Callback
from ivr.domain.line import mask
from ivr.errors import AmiUnavailable, StoreUnavailable
from ivr.ports import CallbackStore, Clock, DialOutcome, DialRequest, Switchboard

log = get_logger()

# What the extensions write under `klantlijn/<attempt>`, and what it means once the call is over.
MARKS = {
    "answered": AttemptOutcome.NOT_CONFIRMED,
    "waiting": AttemptOutcome.NO_AGENT,
    "refused": AttemptOutcome.REFUSED,
    "connected": AttemptOutcome.CONNECTED,
}
DIALLED = {
    DialOutcome.BUSY: AttemptOutcome.BUSY,
    DialOutcome.NO_ANSWER: AttemptOutcome.NO_ANSWER,
    DialOutcome.CONGESTION: AttemptOutcome.CONGESTION,
    DialOutcome.FAILED: AttemptOutcome.FAILED,
}


class AttemptRunner:
    """Runs attempts for promises this node holds."""

    def __init__(
        self,
        config: Callbacks,
        asterisk: Asterisk,
        store: CallbackStore,
        switchboard: Switchboard,
        clock: Clock,
        owner: str,
    ) -> None:
        self._config = config
        self._asterisk = asterisk
        self._store = store
        self._switchboard = switchboard
        self._clock = clock
        self._owner = owner

    async def dial(self, callback: Callback, attempt: Attempt) -> None:
        """Dial a promise's customer; `attempt` is stored before anything rings.

        Raises:
            StoreUnavailable: nothing was dialled, or how it ended could not be stored yet.
        """
        if not await self._store.begin_attempt(callback.id, attempt, owner=self._owner):
            return
        log.info("callback dialled", callback=callback.id, attempt=attempt.id, number=mask(callback.request.number))
        request = DialRequest(
            channel_id=attempt.channel_id,
            number=callback.request.number,
            context=self._asterisk.callback_context,
            exten="s",
            timeout=self._config.ring_for,
            caller_id=self._config.caller_id,
            variables={"KLANTLIJN_CALLBACK": callback.id, "KLANTLIJN_ATTEMPT": attempt.id},
        )
        try:
            dialled = await self._switchboard.dial(request)
        except AmiUnavailable:
            dialled = DialOutcome.CONGESTION
        await self.settle(callback, attempt, DIALLED.get(dialled))

    async def settle(self, callback: Callback, attempt: Attempt, dialled: AttemptOutcome | None = None) -> None:
        """Follow an attempt until its channel is gone, then store what became of it.

        `dialled` is how dialling ended when it did not end in an answer, else None.

        Raises:
            StoreUnavailable: the end could not be stored; settle again later.
        """
        # An attempt that has ended already was stored by a process that stopped before it stored what follows.
        reached = dialled if attempt.outcome is AttemptOutcome.PENDING else attempt.outcome
        while reached is None:
            if not await self._hold(callback):
                return
            try:
                # Asked in this order: a channel that is gone leaves no more marks.
                is_up = await self._switchboard.is_up(attempt.channel_id)
                mark = await self._switchboard.mark(attempt.id)
            except AmiUnavailable:
                await self._clock.sleep(self._config.poll_interval)
                continue
            outcome = MARKS.get(mark or "", AttemptOutcome.NO_ANSWER)
            if not is_up or outcome is AttemptOutcome.CONNECTED:
                reached = outcome
            else:
                await self._clock.sleep(self._config.poll_interval)
        await self._end(callback, attempt, reached)

    async def _hold(self, callback: Callback) -> bool:
        now = self._clock.now()
        until = now + timedelta(seconds=self._config.lease)
        try:
            return await self._store.hold(callback.id, owner=self._owner, now=now, lease_until=until)
        except StoreUnavailable:
            # The database being away does not end the call; the lease is taken again when it is back.
            return True

    async def _end(self, callback: Callback, attempt: Attempt, outcome: AttemptOutcome) -> None:
        now = self._clock.now()
        verdict = after(
            callback,
            attempt,
            outcome,
            now=now,
            attempts=self._config.attempts,
            wait=timedelta(seconds=self._config.retry_after),
        )
        await self._store.end_attempt(attempt.id, outcome, at=now)
        moved = await self._store.move(
            callback.id,
            verdict.state,
            at=now,
            reason=verdict.reason,
            not_before=verdict.not_before,
            owner=self._owner,
        )
        if not moved:
            # It was replaced or cancelled meanwhile, or another node took it over; what they stored stands.
            log.info("callback no longer ours", callback=callback.id, outcome=outcome.value)
            return
        log.info("callback attempt ended", callback=callback.id, outcome=outcome.value, promise=verdict.state.value)
