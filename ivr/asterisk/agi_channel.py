"""The caller's channel over an AGI session, and what a session's opening says of the call."""

from __future__ import annotations

import asyncio
import re

from ivr.asterisk.agi_protocol import Environment
from ivr.asterisk.agi_recording import record_caller, start_monitor, stop_monitor
from ivr.asterisk.agi_session import AgiSession
from ivr.domain.callback import CallbackId
from ivr.domain.contact import ContactId
from ivr.domain.hand_over import EXTENSION, NUMBER, HandOver, ToNumber, ToQueue
from ivr.domain.line import Line, LineState, read_line
from ivr.domain.recording import Take
from ivr.domain.speech import Audio
from ivr.errors import AgiProtocolError, CallerHungUp, UnsafeValue
from ivr.ports import Arrival


def read_arrival(environment: Environment, country: str) -> Arrival:
    """The call that an opening (`agi://host:port/call` or `/callback/<id>`) presents.

    In a call of our own the caller id is ours, so the line of a callback is ABSENT: the
    promise knows whom we called.

    Raises:
        AgiProtocolError: it asks for something else, or does not say which call it is.
    """
    script, _, callback = environment.get("network_script").partition("/")
    contact_id = environment.get("uniqueid")
    if not contact_id or (script, bool(callback)) not in (("call", False), ("callback", True)):
        raise AgiProtocolError(f"it asked for {environment.get('network_script', '')[:40]!r}")
    if callback:
        line = Line(LineState.ABSENT)
    else:
        line = read_line(
            environment.get("callerid"),
            presentation=_number(environment.get("callingpres")),
            privacy=environment.get("arg_1"),
            attestation=environment.get("arg_2"),
            country=country,
        )
    dialled = environment.get("dnid")
    return Arrival(
        contact_id=ContactId(contact_id),
        channel=environment.get("channel"),
        entry=dialled if dialled not in ("", "unknown") else environment.get("extension"),
        line=line,
        language=environment.get("language"),
        callback_id=CallbackId(callback) if callback else None,
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


class AgiChannel:
    """A leg of a call (ivr.ports.Channel). What happens after the session is told in KLANTLIJN_* variables."""

    __slots__ = ("_monitor", "session")

    def __init__(self, session: AgiSession) -> None:
        self.session = session
        self._monitor = ""

    async def answer(self) -> None:
        """Pick up."""
        await self.session.answer()

    async def play(self, audio: Audio, *, keys: str = "") -> str:
        """Play audio to its end, or until one of `keys` is pressed. Returns that key, or ''.

        Raises:
            AgiCommandFailed: nothing could be heard, such as a file that is not there.
        """
        return await self.session.stream_file(audio.ref, keys, audio.seconds)

    async def wait_for_key(self, seconds: float) -> str:
        """The next key pressed within `seconds`, or ''."""
        return await self.session.wait_for_digit(seconds)

    async def pause(self, seconds: float, *, keys: str = "") -> str:
        """Be silent for `seconds`, or until one of `keys` is pressed. Returns that key, or ''."""
        ends_at = asyncio.get_running_loop().time() + seconds
        while (left := ends_at - asyncio.get_running_loop().time()) > 0:
            key = await self.session.wait_for_digit(left)
            if not key or key in keys:
                return key
        return ""

    async def hand_over(self, to: HandOver) -> None:
        """Make the extensions take the caller to a queue or a telephone when the session ends.

        Raises:
            UnsafeValue: what should be dialled is neither E.164 nor an extension.
        """
        match to:
            case ToQueue():
                await self._end_with("queue", **_queue_variables(to))
            case ToNumber():
                number = to.destination.number
                # The last look before it becomes part of a dial string, wherever it came from.
                if not re.fullmatch(f"{NUMBER}|{EXTENSION}", number, re.ASCII):
                    raise UnsafeValue("number to transfer to")
                ring_for = str(round(to.ring_for))
                queue = _queue_variables(to.otherwise)
                await self._end_with("transfer", KLANTLIJN_TO=number, KLANTLIJN_RING_FOR=ring_for, **queue)

    async def hang_up(self) -> None:
        """Make the extensions hang up when the session ends."""
        await self._end_with("hangup")

    async def record(self, ref: str, *, most: float, silence: float, keys: str = "") -> Take:
        """Record the caller to `ref`.wav. A caller who leaves meanwhile has recorded something."""
        return await record_caller(self.session, ref, most=most, silence=silence, keys=keys)

    async def record_call(self, ref: str) -> None:
        """Record both sides to `ref`.wav from here on, behind what is there, also when the session is over."""
        await self.stop_recording_call()
        self._monitor = await start_monitor(self.session, ref)

    async def stop_recording_call(self) -> None:
        """Stop what `record_call` began, if it goes on."""
        if self._monitor:
            await stop_monitor(self.session, self._monitor)
            self._monitor = ""

    async def _end_with(self, following: str, **variables: str) -> None:
        if not self.session.hung_up:
            for name, value in variables.items():
                await self.session.set_variable(name, value)
            # Last, as it makes the others count: cut off before, the extensions fall back.
            await self.session.set_variable("KLANTLIJN_NEXT", following)
        if self.session.hung_up:
            raise CallerHungUp


def _queue_variables(to: ToQueue) -> dict[str, str]:
    return {
        "KLANTLIJN_QUEUE": to.asterisk_queue,
        "KLANTLIJN_LANGUAGE": to.language.value,
        "KLANTLIJN_PRIORITY": str(to.priority),
    }
