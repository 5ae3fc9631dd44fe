"""One AGI session: a connection from Asterisk, and the one task that runs its call."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Coroutine
from enum import Enum
from typing import Any, Final, Protocol, cast

import structlog

from ivr.asterisk import agi_commands as commands
from ivr.asterisk.agi_protocol import AgiReader, Environment, Hangup, Reply, Stray
from ivr.asterisk.agi_waiter import Waiter
from ivr.errors import AgiCommandFailed, AgiProtocolError, AgiTimeout, CallerHungUp

# Asterisk may read a command and our mark behind it in one go, and then does not see the mark until more comes.
MARK_AGAIN: Final = 0.25

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
        "_command_timeout",
        "_deadline",
        "_header_timeout",
        "_host",
        "_loop",
        "_mark",
        "_marks",
        "_reader",
        "_resync_until",
        "_state",
        "_task",
        "_timer",
        "_timer_at",
        "_transport",
        "_turns",
        "_waiter",
        "environment",
        "hung_up",
    )

    _transport: asyncio.Transport

    def __init__(
        self, host: SessionHost, loop: asyncio.AbstractEventLoop, *, header_timeout: float, command_timeout: float
    ) -> None:
        self._host = host
        self._loop = loop
        self._header_timeout = header_timeout
        self._command_timeout = command_timeout
        self._reader = AgiReader()
        self._waiter = Waiter(loop, self._resync)
        self._state = State.OPENING
        self._turns: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._deadline = 0.0
        self._mark = ""
        self._marks = 0
        self._resync_until = 0.0
        self.environment = Environment()
        self.hung_up = False

    # --- commands ---

    async def answer(self) -> None:
        """Pick up."""
        reply = await self._ask_live(commands.ANSWER, self._command_timeout)
        if reply.result != "0":
            raise await self._failure("ANSWER", reply)

    async def stream_file(self, ref: str, keys: str, seconds: float) -> str:
        """Play a file (a path without extension) or URL of about `seconds`; returns the key that stopped it, or ''."""
        reply = await self._ask_live(commands.stream_file(ref, keys), seconds + self._command_timeout)
        result = reply.result
        if result == "0" and (reply.endpos != 0 or not seconds):
            return ""
        if result in ("-1", "0", "") or not result.isdecimal():
            raise await self._failure(f"STREAM FILE {ref}", reply)
        return chr(int(result))

    async def wait_for_digit(self, seconds: float) -> str:
        """The next key pressed within `seconds`, or ''."""
        reply = await self._ask_live(commands.wait_for_digit(seconds), seconds + self._command_timeout)
        result = reply.result
        if result == "0":
            return ""
        if result in ("-1", "1") or not result.isdecimal():
            raise await self._failure("WAIT FOR DIGIT", reply)
        return chr(int(result))

    async def hangup(self) -> None:
        """Hang up now."""
        reply = await self._ask_live(commands.HANGUP, self._command_timeout)
        if reply.result != "1":
            raise await self._failure("HANGUP", reply)

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable."""
        reply = await self._ask(commands.set_variable(name, value), self._command_timeout)
        if reply.result != "1":
            raise await self._failure(f"SET VARIABLE {name}", reply)

    async def get_variable(self, name: str) -> str | None:
        """A channel variable of at most 1 kB, None when it is not set."""
        reply = await self._ask(commands.get_variable(name), self._command_timeout)
        if reply.code != 200:
            raise await self._failure(f"GET VARIABLE {name}", reply)
        return reply.data

    async def get_full_variable(self, name: str) -> str:
        """A channel variable of any length and whatever is in it; '' when it is not set."""
        end = self._new_mark()
        reply = await self._ask(commands.get_full_variable(name, end), self._command_timeout, value_end=end)
        if reply.data is None or not reply.data.endswith(end):
            raise await self._failure(f"GET FULL VARIABLE {name}", reply)
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

    @property
    def task(self) -> asyncio.Task[None] | None:
        """What runs the call, once it has begun."""
        return self._task

    # --- one command ---

    def _ask_live(self, command: bytes, seconds: float) -> Awaitable[Reply]:
        if self.hung_up:
            raise CallerHungUp
        return self._ask(command, seconds)

    def _ask(self, command: bytes, seconds: float, *, value_end: str = "") -> Awaitable[Reply]:
        """Send a command now, if it may; to be awaited at once. Not a coroutine itself: it runs for every command."""
        if self._state is not _IDLE or self._turns:
            return self._ask_later(command, seconds, value_end)
        return self._send(command, seconds, value_end)

    async def _ask_later(self, command: bytes, seconds: float, value_end: str) -> Reply:
        await self._turn()
        return await self._send(command, seconds, value_end)

    def _send(self, command: bytes, seconds: float, value_end: str) -> Waiter:
        self._state = _ASKED
        if value_end:
            self._reader.value_end = f"{value_end})".encode()
        self._expect(seconds)
        self._transport.write(command)
        return self._waiter

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

    async def _failure(self, command: str, reply: Reply) -> CallerHungUp | AgiCommandFailed:
        """Why a command failed. Where a reply may mean both, Asterisk says HANGUP before its next reply."""
        if reply.code == 200 and not self.hung_up:
            await self._ask(commands.echo(self._new_mark()), self._command_timeout)
        if self.hung_up or reply.code == 511:
            return CallerHungUp()
        said = f"result={reply.result}" if reply.code == 200 else f"{reply.code} {reply.text.splitlines()[0]}"
        return AgiCommandFailed(f"{command}: {said}")

    def _new_mark(self) -> str:
        if not self._mark:
            self._mark = "k" + secrets.token_hex(6)
        self._marks += 1
        return f"{self._mark}x{self._marks}"

    def _resync(self) -> None:
        """Nobody waits for the reply any more: stop the command and drop replies until both sides agree again."""
        if self._state is _ASKED:
            self._state = _RESYNCING
            self._resync_until = self._loop.time() + self._command_timeout
            self._send_mark()

    def _send_mark(self) -> None:
        self._transport.write(commands.echo(self._new_mark()))
        self._expect(min(MARK_AGAIN, self._command_timeout))

    # --- time ---

    def _expect(self, seconds: float) -> None:
        """Something must happen within `seconds`. The timer is moved only when it would ring too late."""
        deadline = self._loop.time() + seconds
        self._deadline = deadline
        if self._timer is None or self._timer_at > deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            self._timer = self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        state = self._state
        if state in (_IDLE, _CLOSED):
            return
        now = self._loop.time()
        if now < self._deadline:
            self._expect(self._deadline - now)
        elif state is _ASKED:
            self._waiter.fail(AgiTimeout("no reply to its last command"))
            self._resync()
        elif state is _RESYNCING and now < self._resync_until:
            self._send_mark()
        else:
            if state is State.OPENING:
                self._host.malformed(self, AgiProtocolError(f"no opening within {self._header_timeout:g} s"))
            self._transport.abort()

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asterisk, or somebody else, connected."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        admission = self._host.admit(self, peer[0] if peer else "")
        if admission is Admission.WELCOME:
            self._expect(self._header_timeout)
        elif admission is Admission.STRANGER:
            self._transport.abort()
        else:
            # Closing with its opening unread would reset the connection, and it might not see our word.
            self._state = State.REFUSED
            self._transport.write(commands.FAILURE)
            self._expect(self._header_timeout)

    def data_received(self, data: bytes) -> None:
        """Asterisk sent something. A reply resumes the call when all of `data` has been seen."""
        if self._state is _CLOSED:
            return
        try:
            events = self._reader.receive(data)
        except AgiProtocolError as error:
            self._host.malformed(self, error)
            self._transport.abort()
            return
        answer: Reply | None = None
        for event in events:
            if isinstance(event, Reply):
                if self._state is _ASKED and answer is None:
                    answer = event
                elif self._state is _RESYNCING:
                    if event.data == f"{self._mark}x{self._marks}":
                        self._state = _IDLE
                        self._reader.value_end = b")"
                else:
                    _log.warning("agi reply without a command", code=event.code)
            elif isinstance(event, Hangup):
                self._hang_up()
            elif isinstance(event, Stray):
                _log.warning("agi line is no reply", length=len(event.line))
            else:
                self._open(event)
        if answer is not None:
            self._state = _IDLE
            self._reader.value_end = b")"
            self._waiter.answer(answer)
        if self._turns:
            self._next_turn()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, from either side."""
        self._end()
        self._waiter.fail(self._gone())
        if self._task is None or self._task.done():
            self._host.left(self)
        # It knows this session: without the circle, both are freed at once instead of by the collector.
        del self._waiter

    def _open(self, environment: Environment) -> None:
        call = None
        if self._state is State.OPENING:
            self.environment = environment
            call = self._host.call(self)
        if call is None:
            self.close() if self._state is State.REFUSED else self.refuse()
            return
        self._state = _IDLE
        self._task = self._loop.create_task(call)

    def _hang_up(self) -> None:
        self.hung_up = True
        if self._state is _ASKED:
            # What was running ends with the call: its reply is due now, not at the end of the prompt.
            self._expect(min(self._command_timeout, self._deadline - self._loop.time()))

    def _end(self) -> None:
        self._state = _CLOSED
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._next_turn()
