"""Follows callers after the flow handed them over: answered by whom, abandoned when, ended how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog

from ivr.asterisk.ami_client import AmiClient
from ivr.asterisk.ami_subscription import GAP, Subscription
from ivr.asterisk.ami_wire import AmiMessage
from ivr.domain.contact import ContactEvent, ContactId, EventKind, Json, Outcome
from ivr.errors import AsteriskError
from ivr.ports import Clock, Journal

MOST_CALLERS = 20_000
TRANSFERRING = ("klantlijn-next", "transfer")
"""Context and extension in which a caller's channel rings the telephone of a transfer (deploy/asterisk)."""
# What DIALSTATUS, in `app_dial.c`, says of that telephone.
RESULTS = {"ANSWER": "answered", "BUSY": "busy", "NOANSWER": "no_answer", "CANCEL": "cancelled"}

log = structlog.get_logger()


@dataclass(slots=True)
class _Queued:
    """A caller that was handed over and has not hung up yet; `queue` is empty until they are in one."""

    queue: str
    answered: bool = False
    left: bool = False


class QueueWatch:
    """Writes to the journal what happens to callers in Asterisk's queues, and at the telephones they are taken to.

    Every channel in a queue is one of ours, and its Uniqueid is the contact's id. Event
    ids are made of what Asterisk says, so two nodes that watch the same Asterisk, and one
    that asks again after a broken link, write the same events. `on_connected` is told
    when an agent has a caller on the line. At most MOST_CALLERS are remembered, each
    until it hangs up.
    """

    def __init__(
        self,
        client: AmiClient,
        journal: Journal,
        clock: Clock,
        on_connected: Callable[[ContactId], None] | None = None,
    ) -> None:
        self._client = client
        self._journal = journal
        self._clock = clock
        self._on_connected = on_connected
        self._callers: dict[ContactId, _Queued] = {}
        self._events: Subscription = client.subscribe(
            "QueueCallerJoin", "QueueCallerAbandon", "AgentConnect", "AgentComplete", "DialEnd", "Hangup"
        )
        self._follow: Mapping[str, Callable[[ContactId, AmiMessage], None]] = {
            "QueueCallerJoin": self._joined,
            "QueueCallerAbandon": self._abandoned,
            "AgentConnect": self._connected,
            "AgentComplete": self._completed,
            "DialEnd": self._dialled,
            "Hangup": self._hung_up,
        }

    @property
    def callers(self) -> int:
        """How many callers in or through a queue have not hung up yet."""
        return len(self._callers)

    def expect(self, contacts: Iterable[ContactId]) -> None:
        """Calls that go on without us, or that an earlier process left: followed until Asterisk has them no more."""
        for contact in contacts:
            self._callers.setdefault(contact, _Queued(""))

    async def run(self) -> None:
        """Follow the queues until the client stops."""
        async for event in self._events:
            if event is GAP:
                await self._catch_up()
            elif event["Uniqueid"]:
                self._follow[event.event](ContactId(event["Uniqueid"]), event)

    def _joined(self, contact: ContactId, event: AmiMessage) -> None:
        self._callers.pop(contact, None)
        self._callers[contact] = _Queued(event["Queue"])
        if len(self._callers) > MOST_CALLERS:
            forgotten = next(iter(self._callers))
            del self._callers[forgotten]
            log.warning("queue_watch_full", forgotten=forgotten)

    def _abandoned(self, contact: ContactId, event: AmiMessage) -> None:
        caller = self._callers.setdefault(contact, _Queued(event["Queue"]))
        caller.left = True
        self._note(
            contact,
            EventKind.QUEUE_ABANDONED,
            queue=event["Queue"],
            waited=event.number("HoldTime"),
            position=event.number("Position"),
        )
        self._journal.amend(contact, {"outcome": Outcome.ABANDONED})

    def _connected(self, contact: ContactId, event: AmiMessage) -> None:
        caller = self._callers.setdefault(contact, _Queued(event["Queue"]))
        agent = event["MemberName"] or event["Interface"]
        self._answered(contact, caller, agent, event["DestUniqueid"], waited=event.number("HoldTime"))

    def _dialled(self, contact: ContactId, event: AmiMessage) -> None:
        """A telephone that rang for a caller does no more. Queues ring their agents' in the same way."""
        if (event["Context"], event["Exten"]) != TRANSFERRING:
            return
        caller = self._callers.setdefault(contact, _Queued(""))
        self._transferred(contact, caller, RESULTS.get(event["DialStatus"], "failed"))

    def _transferred(self, contact: ContactId, caller: _Queued, result: str) -> None:
        if caller.answered:
            return
        self._note(contact, EventKind.TRANSFER_RESULT, result=result)
        if result == "answered":
            caller.answered = True
            self._journal.amend(contact, {"outcome": Outcome.ANSWERED})
        elif result == "cancelled":
            caller.left = True
            self._journal.amend(contact, {"outcome": Outcome.ABANDONED})

    def _answered(self, contact: ContactId, caller: _Queued, agent: str, leg: str, **detail: Json) -> None:
        """`leg` is the Uniqueid of the agent's channel."""
        if caller.answered:
            return
        caller.answered = True
        self._note(contact, EventKind.AGENT_ANSWERED, leg, agent=agent, queue=caller.queue, **detail)
        self._journal.amend(contact, {"outcome": Outcome.ANSWERED})
        if self._on_connected is not None:
            try:
                self._on_connected(contact)
            except Exception:
                # The border to whoever listens: their mistake must not cost other callers their journal.
                log.exception("on_connected_failed", contact=contact)

    def _completed(self, contact: ContactId, event: AmiMessage) -> None:
        """The conversation is over; who ended it is said here and nowhere else."""
        caller = self._callers.get(contact)
        if caller is not None and event["Reason"].lower() == "caller":
            caller.left = True

    def _hung_up(self, contact: ContactId, event: AmiMessage) -> None:
        caller = self._callers.pop(contact, None)
        if caller is None:
            return
        if caller.left:
            self._note(contact, EventKind.HUNG_UP)
        self._end(contact, cause=event.number("Cause"))

    def _end(self, contact: ContactId, **detail: Json) -> None:
        self._note(contact, EventKind.ENDED, **detail)
        self._journal.amend(contact, {"ended_at": self._clock.now()})

    async def _catch_up(self) -> None:
        """Events may have been missed: ask Asterisk who waits, who is being helped, and who is gone."""
        try:
            queues = await self._client.action_list("QueueStatus")
            channels = {item["Uniqueid"]: item for item in await self._client.action_list("CoreShowChannels")}
        except AsteriskError as error:
            log.warning("queue_watch_behind", reason=str(error))
            return
        waiting = {item["Uniqueid"] for item in queues if item.event == "QueueEntry"}
        for unique, channel in channels.items():
            if channel["Application"] == "Queue" and unique not in self._callers:
                self._callers[ContactId(unique)] = _Queued(channel["ApplicationData"].partition(",")[0])
        for contact, caller in list(self._callers.items()):
            found = channels.get(contact)
            if found is None:
                # Whether an agent had answered is not known any more: the outcome stays what the flow wrote.
                del self._callers[contact]
                self._end(contact, missed=True)
            elif found["BridgeId"] and (found["Context"], found["Exten"]) == TRANSFERRING:
                self._transferred(contact, caller, "answered")
            elif contact not in waiting and found["BridgeId"]:
                agent = _partner(found, channels)
                if agent is not None:
                    self._answered(contact, caller, agent["Channel"].rpartition("-")[0], agent["Uniqueid"])

    def _note(self, contact: ContactId, kind: EventKind, unique: str = "", /, **detail: Json) -> None:
        identity = ":".join(part for part in (contact, kind.value, unique) if part)
        self._journal.event(ContactEvent(identity, contact, self._clock.now(), kind, detail=detail))


def _partner(channel: AmiMessage, channels: Mapping[str, AmiMessage]) -> AmiMessage | None:
    """Whom a channel is talking with."""
    for other in channels.values():
        if other["BridgeId"] == channel["BridgeId"] and other["Uniqueid"] != channel["Uniqueid"]:
            return other
    return None
