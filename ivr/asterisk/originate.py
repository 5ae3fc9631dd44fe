"""Dialling by the manager interface, and what the dialer must know of Asterisk (`ivr.ports.Switchboard`)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import structlog

from ivr.asterisk.ami_client import AmiClient
from ivr.asterisk.ami_subscription import GAP, Subscription
from ivr.asterisk.ami_wire import AmiMessage
from ivr.domain.dialling import DialOutcome, DialRequest
from ivr.domain.line import mask
from ivr.errors import AmiActionFailed, AmiAnswerLost, AmiUnavailable, UnsafeValue
from ivr.ports import Clock

FAMILY = "klantlijn"
DEVICE_NOT_IN_USE = 1  # AST_DEVICE_NOT_INUSE, include/asterisk/devicestate.h
STATE_UP = 6  # AST_STATE_UP, include/asterisk/channelstate.h
STATE_GONE, STATE_UNSEEN = -1, -2
MAX_UNIQUEID = 149  # AST_MAX_PUBLIC_UNIQUEID, include/asterisk/channel.h

LAST_EVENTS = 1.0
"""Seconds in which the last events of a call come after its end was first heard of."""

# OriginateResponse's Reason where it says enough: pbx_dial_reason() in main/pbx.c gives an AST_CONTROL_* number.
REASONS = {3: DialOutcome.NO_ANSWER, 4: DialOutcome.ANSWERED, 5: DialOutcome.BUSY}
CONGESTED = 8

# The other Reasons, 0 and 8, put many hang-up causes (Q.850, include/asterisk/causes.h) together, and which of them
# differs between releases of Asterisk; so then the channel's own Hangup decides. 21: the customer pressed "decline".
CAUSES = {
    17: DialOutcome.BUSY,
    18: DialOutcome.NO_ANSWER,
    19: DialOutcome.NO_ANSWER,
    20: DialOutcome.NO_ANSWER,
    21: DialOutcome.BUSY,
    34: DialOutcome.CONGESTION,
    38: DialOutcome.CONGESTION,
    41: DialOutcome.CONGESTION,
    42: DialOutcome.CONGESTION,
    44: DialOutcome.CONGESTION,
}

log = structlog.get_logger()


class _Dial:
    """One call being made: what was seen of it so far, and its outcome once that is known."""

    def __init__(self) -> None:
        self.outcome: asyncio.Future[DialOutcome] = asyncio.get_running_loop().create_future()
        self.missed_events = asyncio.Event()
        self._cause: int | None = None
        self._failure: DialOutcome | None = None

    def responded(self, reason: int) -> None:
        """OriginateResponse came."""
        if reason in REASONS:
            self._settle(REASONS[reason])
            return
        self._failure = DialOutcome.CONGESTION if reason == CONGESTED else DialOutcome.FAILED
        if self._cause is None:
            asyncio.get_running_loop().call_later(LAST_EVENTS, self._settle, self._failure)
        else:
            self.hung_up(self._cause)

    def hung_up(self, cause: int) -> None:
        """The channel is gone. What it means is said together with OriginateResponse, which may come later."""
        self._cause = cause
        if self._failure is not None:
            self._settle(CAUSES.get(cause, self._failure))

    def _settle(self, outcome: DialOutcome) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class AmiSwitchboard:
    """Asterisk as the dialer sees it. `run` must be running while calls are made.

    `dial_string` makes a channel from an E.164 `{number}`, such as `PJSIP/{number}@trunk`;
    `answer_limit` is how many seconds Asterisk gets beyond the ringing time to tell an
    outcome, and the client to come back after a broken link.
    """

    def __init__(self, client: AmiClient, dial_string: str, clock: Clock, *, answer_limit: float) -> None:
        self._client = client
        self._dial_string = dial_string
        self._clock = clock
        self._answer_limit = answer_limit
        self._dials: dict[str, _Dial] = {}
        self.events: Subscription = client.subscribe("OriginateResponse", "Hangup")

    async def run(self) -> None:
        """Follow calls being made, until the client stops."""
        async for event in self.events:
            if event is GAP:
                for dial in self._dials.values():
                    dial.missed_events.set()
            elif found := self._dials.get(event["Uniqueid"]):
                if event.event == "Hangup":
                    found.hung_up(event.number("Cause"))
                else:
                    found.responded(event.number("Reason"))

    async def dial(self, request: DialRequest) -> DialOutcome:
        """Dial and wait for the outcome; UNKNOWN when the link broke and the channel was not found again.

        Raises:
            AmiUnavailable: nothing was dialled: no connection, or Asterisk refused the action.
            UnsafeValue: a value cannot be sent safely; nothing was dialled.
            ValueError: a call with this channel id is being made already.
        """
        headers = self._headers(request)
        if request.channel_id in self._dials:
            raise ValueError(f"{request.channel_id} is being dialled already")
        dial = self._dials[request.channel_id] = _Dial()
        try:
            await self._originate(dial, headers)
            outcome = await self._outcome(dial, request)
        finally:
            del self._dials[request.channel_id]
        log.info("dialled", number=mask(request.number), channel_id=request.channel_id, outcome=outcome.value)
        return outcome

    async def is_up(self, channel_id: str) -> bool:
        """Whether a channel with this Uniqueid exists. Raises AmiUnavailable."""
        return await self._channel(channel_id) is not None

    async def mark(self, key: str) -> str | None:
        """What the extensions stored as `klantlijn/<key>`, or None. Raises AmiUnavailable."""
        try:
            entries = await self._client.action_list("DBGet", Family=FAMILY, Key=key)
        except AmiActionFailed as error:
            if "not found" in str(error):
                return None
            raise AmiUnavailable("DBGet", str(error)) from error
        return entries[0]["Val"] if entries else None

    async def forget_mark(self, key: str) -> None:
        """Remove what is stored as `klantlijn/<key>`, if anything is. Raises AmiUnavailable."""
        try:
            await self._client.action("DBDel", Family=FAMILY, Key=key)
        except AmiActionFailed as error:
            if "not found" not in str(error):
                raise AmiUnavailable("DBDel", str(error)) from error

    async def stop_ringing(self, channel_id: str) -> None:
        """End the call of the channel with this Uniqueid, unless it was answered. Raises AmiUnavailable."""
        channel = await self._channel(channel_id)
        if channel is None or channel.number("ChannelState") == STATE_UP:
            return
        try:
            await self._client.action("Hangup", Channel=channel["Channel"])
        except AmiActionFailed as error:
            if "No such channel" not in str(error):
                raise AmiUnavailable("Hangup", str(error)) from error

    async def free_agents(self, asterisk_queues: Sequence[str]) -> int:
        """Agents who could take a call of one of these queues now, less the callers who wait there already.

        An agent in several queues counts once. Raises AmiUnavailable.
        """
        free: set[str] = set()
        waiting: set[str] = set()
        now = self._clock.now().timestamp()
        for queue in dict.fromkeys(asterisk_queues):
            for item in await self._list("QueueStatus", Queue=queue):
                if item.event == "QueueEntry":
                    waiting.add(item["Uniqueid"])
                elif item.event == "QueueMember" and _is_free(item, now):
                    free.add(item["StateInterface"] or item["Location"])
        return max(0, len(free) - len(waiting))

    async def _originate(self, dial: _Dial, headers: dict[str, str | list[str]]) -> None:
        try:
            await self._client.action("Originate", **headers)
            # What was missed before Asterisk had the call is none of this call's.
            dial.missed_events.clear()
        except AmiActionFailed as error:
            raise AmiUnavailable("Asterisk refused to dial", str(error)) from error
        except AmiAnswerLost:
            # It may be dialling. It is never sent again: the channel id tells, once there is a link.
            log.warning("dial_answer_lost", channel_id=headers["ChannelId"])
            if self._client.connected:
                dial.missed_events.set()

    async def _outcome(self, dial: _Dial, request: DialRequest) -> DialOutcome:
        """What the events tell; after a time without events, what the channel itself tells."""
        try:
            async with asyncio.timeout(request.timeout + self._answer_limit):
                while not await self._told(dial):
                    state = await self._state(request.channel_id)
                    if state == STATE_UP:
                        return DialOutcome.ANSWERED
                    if state == STATE_GONE:
                        async with asyncio.timeout(LAST_EVENTS):
                            return await asyncio.shield(dial.outcome)
                return dial.outcome.result()
        except TimeoutError:
            up = await self._state(request.channel_id) == STATE_UP
            return DialOutcome.ANSWERED if up else DialOutcome.UNKNOWN

    async def _told(self, dial: _Dial) -> bool:
        """Wait for the outcome (True), or until events may have been missed (False)."""
        missed = asyncio.ensure_future(dial.missed_events.wait())
        try:
            await asyncio.wait((dial.outcome, missed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            missed.cancel()
        dial.missed_events.clear()
        return dial.outcome.done()

    async def _state(self, channel_id: str) -> int:
        """The channel's state, STATE_GONE when there is none, STATE_UNSEEN when Asterisk cannot be asked."""
        try:
            channel = await self._channel(channel_id)
        except AmiUnavailable:
            return STATE_UNSEEN  # the next link brings the next GAP
        return STATE_GONE if channel is None else channel.number("ChannelState")

    async def _channel(self, channel_id: str) -> AmiMessage | None:
        for channel in await self._list("CoreShowChannels"):
            if channel["Uniqueid"] == channel_id:
                return channel
        return None

    async def _list(self, name: str, **headers: str) -> list[AmiMessage]:
        try:
            return await self._client.action_list(name, **headers)
        except AmiActionFailed as error:
            raise AmiUnavailable(name, str(error)) from error

    def _headers(self, request: DialRequest) -> dict[str, str | list[str]]:
        # Asterisk cuts `Variable` at commas and gives quotes, brackets and backslashes a meaning of their own.
        for name, value in request.variables.items():
            if not re.fullmatch(r"_{0,2}[A-Za-z][A-Za-z0-9_]{0,79}", name, re.ASCII):
                raise UnsafeValue("variable name", repr(name))
            _demand(r"[A-Za-z0-9_.:+@/ -]{0,200}", value, f"variable {name}")
        _demand(rf"[A-Za-z0-9_.:-]{{1,{MAX_UNIQUEID}}}", request.channel_id, "channel id")
        _demand(r"\+[1-9][0-9]{5,14}", request.number, "number")
        _demand(r"[A-Za-z0-9_-]{1,79}", request.context, "context")
        _demand(r"[A-Za-z0-9_.+*#-]{1,79}", request.exten, "extension")
        headers: dict[str, str | list[str]] = {
            "ChannelId": request.channel_id,
            "Channel": self._dial_string.format(number=request.number),
            "Context": request.context,
            "Exten": request.exten,
            "Priority": "1",
            "Timeout": str(round(request.timeout * 1000)),
            "Async": "true",
            "Variable": [f"{name}={value}" for name, value in request.variables.items()],
        }
        if request.caller_id:
            headers["CallerID"] = request.caller_id
        return headers


def _demand(pattern: str, value: str, what: str) -> None:
    # Without the value: it may be a number.
    if not re.fullmatch(pattern, value, re.ASCII):
        raise UnsafeValue(what)


def _is_free(member: AmiMessage, now: float) -> bool:
    """Whether app_queue would ring this member: not paused, not in a call, and not still wrapping up the last one."""
    wrapping_up = member.number("Wrapuptime") > 0 and now < member.number("LastCall") + member.number("Wrapuptime")
    return (
        member["Paused"] == "0"
        and member["InCall"] in ("0", "")
        and member.number("Status") == DEVICE_NOT_IN_USE
        and not wrapping_up
    )
