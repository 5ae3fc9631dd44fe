"""The caller's channel over an AGI session, and what a session's opening says of the call."""

from __future__ import annotations

import asyncio

from ivr.asterisk.agi_protocol import Environment
from ivr.asterisk.agi_session import AgiSession
from ivr.domain.callback import CallbackId
from ivr.domain.contact import ContactId
from ivr.domain.line import Line, LineState, read_line
from ivr.domain.speech import Audio
from ivr.errors import AgiProtocolError, CallerHungUp
from ivr.ports import Arrival, HandOver


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

    __slots__ = ("session",)

    def __init__(self, session: AgiSession) -> None:
        self.session = session

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
        """Make the extensions take the caller to a queue when the session ends."""
        await self._end_with(
            "queue",
            KLANTLIJN_QUEUE=to.asterisk_queue,
            KLANTLIJN_LANGUAGE=to.language.value,
            KLANTLIJN_PRIORITY=str(to.priority),
        )

    async def hang_up(self) -> None:
        """Make the extensions hang up when the session ends."""
        await self._end_with("hangup")

    async def _end_with(self, following: str, **variables: str) -> None:
        if not self.session.hung_up:
            for name, value in variables.items():
                await self.session.set_variable(name, value)
            # Last, as it makes the others count: cut off before, the extensions fall back.
            await self.session.set_variable("KLANTLIJN_NEXT", following)
        if self.session.hung_up:
            raise CallerHungUp
