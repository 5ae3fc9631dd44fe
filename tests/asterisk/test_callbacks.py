"""Promises kept by telephone: booked, dialled, confirmed, connected, whatever the customer does and whatever dies."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from ivr.callbacks.windows import windows_ahead
from ivr.config.loading import load
from ivr.configured import hours_of, sources_of
from ivr.domain.callback import Callback, CallbackRequest, CallbackState, Window
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.errors import CallFailed
from ivr.flow.filters import SPEECH, Speech
from ivr.flow.loader import load as load_flows
from ivr.flow.views import view_window
from ivr.robot.call import Call
from ivr.robot.prompts import KnownPrompts
from ivr.robot.user_agent import UserAgent
from ivr.store.callbacks import StoredCallbacks
from ivr.store.database import Database
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.callers import QUICK, callers_of, sounds_of
from tests.asterisk.engine_under_test import EngineUnderTest

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

CALLER, OTHER = PhoneNumber("+31612340001"), PhoneNumber("+31612340002")
RETRY = 2
# A window of a whole day, so that whatever the time is, the first one offered has begun.
HASTE = {
    "retry_after": f"{RETRY}s",
    "poll_interval": "200ms",
    "ring_for": "3s",
    "lease": "10s",
    "window": "24h",
    "lead": "1s",
    "after_booking": "4s",
}
LONG_ENOUGH = RETRY + 3.0
"""Seconds in which a second call would have come."""
WAIT = 20.0
AGENTS = [f"Local/agent{number}@demo-agents/n" for number in range(6)]


class Promises:
    """The engine under test, its promises, and the telephone of everybody whom it calls."""

    def __init__(self, engine: EngineUnderTest, store: StoredCallbacks, customer: UserAgent) -> None:
        self.engine = engine
        self.customer = customer
        self._store = store
        self._last = 612350000

    async def make(self) -> Callback:
        """A promise that is due, to a number of its own."""
        self._last += 1
        now = datetime.now(UTC)
        window = Window(now - timedelta(minutes=1), now + timedelta(hours=1))
        request = CallbackRequest(PhoneNumber(f"+31{self._last}"), window, "support", Language.NL, "contact")
        return await self._store.book(request, now=now, capacity=100)

    async def called(self, promise: Callback, limit: float = WAIT) -> Call:
        """The next call, which must be for this promise."""
        call = await self.customer.next_call(limit)
        assert call.called == promise.request.number
        return call

    async def cancel(self, promise: Callback) -> None:
        await self._store.move(promise.id, CallbackState.CANCELLED, at=datetime.now(UTC), reason="by hand")

    async def becomes(self, promise: Callback, state: CallbackState, *outcomes: str) -> None:
        """Wait until a promise is in a state and its attempts ended so."""

        async def so() -> bool:
            found = await self._store.callback(promise.id)
            assert found is not None
            return (found.state, [attempt.outcome.value for attempt in found.attempts]) == (state, [*outcomes])

        try:
            await self.engine.until(so, WAIT, f"{state.value} after {outcomes}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{await self._store.callback(promise.id)}") from error

    async def leaves_no_marks(self, promise: Callback) -> None:
        """Wait until Asterisk's database has nothing of a promise's attempts any more."""

        async def so() -> bool:
            found = await self._store.callback(promise.id)
            assert found is not None
            marks = await self.engine.asterisk.cli("database show klantlijn")
            return found.attempts != () and all(attempt.id not in marks for attempt in found.attempts)

        await self.engine.until(so, WAIT, "the marks to be removed")

    async def nobody_is_called(self) -> None:
        with pytest.raises(CallFailed, match="nobody called"):
            await self.customer.next_call(LONG_ENOUGH)

    async def is_kept(self, promise: Callback, call: Call) -> None:
        """A customer who has just been called answers, confirms and has an agent."""
        call.answer()
        await call.hears("nl/calling_back", WAIT)
        await call.press("1")
        await call.hears("nl/agent", WAIT)
        await call.hang_up()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def promises(
    running_asterisk: AsteriskUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Promises]:
    """One engine for all tests here, some of which kill and start it."""
    if not running_asterisk.private.is_running():
        running_asterisk.private.restart()
    engine = EngineUnderTest(running_asterisk, tmp_path_factory.mktemp("engine"), {"callbacks": HASTE, "speech": QUICK})
    config = load(engine.config)
    database = Database(config.database.url, timeout=5.0)
    try:
        await engine.start()
        known = KnownPrompts(await sounds_of(engine, texts(engine)))
        async with UserAgent(port=running_asterisk.trunk_port, known=known) as customer:
            yield Promises(engine, StoredCallbacks(database), customer)
    finally:
        await engine.kill()
        await database.close()
        if running_asterisk.private.is_running():
            await running_asterisk.cli("channel request hangup all")


def texts(engine: EngineUnderTest) -> Mapping[str, str]:
    """What a caller hears who chooses the first window: `number` and `other` as read back, `confirmed` at the end."""
    config = load(engine.config)
    flows, zone, now = load_flows(sources_of(config)), ZoneInfo(config.organisation.time_zone), datetime.now(UTC)
    length, lead = timedelta(seconds=config.callbacks.window), timedelta(seconds=config.callbacks.lead)
    first = next(windows_ahead(hours_of(config.organisation), now=now, length=length, lead=lead, days=2))

    def said(prompt: str, number: PhoneNumber) -> str:
        text = flows.prompts.text(Language.NL, prompt)
        assert text is not None
        speech = Speech(Language.NL, now.astimezone(zone).date(), "NL", zone)
        return text.spoken({SPEECH: speech, "number": number, "window": view_window(first, zone)})

    return {
        "nl/number": said("callback_number", CALLER),
        "nl/other": said("callback_number", OTHER),
        "nl/confirmed": said("callback_confirmed", CALLER),
        "nl/other_confirmed": said("callback_confirmed", OTHER),
    }


@asynccontextmanager
async def nobody_there(asterisk: AsteriskUnderTest) -> AsyncIterator[None]:
    """While this lasts, no agent takes a call."""
    for agent in AGENTS:
        await asterisk.cli(f"queue pause member {agent}")
    try:
        yield
    finally:
        for agent in AGENTS:
            await asterisk.cli(f"queue unpause member {agent}")


async def test_a_caller_books_and_is_called_back(promises: Promises) -> None:
    """The whole journey: keys by prompts heard, the number read back, the call, the agent, and the record of it."""
    engine = promises.engine
    async with callers_of(engine, texts(engine)) as callers:
        presses = (("nl/main_menu", "3"), ("nl/callback_offer", "1"), ("nl/number", "1"))
        await (await callers.talk(CALLER, *presses, until="nl/confirmed")).hang_up()
    call = await promises.customer.next_call(WAIT)
    assert (call.called, call.caller) == (CALLER, load(engine.config).callbacks.caller_id)
    call.ring()
    call.answer()
    await call.hears("nl/calling_back", WAIT)
    await call.press("1")
    await call.hears("nl/agent", WAIT)
    await call.hang_up()

    async def kept() -> object:
        told = json.loads(await engine.ivr("callbacks", "--all", "--json", "--reveal"))
        return [each for each in told if each["number"] == CALLER and each["state"] == "kept"]

    (told,) = await engine.until(kept, WAIT, "the promise to be kept")
    assert (told["queue"], told["language"], told["reason"]) == ("support", "nl", "connected")
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["connected"]
    assert told["ended_at"] is not None


async def test_a_caller_is_called_back_on_another_number(promises: Promises) -> None:
    engine = promises.engine
    async with callers_of(engine, texts(engine)) as callers:
        call = await callers.talk(
            CALLER,
            ("nl/main_menu", "3"),
            ("nl/callback_offer", "1"),
            ("nl/number", "2"),
            until="nl/callback_ask_number",
        )
        await call.press("0612340002#")
        await call.hears("nl/other", WAIT)
        await call.press("1")
        await call.hears("nl/other_confirmed", WAIT)
        await call.hang_up()
    called = await promises.customer.next_call(WAIT)
    assert called.called == OTHER
    called.answer()
    await called.hears("nl/calling_back", WAIT)
    await called.press("1")
    await called.hears("nl/agent", WAIT)
    await called.hang_up()
    await promises.nobody_is_called()


async def test_customers_who_are_not_reached_are_called_again_until_they_are(promises: Promises) -> None:
    """Busy, declined and not answered, each once; then they answer."""
    promise = await promises.make()
    (await promises.called(promise)).reject(486)
    await promises.becomes(promise, CallbackState.BOOKED, "busy")
    (await promises.called(promise)).reject(603)
    await promises.becomes(promise, CallbackState.BOOKED, "busy", "busy")
    await promises.is_kept(promise, await promises.called(promise))
    await promises.becomes(promise, CallbackState.KEPT, "busy", "busy", "connected")


async def test_a_telephone_that_nobody_answers_rings_for_its_time_and_three_times_at_most(promises: Promises) -> None:
    promise = await promises.make()
    for _ in range(3):
        call = await promises.called(promise)
        call.ring()
        assert (await call.ended(10)).reason == "cancelled"
    await promises.becomes(promise, CallbackState.MISSED, "no_answer", "no_answer", "no_answer")
    await promises.nobody_is_called()


async def test_a_customer_who_hangs_up_without_a_key_is_called_again(promises: Promises) -> None:
    promise = await promises.make()
    call = await promises.called(promise)
    call.answer()
    await call.hears("nl/calling_back", WAIT)
    await call.hang_up()
    await promises.becomes(promise, CallbackState.BOOKED, "not_confirmed")
    await promises.is_kept(promise, await promises.called(promise))
    await promises.becomes(promise, CallbackState.KEPT, "not_confirmed", "connected")


@pytest.mark.parametrize("hears_goodbye", [True, False])
async def test_a_customer_who_no_longer_needs_it_is_not_called_again(promises: Promises, hears_goodbye: bool) -> None:
    promise = await promises.make()
    call = await promises.called(promise)
    call.answer()
    await call.hears("nl/calling_back", WAIT)
    await call.press("2")
    await call.hears("nl/calling_back_not_needed", WAIT)
    if hears_goodbye:
        assert (await call.ended(10)).by == "them"
    await call.hang_up()
    await promises.becomes(promise, CallbackState.REFUSED, "refused")
    await promises.nobody_is_called()


async def test_a_telephone_stops_ringing_when_its_callback_is_cancelled(promises: Promises) -> None:
    promise = await promises.make()
    call = await promises.called(promise)
    call.ring()
    await promises.cancel(promise)
    assert (await call.ended(2)).reason == "cancelled"
    assert call.answered_at is None


async def test_a_customer_who_waits_in_vain_for_an_agent_is_called_again(promises: Promises) -> None:
    promise = await promises.make()
    call = await promises.called(promise)
    async with nobody_there(promises.engine.asterisk):
        call.answer()
        await call.hears("nl/calling_back", WAIT)
        await call.press("1")
        await call.hears("hold", WAIT)
        await promises.becomes(promise, CallbackState.CONNECTING, "pending")
        await call.hang_up()
        await promises.becomes(promise, CallbackState.BOOKED, "no_agent")
    await promises.is_kept(promise, await promises.called(promise))
    await promises.becomes(promise, CallbackState.KEPT, "no_agent", "connected")


async def test_killed_while_it_rings_the_customer_finds_a_person_and_is_not_called_again(promises: Promises) -> None:
    promise = await promises.make()
    call = await promises.called(promise)
    call.ring()
    await promises.engine.kill()
    call.answer()
    await call.hears("nl/sorry", WAIT)
    await call.hears("nl/agent", WAIT)
    await call.hang_up()
    await promises.engine.start()
    await promises.becomes(promise, CallbackState.KEPT, "connected")
    await promises.nobody_is_called()


async def test_killed_while_it_rings_in_vain_the_customer_is_called_again(promises: Promises) -> None:
    promise = await promises.make()
    call = await promises.called(promise)
    await promises.engine.kill()
    call.reject(486)
    await promises.engine.start()
    await promises.is_kept(promise, await promises.called(promise))
    await promises.becomes(promise, CallbackState.KEPT, "no_answer", "connected")


async def test_killed_while_the_customer_listens_and_hangs_up_they_are_called_again(promises: Promises) -> None:
    promise = await promises.make()
    call = await promises.called(promise)
    call.answer()
    await call.hears("nl/calling_back", WAIT)
    await promises.engine.kill()
    await call.hears("nl/sorry", WAIT)
    await call.hang_up()
    await promises.engine.start()
    await promises.is_kept(promise, await promises.called(promise))
    await promises.becomes(promise, CallbackState.KEPT, "not_confirmed", "connected")


async def test_killed_while_the_customer_waits_for_an_agent_they_are_not_called_again(promises: Promises) -> None:
    promise = await promises.make()
    call = await promises.called(promise)
    async with nobody_there(promises.engine.asterisk):
        call.answer()
        await call.hears("nl/calling_back", WAIT)
        await call.press("1")
        await call.hears("hold", WAIT)
        await promises.engine.kill()
        await promises.engine.start()
        await promises.becomes(promise, CallbackState.CONNECTING, "pending")
    await call.hears("nl/agent", WAIT)
    await promises.becomes(promise, CallbackState.KEPT, "connected")
    await call.hang_up()
    await promises.nobody_is_called()


async def test_asterisk_killed_during_the_call_before_an_agent_was_there_calls_again(promises: Promises) -> None:
    promise = await promises.make()
    call = await promises.called(promise)
    call.answer()
    await call.hears("nl/calling_back", WAIT)
    await promises.engine.asterisk.kill()
    await call.hang_up()
    await promises.engine.asterisk.restart()
    again = await promises.called(promise, 30)
    await promises.is_kept(promise, again)
    await promises.becomes(promise, CallbackState.KEPT, "not_confirmed", "connected")
    await promises.leaves_no_marks(promise)
