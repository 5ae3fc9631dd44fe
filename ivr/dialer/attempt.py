"""One attempt: dial the customer, and find out for certain how it ended.

What happened is read from Asterisk itself, not remembered: the extensions mark in
Asterisk's own database how far an attempt came. So an attempt that outlives the process
that dialled it is settled by the next one in the same way, neither lost nor repeated.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from structlog.stdlib import get_logger

from ivr.config.model import Asterisk, Callbacks
from ivr.dialer.retry import after
from ivr.domain.callback import Attempt, AttemptOutcome, Callback, CallbackPurpose, CallbackState
from ivr.domain.dialling import DialOutcome, DialRequest
from ivr.domain.line import mask
from ivr.errors import AmiUnavailable, StoreUnavailable, UnsafeValue
from ivr.ports import CallbackStore, Clock, Switchboard

log = get_logger()

# What the extensions write under `klantlijn/<attempt>`, and what it means once the call is over.
MARKS = {
    "answered": AttemptOutcome.NOT_CONFIRMED,
    "finished": AttemptOutcome.NOT_CONFIRMED,
    "waiting": AttemptOutcome.NO_AGENT,
    "connected": AttemptOutcome.CONNECTED,
}
# Who was only to be told something has been, once the flow came to its end.
MARKS_OF_NEWS = MARKS | {"finished": AttemptOutcome.TOLD}
UNMARKED = AttemptOutcome.NO_ANSWER
KEEPS = (AttemptOutcome.CONNECTED, AttemptOutcome.TOLD)
"""The outcomes that keep a promise."""
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
        """Dial the customer of a claimed promise and see it through; `attempt` is stored before anything rings.

        Raises:
            AmiUnavailable: nothing was dialled; the promise is due again when its claim has lapsed.
            StoreError: how it ended could not be stored.
        """
        if await self._is_settled_by_earlier(callback):
            return
        try:
            begun = await self._store.begin_attempt(callback.id, attempt, owner=self._owner)
        except StoreUnavailable:
            # It may have been stored all the same. That nothing was dialled is known here only.
            await self._end(callback, attempt, AttemptOutcome.CONGESTION)
            return
        if not begun:
            return
        if self._clock.now() - attempt.started_at >= timedelta(seconds=self._config.lease):
            # We stood still for so long that others may have taken the promise over.
            await self._end(callback, attempt, AttemptOutcome.CONGESTION)
            return
        watching = asyncio.create_task(self._watch_ringing(callback, attempt))
        try:
            dialled = await self._ring(callback, attempt)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await self.settle(callback, attempt, dialled)

    async def settle(self, callback: Callback, attempt: Attempt, dialled: AttemptOutcome | None = None) -> None:
        """Follow an attempt until the promise is kept or the call is over, then store what became of it.

        `dialled` is how dialling ended when it did not end in an answer, else None.

        Raises:
            StoreError: how it ended could not be stored.
        """
        outcome = dialled or await self._follow(callback, attempt)
        if outcome is not None:
            await self._end(callback, attempt, outcome)

    async def _is_settled_by_earlier(self, callback: Callback) -> bool:
        """Whether an earlier attempt came further than was seen when it was settled, so that nobody must be dialled.

        That is possible when Asterisk, or the node that dialled, stood still and then went on. Raises AmiUnavailable.
        """
        for earlier in callback.attempts:
            if await self._switchboard.is_up(earlier.channel_id):
                log.warning("an earlier attempt is still up", callback=callback.id, attempt=earlier.id)
                return True
            reached = await self._reached(callback, earlier)
            if reached in KEEPS:
                log.warning("an earlier attempt kept the promise after all", callback=callback.id, attempt=earlier.id)
                reason = f"{reached.value} in an earlier attempt"
                await self._store.move(
                    callback.id, CallbackState.KEPT, at=self._clock.now(), reason=reason, owner=self._owner
                )
                await self._switchboard.forget_mark(earlier.id)
                return True
        return False

    async def _ring(self, callback: Callback, attempt: Attempt) -> AttemptOutcome | None:
        """Dial. How it ended, or None when Asterisk's marks have to tell."""
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
            return DIALLED.get(await self._switchboard.dial(request))
        except AmiUnavailable:
            return AttemptOutcome.CONGESTION
        except UnsafeValue as error:
            log.error("callback cannot be dialled", callback=callback.id, error=str(error))
            return AttemptOutcome.FAILED

    async def _watch_ringing(self, callback: Callback, attempt: Attempt) -> None:
        """While it rings, keep the lease, and stop the ringing of a promise that is cancelled."""
        while True:
            await self._clock.sleep(self._config.poll_interval)
            state = await self._hold(callback)
            if state is not None and not state.is_open:
                with suppress(AmiUnavailable):
                    await self._switchboard.stop_ringing(attempt.channel_id)

    async def _follow(self, callback: Callback, attempt: Attempt) -> AttemptOutcome | None:
        """How an attempt ended by Asterisk's marks; None when another node holds the promise and follows it."""
        while True:
            state = await self._hold(callback)
            if state is None:
                return None
            try:
                # Asked in this order: a channel that is gone leaves no more marks.
                is_up = await self._switchboard.is_up(attempt.channel_id)
                reached = await self._reached(callback, attempt)
                if reached in KEEPS or not (is_up or self._may_still_begin(attempt, reached)):
                    return reached
                if not state.is_open:
                    await self._switchboard.stop_ringing(attempt.channel_id)
            except AmiUnavailable:
                reached = UNMARKED
            if reached is AttemptOutcome.NO_AGENT and state is CallbackState.DIALLING:
                await self._show_waiting(callback)
            await self._clock.sleep(self._config.poll_interval)

    async def _reached(self, callback: Callback, attempt: Attempt) -> AttemptOutcome:
        """How far an attempt came by Asterisk's mark. Raises AmiUnavailable."""
        marks = MARKS if callback.request.purpose is CallbackPurpose.TALK else MARKS_OF_NEWS
        return marks.get(await self._switchboard.mark(attempt.id) or "", UNMARKED)

    def _may_still_begin(self, attempt: Attempt, reached: AttemptOutcome) -> bool:
        """Whether Asterisk may still be doing what a process asked that has ended since."""
        asked_ago = self._clock.now() - attempt.started_at
        return reached is UNMARKED and asked_ago < timedelta(seconds=self._asterisk.ami.action_timeout)

    async def _hold(self, callback: Callback) -> CallbackState | None:
        now = self._clock.now()
        until = now + timedelta(seconds=self._config.lease)
        try:
            return await self._store.hold(callback.id, owner=self._owner, now=now, lease_until=until)
        except StoreUnavailable:
            # The database being away does not end the call; the lease is taken again when it is back.
            return CallbackState.CONNECTING

    async def _show_waiting(self, callback: Callback) -> None:
        # For people to see only, so when it cannot be stored now, the next look does it.
        with suppress(StoreUnavailable):
            await self._store.move(
                callback.id,
                CallbackState.CONNECTING,
                at=self._clock.now(),
                reason="the customer waits for an agent",
                owner=self._owner,
            )

    async def _end(self, callback: Callback, attempt: Attempt, outcome: AttemptOutcome) -> None:
        """Store how an attempt ended, however long that takes: a dialling's outcome is known here only."""
        now = self._clock.now()
        wait = timedelta(seconds=self._config.retry_after)
        verdict = after(callback, attempt, outcome, now=now, attempts=self._config.attempts, wait=wait)
        while True:
            try:
                ended = await self._store.end_attempt(
                    callback.id,
                    attempt.id,
                    outcome,
                    at=now,
                    state=verdict.state,
                    reason=verdict.reason,
                    not_before=verdict.not_before,
                )
                break
            except StoreUnavailable:
                await self._clock.sleep(self._config.poll_interval)
        if ended:
            log.info("callback attempt ended", callback=callback.id, outcome=outcome.value, promise=verdict.state.value)
        with suppress(AmiUnavailable):
            await self._switchboard.forget_mark(attempt.id)
