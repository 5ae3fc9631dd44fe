"""The engine: one loop that drives a call through its flow, and catches whatever goes wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from ivr.domain.contact import EventKind, Outcome
from ivr.domain.hand_over import HandOver
from ivr.errors import CallerHungUp, IvrError, StepLimitReached
from ivr.flow.course import Course
from ivr.flow.model import Placed
from ivr.flow.session import Session
from ivr.flow.step import Ended, GoTo, Result

APOLOGY = "apology"
"""The prompt that is said when a flow failed, before the caller goes to a person."""

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """How far one call may go, and how long it may go on when the caller has left: `flows` in config.yaml."""

    max_steps: int = 500
    max_seconds: float = 1800.0
    after_hangup: float = 10.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a flow ended.

    `handed_over` says where Asterisk takes the caller, if it does; `error` what went wrong, if anything did.
    """

    outcome: Outcome
    reason: str | None = None
    handed_over: HandOver | None = None
    error: str = ""


class Engine:
    """Runs flows. It keeps nothing of a call, so one engine serves them all."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()

    async def run(self, session: Session, flow: str) -> Ending:
        """Run a flow of the session's set over its channel, which has been answered. Never raises but when cancelled.

        A caller who leaves ends it, with what they were served as the outcome, once the flow's
        `on_hangup` is done. A failed flow apologises and hands the caller over to the fallback
        queue; FAILED means that even that did not work, and Asterisk's own fallback has to take
        the caller.
        """
        error, course = "", None
        try:
            course = Course(session, flow)
            outcome = await self._drive(session, course)
        except CallerHungUp:
            outcome = await self._left(session, course)
        except Exception as failure:  # the border: a caller never pays for our mistake
            error = f"{type(failure).__name__}: {failure}"
            _report(failure, session, flow)
            outcome = await self._to_a_person(session)
        finally:
            await session.close()
        return Ending(outcome, session.reason, session.handed_over, error)

    async def _drive(self, session: Session, course: Course) -> Outcome:
        steps = 0
        ends_at = session.services.clock.monotonic() + self._limits.max_seconds
        while True:
            steps += 1
            placed = course.arrive()
            if steps > self._limits.max_steps or session.services.clock.monotonic() > ends_at:
                raise StepLimitReached(f"at {placed.label} of flow '{course.flow}', step {steps}")
            _note_step(session, course, placed)
            result = await self._step(session, course, placed)
            if isinstance(result, Ended):
                return result.outcome
            if not course.follow(placed, result):
                await session.hand_over(session.services.fallback_queue)
                return Outcome.HANDED_OVER

    async def _step(self, session: Session, course: Course, placed: Placed) -> Result:
        """One step; a failure is noted and takes its `on_error`, or that of the step that called the flow."""
        try:
            if placed.fields:
                await session.enquiry.ready(placed.fields)
            return await placed.step.run(session)
        except CallerHungUp:
            raise
        except Exception as error:  # the border of a step: its on_error decides, whatever it was
            on_error = placed.on_error or course.rescue()
            if on_error is None:
                raise
            session.log.note(EventKind.ERROR, placed.label, error=type(error).__name__, message=str(error))
            return GoTo(on_error)

    async def _left(self, session: Session, course: Course | None = None) -> Outcome:
        """The caller has left: what the flow does then, and what the call came to."""
        session.log.note(EventKind.HUNG_UP, session.step, by="caller")
        if course is not None and course.hang_up():
            try:
                async with asyncio.timeout(self._limits.after_hangup):
                    await self._finish(session, course)
            except Exception as failure:  # nobody is on the line to notice
                _report(failure, session, course.flow)
        return session.served or Outcome.ABANDONED

    async def _finish(self, session: Session, course: Course) -> None:
        for _ in range(self._limits.max_steps):
            if course.is_over:
                return
            placed = course.arrive()
            _note_step(session, course, placed)
            course.follow(placed, await self._step(session, course, placed))
        raise StepLimitReached(f"in flow '{course.flow}', after the caller had left")

    async def _to_a_person(self, session: Session) -> Outcome:
        try:
            try:
                await session.tell(session.utterance(APOLOGY))
            except CallerHungUp:
                raise
            except IvrError as error:
                session.log.note(EventKind.ERROR, session.step, error=type(error).__name__, message=str(error))
            await session.hand_over(session.services.fallback_queue)
        except CallerHungUp:
            return await self._left(session)
        except Exception as failure:  # the last border: what is left is Asterisk's own fallback
            _report(failure, session, "")
            return Outcome.FAILED
        return Outcome.HANDED_OVER


def _note_step(session: Session, course: Course, placed: Placed) -> None:
    elsewhere = {"flow": course.flow} if course.flow != course.began_in else {}
    session.log.note(EventKind.STEP, placed.label, **elsewhere)


def _report(failure: Exception, session: Session, flow: str) -> None:
    """Write a failure into the call's own journal, and into the log with its traceback when it is a mistake of ours."""
    session.log.note(EventKind.ERROR, session.step, error=type(failure).__name__, message=str(failure))
    logger.error(
        "flow failed",
        contact=session.contact_id,
        flow=flow,
        step=session.step,
        error=str(failure),
        exc_info=None if isinstance(failure, IvrError) else failure,
    )
