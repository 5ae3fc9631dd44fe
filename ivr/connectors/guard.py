"""The guard round a connector: whatever its system does, a look-up ends in time with an answer or our error."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import structlog

from ivr.config.model import Guard as Limits
from ivr.connectors.breaker import Breaker, BreakerState
from ivr.connectors.cache import AnswerCache
from ivr.connectors.connector import Connector
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable
from ivr.ports import Clock

log = structlog.get_logger()

T = TypeVar("T")


class Count(StrEnum):
    """What a guard counts; each look-up is counted under exactly one of these."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    CACHED = "cached"
    JOINED = "joined"
    TIMED_OUT = "timed_out"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    FAILED = "failed"
    CROWDED = "crowded"
    LEFT_ALONE = "left_alone"


@dataclass(frozen=True, slots=True)
class GuardStatus:
    """How a connector does, for metrics and `ivr doctor`.

    `counts` since the start, `asked_seconds` the total time of `answers` answers, `under_way`
    the requests that the system holds now. `last_error` is empty after an answer.
    """

    name: str
    breaker: BreakerState
    counts: Mapping[Count, int]
    answers: int
    asked_seconds: float
    under_way: int
    cached_answers: int
    last_error: str


class Guard:
    """A time-out, a limit on simultaneous requests, a circuit breaker and a cache around a connector.

    Simultaneous look-ups of the same are one request. A request that outlives its time-out
    is cancelled; until it really ends it keeps its place, so that a system that hangs never
    holds more than `limits.concurrency` of them.
    """

    def __init__(self, name: str, connector: Connector, limits: Limits, clock: Clock) -> None:
        self.name = name
        self._connector = connector
        self._limits = limits
        self._clock = clock
        self._breaker = Breaker(failures_to_open=limits.failures_to_open, open_for=limits.open_for, clock=clock)
        self._cache = AnswerCache(
            known_for=limits.cache_for, unknown_for=limits.cache_unknown_for, kept_for=limits.stale_for, clock=clock
        )
        self._places = asyncio.Semaphore(limits.concurrency)
        self._flights: dict[Hashable, asyncio.Task[Sequence[Any]]] = {}
        self._requests: set[asyncio.Task[Any]] = set()
        self._opening: asyncio.Task[None] | None = None
        self._opened = False
        self._counts: Counter[Count] = Counter()
        self._answers = 0
        self._asked_seconds = 0.0
        self._last_error = ""

    @property
    def status(self) -> GuardStatus:
        """How the connector does at this moment."""
        return GuardStatus(
            name=self.name,
            breaker=self._breaker.state,
            counts={count: self._counts[count] for count in Count},
            answers=self._answers,
            asked_seconds=self._asked_seconds,
            under_way=len(self._requests),
            cached_answers=len(self._cache),
            last_error=self._last_error,
        )

    async def open(self) -> None:
        """Open the connector within its time-out.

        A failure need not keep anything from starting: the next look-up opens it again.

        Raises:
            ConnectorError: it could not be opened; the message says why.
        """
        await self._within_timeout(self._open_connector())

    async def check(self) -> None:
        """Ask the system for a sign of life, past cache and breaker. Raises ConnectorError."""
        await self._within_timeout(self._check_connector())

    async def close(self) -> None:
        """End every look-up and close the connector; never takes longer than twice its time-out."""
        flights = list(self._flights.values())
        for task in (*flights, *self._requests):
            task.cancel()
        await self._ended(*flights, *self._requests)
        closing = asyncio.ensure_future(self._connector.close())
        await self._ended(closing)
        if not closing.done():
            closing.cancel()
            log.warning("connector.not_closed", connector=self.name)
        elif not closing.cancelled() and closing.exception() is not None:
            log.warning("connector.not_closed", connector=self.name, error=type(closing.exception()).__name__)

    async def look_up(self, key: Hashable, request: Callable[[], Awaitable[Sequence[T]]]) -> Sequence[T]:
        """What `request` finds, or what it found lately for the same `key`; empty when there is nothing.

        A caller who stops waiting leaves the request under way: its answer still fills the cache.

        Raises:
            ConnectorTimeout: no answer within `limits.timeout`, or all places stayed taken.
            ConnectorUnavailable: it cannot be reached, or is left alone after its failures.
            ConnectorRefused: it refused the request.
            ConnectorError: it failed in a way of its own.
        """
        cached = self._cache.get(key)
        if cached is not None:
            self._counts[Count.CACHED] += 1
            return cached
        flight = self._flights.get(key)
        if flight is not None:
            self._counts[Count.JOINED] += 1
        else:
            flight = asyncio.create_task(self._find(key, request))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        try:
            return await asyncio.shield(flight)
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if not flight.cancelled() or (waiting is not None and waiting.cancelling()):
                raise
            raise ConnectorUnavailable(f"{self.name} is being closed") from None

    def found_before(self, key: Hashable) -> tuple[Sequence[Any], float] | None:
        """What was found last for a key, and how many seconds ago; None when that is unknown or too long ago."""
        return self._cache.last(key)

    def remember(self, key: Hashable, found: Sequence[Any], known_for: float) -> None:
        """Let `look_up` give what was found in the background, for so many seconds."""
        self._cache.put(key, tuple(found), known_for)

    async def carry_out(self, request: Callable[[], Awaitable[T]]) -> T:
        """Let the system do something, once and never from the cache. Raises as `look_up` does.

        After ConnectorTimeout and ConnectorUnavailable it may have been done all the same. A refusal is about what was
        asked, and no sign that the system fails.
        """
        return await self._ask(request, refusal_is_answer=True)

    async def in_background(self, request: Callable[[], Awaitable[T]], *, within: float) -> T:
        """What a request that no caller waits for returns, within so many seconds. Raises as `look_up` does.

        It takes none of the callers' places and tells the breaker nothing, but is not made while that is open.
        """
        if self._breaker.state is BreakerState.OPEN:
            raise self._left_alone()
        return await self._within(within, self._request(request))

    def _landed(self, key: Hashable, flight: asyncio.Task[Sequence[Any]]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # seen, also when nobody waits for it any more

    async def _find(self, key: Hashable, request: Callable[[], Awaitable[Sequence[T]]]) -> Sequence[T]:
        found = tuple(await self._ask(request))
        self._counts[Count.FOUND if found else Count.NOT_FOUND] += 1
        self._cache.put(key, found)
        return found

    async def _ask(self, asking: Callable[[], Awaitable[T]], *, refusal_is_answer: bool = False) -> T:
        """One request behind the breaker; counts what became of it unless it was answered."""
        is_probe = self._breaker.state is BreakerState.HALF_OPEN
        if not self._breaker.admits():
            self._counts[Count.LEFT_ALONE] += 1
            raise self._left_alone()
        alarm = asyncio.ensure_future(self._clock.sleep(self._limits.timeout))
        asked = False
        try:
            await self._take_place(alarm, is_probe=is_probe)
            asked = True
            began = self._clock.monotonic()
            request = asyncio.create_task(self._request(asking))
            request.add_done_callback(lambda _: self._places.release())
            answer = await self._answer(request, alarm, self._limits.timeout)
        except ConnectorError as error:
            if asked and refusal_is_answer and self._opened and isinstance(error, ConnectorRefused):
                self._counts[Count.REFUSED] += 1
                self._answered(self._clock.monotonic() - began)
            elif asked:
                self._failed(error)
            raise
        finally:
            alarm.cancel()
            if is_probe and not asked:
                self._breaker.gave_up()
        self._answered(self._clock.monotonic() - began)
        return answer

    async def _request(self, asking: Callable[[], Awaitable[T]]) -> T:
        if not self._opened:
            await self._open_connector()
        return await asking()

    async def _open_connector(self) -> None:
        """Open the connector, once for all who wait for it: a system that hangs is not called on by each of them."""
        if self._opened:
            return
        if self._opening is None:
            self._opening = asyncio.create_task(self._open_in_time())
            self._opening.add_done_callback(self._opening_over)
        await asyncio.shield(self._opening)

    async def _open_in_time(self) -> None:
        await self._within_timeout(self._connector.open())
        self._opened = True

    def _opening_over(self, opening: asyncio.Task[None]) -> None:
        self._opening = None
        if not opening.cancelled():
            opening.exception()  # seen, also when nobody waits for it any more

    async def _check_connector(self) -> None:
        await self._open_connector()
        await self._connector.check()

    async def _within_timeout(self, asking: Coroutine[Any, Any, T]) -> T:
        return await self._within(self._limits.timeout, asking)

    async def _within(self, seconds: float, asking: Coroutine[Any, Any, T]) -> T:
        alarm = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            return await self._answer(asyncio.create_task(asking), alarm, seconds)
        finally:
            alarm.cancel()

    async def _answer(self, request: asyncio.Task[T], alarm: asyncio.Future[None], seconds: float) -> T:
        """What a request returns, unless the alarm of so many seconds goes first. Raises ConnectorError."""
        self._requests.add(request)
        request.add_done_callback(self._over)
        waited_for: set[asyncio.Future[Any]] = {request, alarm}
        try:
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        finally:
            request.cancel()
        if not request.done():
            raise ConnectorTimeout(f"{self.name} gave no answer in {seconds:g} s")
        return self._result(request)

    def _over(self, request: asyncio.Task[Any]) -> None:
        self._requests.discard(request)
        if not request.cancelled():
            request.exception()  # seen, also when it failed after its time-out

    async def _take_place(self, alarm: asyncio.Future[None], *, is_probe: bool) -> None:
        """Wait for one of the places. Raises ConnectorError when none comes free, or asking no longer makes sense."""
        if self._places.locked():
            place = asyncio.ensure_future(self._places.acquire())
            waited_for: set[asyncio.Future[Any]] = {place, alarm}
            try:
                await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                place.add_done_callback(lambda done: None if done.cancelled() else self._places.release())
                raise
            finally:
                place.cancel()
            if not place.done():
                self._counts[Count.CROWDED] += 1
                raise ConnectorTimeout(f"{self.name} is busy with {self._limits.concurrency} others")
        else:
            await self._places.acquire()
        if self._breaker.state is not BreakerState.CLOSED and not is_probe:
            # It opened while we waited: asking now would only add to the requests that hang.
            self._places.release()
            self._counts[Count.LEFT_ALONE] += 1
            raise self._left_alone()

    def _left_alone(self) -> ConnectorUnavailable:
        return ConnectorUnavailable(f"{self.name} is left alone for another {self._breaker.left_alone_for:.1f} s")

    def _result(self, request: asyncio.Task[T]) -> T:
        """The result of a request that ended; this is the border where foreign exceptions become ours."""
        if request.cancelled():
            raise ConnectorUnavailable(f"{self.name} broke off")
        error = request.exception()
        if error is None:
            return request.result()
        if isinstance(error, ConnectorError):
            raise error
        if isinstance(error, TimeoutError):
            raise ConnectorTimeout(f"{self.name} gave no answer") from error
        if isinstance(error, OSError | EOFError):
            raise ConnectorUnavailable(f"{self.name}: {type(error).__name__}") from error
        # The text of an unforeseen exception may hold a customer's data, so only its type is told.
        raise ConnectorError(f"{self.name}: {type(error).__name__} in its integration") from error

    def _answered(self, seconds: float) -> None:
        self._answers += 1
        self._asked_seconds += seconds
        self._last_error = ""
        if self._breaker.state is not BreakerState.CLOSED:
            log.info("connector.back", connector=self.name)
        self._breaker.succeeded()

    def _failed(self, error: ConnectorError) -> None:
        kinds = (
            (ConnectorTimeout, Count.TIMED_OUT),
            (ConnectorUnavailable, Count.UNAVAILABLE),
            (ConnectorRefused, Count.REFUSED),
        )
        count = next((count for kind, count in kinds if isinstance(error, kind)), Count.FAILED)
        self._counts[count] += 1
        self._last_error = str(error)
        was_open = self._breaker.state is BreakerState.OPEN
        self._breaker.failed()
        if self._breaker.state is BreakerState.OPEN and not was_open:
            log.warning("connector.left_alone", connector=self.name, seconds=self._limits.open_for, error=str(error))

    async def _ended(self, *tasks: asyncio.Future[Any]) -> None:
        """Wait until tasks are done, at most the time-out."""
        if not tasks:
            return
        alarm = asyncio.ensure_future(self._clock.sleep(self._limits.timeout))
        everything = asyncio.ensure_future(asyncio.wait(tasks))
        await asyncio.wait({everything, alarm}, return_when=asyncio.FIRST_COMPLETED)
        everything.cancel()
        alarm.cancel()
