"""One AGI session: a connection from Asterisk, and the one task that runs its call."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from enum import Enum
from math import inf
from time import monotonic
from typing import Any, Final, Protocol, cast

import structlog

from ivr.asterisk import agi_commands as commands
from ivr.asterisk.agi_alarm import Alarm
from ivr.asterisk.agi_protocol import AgiReader, Environment, Hangup, Reply, Stray
from ivr.errors import AgiCommandFailed, AgiProtocolError, AgiTimeout, CallerHungUp

# Asterisk may read a command and our mark behind it in one go, and then does not see the mark until more comes.
MARK_AGAIN: Final = 0.25

_UNKNOWN: Final = Environment()

_log = structlog.get_logger()


class State(Enum):
    """Where a session stands."""

    OPENING = "opening"
    REFUSED = "refused"
    IDLE = "idle"
    ASKED = "asked"
    RESYNCING = "resyncing"
    CLOSED = "closed"


# Looked up once: reading a member from its class costs more than the rest of a state change.
_IDLE, _ASKED, _RESYNCING, _CLOSED = State.IDLE, State.ASKED, State.RESYNCING, State.CLOSED


class Admission(Enum):
    """What becomes of a new connection."""

    WELCOME = "welcome"
    REFUSED = "refused"
    STRANGER = "stranger"


class SessionHost(Protocol):
    """The server, as its sessions see it."""

    def admit(self, session: AgiSession, peer: str) -> Admission:
        """A connection was made from an address."""

    def call(self, session: AgiSession) -> Coroutine[Any, Any, None] | None:
        """The call may begin: what runs it, or None to refuse it after all."""

    def malformed(self, session: AgiSession, error: AgiProtocolError) -> None:
        """The peer does not speak AGI."""

    def left(self, session: AgiSession) -> None:
        """The connection is gone, and no call runs on it."""


class AgiSession(asyncio.Protocol):
    """One command in flight at a time; others wait for their turn.

    A command for a live channel raises CallerHungUp once the caller has left; variables
    can be read and set also then. All commands raise AgiCommandFailed when Asterisk
    refuses them or is gone, and AgiTimeout when its reply does not come.
    """

    __slots__ = (
        "_alarm",
        "_header_timeout",
        "_host",
        "_loop",
        "_mark",
        "_reader",
        "_reply",
        "_resync_until",
        "_state",
        "_transport",
        "_turns",
        "command_timeout",
        "deadline",
        "environment",
        "hung_up",
        "task",
    )

    _mark: str
    _reply: asyncio.Future[Reply]
    _resync_until: float
    _transport: asyncio.Transport
    deadline: float

    def __init__(
        self,
        host: SessionHost,
        loop: asyncio.AbstractEventLoop,
        alarm: Alarm,
        *,
        header_timeout: float,
        command_timeout: float,
    ) -> None:
        self._host = host
        self._loop = loop
        self._alarm = alarm
        self._header_timeout = header_timeout
        self.command_timeout = command_timeout
        self._reader = AgiReader()
        self._state = State.OPENING
        self._turns: list[asyncio.Future[None]] = []
        self.environment = _UNKNOWN
        self.hung_up = False
        self.task: asyncio.Task[None] | None = None
        """What runs the call, once it has begun."""

    # --- commands ---

    async def answer(self) -> None:
        """Pick up."""
        if self.hung_up:
            raise CallerHungUp
        reply = await self.ask(commands.ANSWER, self.command_timeout)
        if reply.result != "0":
            raise await self.failure("ANSWER", reply)

    async def stream_file(self, ref: str, keys: str, seconds: float) -> str:
        """Play a file (a path without extension) or URL of about `seconds`; returns the key that stopped it, or ''."""
        if self.hung_up:
            raise CallerHungUp
        reply = await self.ask(commands.stream_file(ref, keys), seconds + self.command_timeout)
        result = reply.result
        if result == "0" and (reply.endpos != 0 or not seconds):
            return ""
        if result in ("-1", "0", "") or not result.isdecimal():
            raise await self.failure(f"STREAM FILE {ref}", reply)
        return chr(int(result))

    async def wait_for_digit(self, seconds: float) -> str:
        """The next key pressed within `seconds`, or ''."""
        if self.hung_up:
            raise CallerHungUp
        reply = await self.ask(commands.wait_for_digit(seconds), seconds + self.command_timeout)
        result = reply.result
        if result == "0":
            return ""
        if result in ("-1", "1") or not result.isdecimal():
            raise await self.failure("WAIT FOR DIGIT", reply)
        return chr(int(result))

    async def hangup(self) -> None:
        """Hang up now."""
        if self.hung_up:
            raise CallerHungUp
        reply = await self.ask(commands.HANGUP, self.command_timeout)
        if reply.result != "1":
            raise await self.failure("HANGUP", reply)

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable."""
        reply = await self.ask(commands.set_variable(name, value), self.command_timeout)
        if reply.result != "1":
            raise await self.failure(f"SET VARIABLE {name}", reply)

    async def get_variable(self, name: str) -> str | None:
        """A channel variable of at most 1 kB, None when it is not set."""
        reply = await self.ask(commands.get_variable(name), self.command_timeout)
        if reply.code != 200:
            raise await self.failure(f"GET VARIABLE {name}", reply)
        return reply.data

    async def get_full_variable(self, name: str) -> str:
        """A channel variable of any length and whatever is in it; '' when it is not set."""
        end = _new_mark()
        reply = await self.ask(commands.get_full_variable(name, end), self.command_timeout, end)
        if reply.data is None or not reply.data.endswith(end):
            raise await self.failure(f"GET FULL VARIABLE {name}", reply)
        return reply.data.removesuffix(end)

    def close(self) -> None:
        """End the session; Asterisk's extensions go on."""
        self._transport.close()
        self._end()

    def refuse(self) -> None:
        """End the session with AGISTATUS=FAILURE, so that Asterisk's extensions fall back."""
        self._transport.write(commands.FAILURE)
        self.close()

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    # --- one command ---

    async def ask(self, command: bytes, seconds: float, value_end: str = "") -> Reply:
        """Send a command when its turn has come, and wait for its reply."""
        if self._state is not _IDLE or self._turns:
            await self._turn()
        self._state = _ASKED
        if value_end:
            self._reader.value_end = f"{value_end})".encode()
        self._expect(seconds)
        reply = self._reply = asyncio.Future(loop=self._loop)
        self._transport.write(command)
        try:
            return await reply
        except asyncio.CancelledError:
            if self._reply is reply:  # else its reply came, and another command is in flight
                self._resync()
            raise

    def _fail(self, error: Exception) -> None:
        if not self._reply.done():
            self._reply.set_exception(error)

    async def _turn(self) -> None:
        if self._state is not _CLOSED:
            turn = self._loop.create_future()
            self._turns.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._turns.remove(turn)
                self._next_turn()
                raise
            self._turns.remove(turn)
        if self._state is _CLOSED:
            raise self._gone()

    def _next_turn(self) -> None:
        if self._turns and self._state in (_IDLE, _CLOSED):
            turns = self._turns if self._state is _CLOSED else self._turns[:1]
            for turn in turns:
                if not turn.done():
                    turn.set_result(None)

    def _gone(self) -> CallerHungUp | AgiCommandFailed:
        return CallerHungUp() if self.hung_up else AgiCommandFailed("the connection to Asterisk is gone")

    async def failure(self, command: str, reply: Reply) -> CallerHungUp | AgiCommandFailed:
        """Why a command failed. Where a reply may mean both, Asterisk says HANGUP before its next reply."""
        if reply.code == 200 and not self.hung_up:
            await self.ask(commands.echo(_new_mark()), self.command_timeout)
        if self.hung_up or reply.code == 511:
            return CallerHungUp()
        said = f"result={reply.result}" if reply.code == 200 else f"{reply.code} {reply.text.splitlines()[0]}"
        return AgiCommandFailed(f"{command}: {said}")

    def _resync(self) -> None:
        """Nobody waits for the reply any more: stop the command and drop replies until both sides agree again."""
        if self._state is _ASKED:
            self._state = _RESYNCING
            self._resync_until = monotonic() + self.command_timeout
            self._send_mark()

    def _send_mark(self) -> None:
        self._mark = _new_mark()
        self._transport.write(commands.echo(self._mark))
        self._expect(min(MARK_AGAIN, self.command_timeout))

    # --- time ---

    def _expect(self, seconds: float) -> None:
        """Something must happen within `seconds`."""
        self.deadline = deadline = monotonic() + seconds
        if deadline < self._alarm.rings_at:
            self._alarm.ring_at(deadline)

    def ring(self, now: float) -> None:
        """The deadline has passed."""
        state = self._state
        if state in (_IDLE, _CLOSED):
            self.deadline = inf
        elif state is _ASKED:
            self._fail(AgiTimeout("no reply to its last command"))
            self._resync()
        elif state is _RESYNCING and now < self._resync_until:
            self._send_mark()
        else:
            if state is State.OPENING:
                self._host.malformed(self, AgiProtocolError(f"no opening within {self._header_timeout:g} s"))
            self.deadline = inf
            self._transport.abort()

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asterisk, or somebody else, connected."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        admission = self._host.admit(self, peer[0] if peer else "")
        if admission is Admission.STRANGER:
            self._transport.abort()
            return
        if admission is Admission.REFUSED:
            # Closing with its opening unread would reset the connection, and it might not see our word.
            self._state = State.REFUSED
            self._transport.write(commands.FAILURE)
        self._expect(self._header_timeout)
        self._alarm.watched.add(self)

    def data_received(self, data: bytes) -> None:
        """Asterisk sent something. A reply resumes the call when all of `data` has been seen."""
        reply = self._reader.reply(data) if self._state is _ASKED else None
        if reply is None:
            reply = self._receive(data)
        if reply is not None:
            self._state = _IDLE
            if not self._reply.done():
                self._reply.set_result(reply)
        if self._turns:
            self._next_turn()

    def _receive(self, data: bytes) -> Reply | None:
        """Whatever Asterisk may send, in any number of pieces; returns the reply to the command in flight."""
        if self._state is _CLOSED:
            return None
        try:
            events = self._reader.receive(data)
        except AgiProtocolError as error:
            self._host.malformed(self, error)
            self._transport.abort()
            return None
        answer: Reply | None = None
        for event in events:
            if isinstance(event, Environment):
                self._open(event)
            elif isinstance(event, Hangup):
                self._hang_up()
            elif isinstance(event, Stray):
                _log.warning("agi line is no reply", length=len(event.line))
            elif self._state is _ASKED and answer is None:
                answer = event
                self._reader.value_end = b")"
            elif self._state is not _RESYNCING:
                _log.warning("agi reply without a command", code=event.code)
            elif event.data == self._mark:
                self._state = _IDLE
                self._reader.value_end = b")"
        return answer

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, from either side."""
        self._end()
        self._alarm.watched.discard(self)
        if self.task is None or self.task.done():
            self._host.left(self)

    def _open(self, environment: Environment) -> None:
        call = None
        if self._state is State.OPENING:
            self.environment = environment
            call = self._host.call(self)
        if call is None:
            self.close() if self._state is State.REFUSED else self.refuse()
            return
        self._state = _IDLE
        self.task = self._loop.create_task(call)

    def _hang_up(self) -> None:
        self.hung_up = True
        if self._state is _ASKED:
            # What was running ends with the call: its reply is due now, not at the end of the prompt.
            self._expect(min(self.command_timeout, self.deadline - monotonic()))

    def _end(self) -> None:
        if self._state is _ASKED:
            self._fail(self._gone())
        self._state = _CLOSED
        if self._turns:
            self._next_turn()


def _new_mark() -> str:
    """What no value can hold by chance or by guess."""
    return "k" + secrets.token_hex(8)
