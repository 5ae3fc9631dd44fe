"""The reception: takes each call, finds out who it is while it still rings, and lets a flow speak to the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from structlog.contextvars import bound_contextvars
from structlog.stdlib import get_logger

from ivr.calls.identification import CallerLookup, Identifier
from ivr.calls.recorder import Recorder
from ivr.config.model import Entry
from ivr.domain.callback import AttemptOutcome, Callback, CallbackPurpose, CallbackState
from ivr.domain.caller import Caller
from ivr.domain.contact import Contact, ContactId, Direction, EventKind, Json, Outcome
from ivr.domain.hand_over import ToQueue
from ivr.domain.line import Line, LineState
from ivr.errors import AsteriskError, CallerHungUp, StoreError
from ivr.flow.engine import Ending, Engine
from ivr.flow.model import FlowSet
from ivr.flow.session import Services, Session
from ivr.ports import Arrival, CallbackStore, Channel, Clock, Journal

log = get_logger()


class Reception:
    """Takes calls; `receive` is an `ivr.ports.Handler`.

    `entries` decides which flow answers what was dialled, and in which language;
    `own_flows` speak to those we call ourselves, by what for. `flows` gives the flows for a
    call that begins in a flow now; it keeps those it began with. `follow` is told of calls
    that go on in Asterisk without us: somebody else has to write their end.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        own_flows: Mapping[CallbackPurpose, str],
        flows: Callable[[str], FlowSet],
        engine: Engine,
        services: Services,
        identifier: Identifier,
        journal: Journal,
        promises: CallbackStore,
        clock: Clock,
        follow: Callable[[Sequence[ContactId]], None],
    ) -> None:
        self._entries = tuple(entries)
        self._own_flows = own_flows
        self._flows = flows
        self._engine = engine
        self._services = services
        self._identifier = identifier
        self._journal = journal
        self._promises = promises
        self._clock = clock
        self._follow = follow

    async def receive(self, arrival: Arrival, channel: Channel) -> None:
        """Take a call to the end of its flow."""
        with bound_contextvars(call=arrival.contact_id):
            promise = await self._promise(arrival)
            line = Line(LineState.KNOWN, promise.request.number) if promise else arrival.line
            await self._take(arrival, channel, line, promise)

    async def _take(self, arrival: Arrival, channel: Channel, line: Line, promise: Callback | None) -> None:
        entry = None if arrival.callback_id else self._entry_for(arrival.entry)
        if arrival.callback_id:
            flow = self._own_flows[promise.request.purpose if promise else CallbackPurpose.TALK]
        else:
            flow = entry.flow if entry else ""
        flows = self._flows(flow)
        lookup = self._identifier.start(line, flows.fields)
        recorder = Recorder(self._journal, arrival.contact_id, self._clock)
        contact = Contact(
            id=arrival.contact_id,
            started_at=self._clock.now(),
            direction=Direction.OUTBOUND if arrival.callback_id else Direction.INBOUND,
            number=line.number,
            line_state=line.state,
            entry=arrival.entry,
            flow=flow,
            flow_version=flows.flows[flow].version if flow in flows.flows else "",
        )
        self._journal.open(contact)
        recorder.note(EventKind.ARRIVED, entry=arrival.entry, line=line.state.value, flow=flow)
        session = Session(
            self._services,
            flows,
            channel,
            lookup,
            recorder,
            arrival.contact_id,
            entry=arrival.entry,
            direction=contact.direction,
        )
        if entry is not None:
            session.chosen_language = entry.language
        if promise is not None:
            session.chosen_language = promise.request.language
            session.reason = promise.request.reason
            if promise.request.queue in self._services.queue_hours:
                session.promised_queue = promise.request.queue
        try:
            caller = await self._identified(lookup, recorder)
            # At once, so that it is known of a call that a crash ends.
            self._journal.amend(contact.id, _known_of(caller))
            ending = await self._conversation(channel, session, flow, recorder)
        except asyncio.CancelledError:
            recorder.note(EventKind.ERROR, session.step, error="Stopped", message="Klantlijn stopped during this call")
            raise
        finally:
            lookup.close()
        if _who(lookup.current()) != _who(caller):
            _note_identified(recorder, lookup.current(), late=True)
        self._close(contact, lookup.current(), session, ending, recorder)
        if promise is not None:
            await self._settle(promise, ending.outcome)

    async def _identified(self, lookup: CallerLookup, recorder: Recorder) -> Caller:
        # While it rings the caller hears a tone, so this is the one place where waiting costs nothing.
        began = self._clock.monotonic()
        caller = await lookup.answer()
        took_ms = round((self._clock.monotonic() - began) * 1000, 1)
        _note_identified(recorder, caller, took_ms=took_ms)
        return caller

    async def _conversation(self, channel: Channel, session: Session, flow: str, recorder: Recorder) -> Ending:
        try:
            await channel.answer()
        except CallerHungUp:
            recorder.note(EventKind.HUNG_UP, by="caller")
            return Ending(Outcome.ABANDONED)
        except AsteriskError as error:
            recorder.note(EventKind.ERROR, error=type(error).__name__, message=str(error))
            return Ending(Outcome.FAILED, error=str(error))
        recorder.note(EventKind.PICKED_UP)
        self._journal.amend(session.contact_id, {"answered_at": self._clock.now()})
        return await self._engine.run(session, flow)

    def _close(self, contact: Contact, caller: Caller, session: Session, ending: Ending, recorder: Recorder) -> None:
        changes: dict[str, object] = {
            **_known_of(caller),
            "reason": ending.reason,
            "outcome": ending.outcome,
        }
        if isinstance(ending.handed_over, ToQueue):
            changes |= {"queue": ending.handed_over.queue, "site": ending.handed_over.site}
        # A failed call goes on in Asterisk's fallback queue, like one that was handed over.
        goes_on = ending.handed_over is not None or ending.outcome is Outcome.FAILED
        if not goes_on:
            changes["ended_at"] = self._clock.now()
            recorder.note(EventKind.ENDED, session.step, outcome=ending.outcome.value)
        self._journal.amend(contact.id, changes)
        if goes_on:
            self._follow([contact.id])

    def _entry_for(self, dialled: str) -> Entry | None:
        for entry in self._entries:
            if entry.matches(dialled):
                return entry
        # No entry: the engine does not find this flow either, apologises and hands the caller to a person.
        log.error("nothing under entries in config.yaml matches what was dialled", dialled=dialled)
        return None

    async def _promise(self, arrival: Arrival) -> Callback | None:
        if arrival.callback_id is None:
            return None
        try:
            return await self._promises.callback(arrival.callback_id)
        except StoreError as error:
            log.warning("a promise being kept cannot be read; the customer is spoken to all the same", error=str(error))
            return None

    async def _settle(self, promise: Callback, outcome: Outcome) -> None:
        """Store what a call came to that is over with the flow: the customer refused it, or was told all."""
        if outcome is Outcome.REFUSED:
            ended = AttemptOutcome.REFUSED, CallbackState.REFUSED, "the customer no longer wants the call"
        elif outcome is Outcome.TOLD and promise.request.purpose is CallbackPurpose.OUTAGE_OVER:
            ended = AttemptOutcome.TOLD, CallbackState.KEPT, "told"
        else:
            return
        try:
            for attempt in promise.attempts[-1:]:
                await self._promises.end_attempt(
                    promise.id, attempt.id, ended[0], at=self._clock.now(), state=ended[1], reason=ended[2]
                )
        except StoreError as error:
            log.error("how a call of ours ended could not be stored; it may be made again", error=str(error))


def _who(caller: Caller) -> tuple[Json, ...]:
    """What is written down of a caller; what else is learnt of them is not."""
    return caller.identification.state.value, caller.customer.id if caller.customer else None, caller.region


def _known_of(caller: Caller) -> dict[str, object]:
    """What a contact says of the caller."""
    customer = caller.customer
    return {
        "customer_id": customer.id if customer else None,
        "customer_references": dict(customer.references) if customer else {},
        "region": caller.region,
    }


def _note_identified(recorder: Recorder, caller: Caller, **particulars: Json) -> None:
    recorder.note(
        EventKind.IDENTIFIED,
        "",
        state=caller.identification.state.value,
        customer=caller.customer.id if caller.customer else None,
        region=caller.region,
        **particulars,
    )
