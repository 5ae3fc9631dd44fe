"""The robot's telephone: a SIP user agent over UDP with many lines, on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from types import TracebackType
from typing import Self

import structlog

from ivr.domain.line import mask
from ivr.errors import CallFailed, RobotError
from ivr.robot.call import Call
from ivr.robot.media import MediaPort
from ivr.robot.prompts import KnownPrompts
from ivr.robot.sip_event import LegState
from ivr.robot.sip_leg import Leg
from ivr.robot.sip_message import Header, Message, Request, Response, address_of, parse, uri_of, user_of
from ivr.robot.sip_response import ALLOW, respond

STEP = 0.020
LISTEN_EACH = 5
"""Each call listens each 100 ms, not all in the same 20."""
FAREWELL = 1.0
"""Seconds that open calls get to end when the telephone closes."""
MAX_CALLS = 200

log = structlog.get_logger()
Address = tuple[str, int]


class UserAgent(asyncio.DatagramProtocol):
    """A telephone. Use it as `async with UserAgent() as telephone`.

    `host` is the address that it binds and names in its messages; `port` 0 takes a free one.
    `known` are the prompts that it knows by ear.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, known: KnownPrompts | None = None) -> None:
        self.host = host
        self.port = port
        self.calls: list[Call] = []
        self._known = known or KnownPrompts({})
        self._peers: dict[Call, Address] = {}
        self._arrived: asyncio.Queue[Call] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None
        self._settled = asyncio.Event()
        self._pace: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await self._loop.create_datagram_endpoint(lambda: self, (self.host, self.port))
        except OSError as error:
            raise RobotError(f"cannot use {self.host}:{self.port}: {error.strerror}") from error
        self.port = self._transport.get_extra_info("sockname")[1]
        self._pace = self._loop.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for call in self.calls:
            call.leg.hang_up(self._loop.time())
            self._flush(call)
        if any(call.leg.waiting for call in self.calls):
            self._settled.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await self._settled.wait()
        if self._pace is not None:
            self._pace.cancel()
            (outcome,) = await asyncio.gather(self._pace, return_exceptions=True)
            if isinstance(outcome, Exception) and error is None:
                raise outcome
        for call in self.calls:
            call.media.close()
        if self._transport is not None:
            self._transport.close()

    @property
    def uri(self) -> str:
        """This telephone's own SIP address."""
        return f"sip:robot@{self._host_port}"

    @property
    def _host_port(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def call(self, uri: str, *, caller_number: str = "", privacy: bool = False) -> Call:
        """Dial a SIP address and return at once; `Call.answered` waits.

        `caller_number` is what the other side shall see, as text; '' shows none. With
        `privacy` it is withheld as trunks do it: anonymous to the eye, asserted to the
        network (RFC 3323, RFC 3325).

        Raises:
            CallFailed: the address is not one, or the telephone has too many calls.
            UnsafeValue: the number holds a line break.
        """
        try:
            peer = address_of(uri)
        except ValueError as error:
            raise CallFailed(str(error)) from error
        sender, extra = self._sender(caller_number, privacy=privacy)
        call = self._open(self._leg(), caller=caller_number, called=user_of(uri), peer=peer)
        call_id = f"{secrets.token_hex(12)}@{self.host}"
        call.leg.call(uri, sender, call_id, extra, call.offer(), self._loop.time())
        log.info("robot calls", called=mask(user_of(uri)), call_id=call_id)
        self._flush(call)
        return call

    async def next_call(self, limit: float) -> Call:
        """The next call that comes in; it neither rings nor is answered until told to.

        Raises:
            CallFailed: none came in time.
        """
        try:
            async with asyncio.timeout(limit):
                return await self._arrived.get()
        except TimeoutError as error:
            raise CallFailed(f"nobody called within {limit:g} s") from error

    def _sender(self, number: str, *, privacy: bool) -> tuple[Header, tuple[Header, ...]]:
        own = f"<sip:{number}@{self._host_port}>" if number else f"<sip:{self._host_port}>"
        if not privacy:
            return ("from", own), ()
        asserted = (("p-asserted-identity", own),) if number else ()
        return ("from", '"Anonymous" <sip:anonymous@anonymous.invalid>'), (("privacy", "id"), *asserted)

    def _leg(self) -> Leg:
        return Leg(tag=secrets.token_hex(6), contact=self.uri, via=self._host_port, token=lambda: secrets.token_hex(8))

    def _open(self, leg: Leg, *, caller: str, called: str, peer: Address) -> Call:
        if sum(call.leg.state is not LegState.OVER for call in self.calls) >= MAX_CALLS:
            raise CallFailed(f"the robot has {MAX_CALLS} calls already")
        media = MediaPort(self.host, self._loop.time)
        call = Call(
            leg,
            media,
            self._known,
            caller=caller,
            called=called,
            clock=self._loop.time,
            flush=lambda: self._flush(call),
        )
        self.calls.append(call)
        self._peers[call] = peer
        return call

    # --- datagrams -------------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """A SIP datagram came."""
        try:
            message = parse(data)
        except ValueError as error:
            log.warning("not a SIP message", error=str(error), peer=addr[0])
            return
        if message is None:
            return
        call = self._owner(message)
        if isinstance(message, Response):
            if call is not None:
                call.leg.on_response(message, self._loop.time())
        elif call is not None:
            call.leg.on_request(message, self._loop.time())
        elif message.method == "INVITE" and not message.to_tag:
            call = self._take(message, addr)
        elif message.method != "ACK":
            status = 200 if message.method == "OPTIONS" else 481
            self._send(respond(message, status, tag=secrets.token_hex(6), extra=(ALLOW,)).encode(), addr)
        if call is not None:
            self._flush(call)
        if not any(call.leg.waiting for call in self.calls):
            self._settled.set()

    def _take(self, invite: Request, addr: Address) -> Call | None:
        caller, called = user_of(uri_of(invite.first("from"))), user_of(invite.uri)
        try:
            call = self._open(self._leg(), caller=caller, called=called, peer=addr)
        except CallFailed as error:
            log.warning("robot refuses a call", reason=str(error))
            self._send(respond(invite, 503, tag=secrets.token_hex(6)).encode(), addr)
            return None
        call.leg.on_request(invite, self._loop.time())
        self._arrived.put_nowait(call)
        log.info("robot is called", caller=mask(caller), call_id=invite.call_id)
        return call

    def _owner(self, message: Message) -> Call | None:
        """The call that a message belongs to: by Call-ID, and by our tag once it has one."""
        for call in self.calls:
            if call.leg.call_id == message.call_id:
                ours = message.from_tag if isinstance(message, Response) else message.to_tag
                if ours == call.leg.tag or (isinstance(message, Request) and not ours and call.leg.began(message)):
                    return call
        return None

    def _flush(self, call: Call) -> None:
        """Send what a call wants sent and tell it what happened, until there is nothing more."""
        while True:
            datagrams, events = call.leg.take()
            for datagram in datagrams:
                self._send(datagram, self._peers[call])
            for event in events:
                try:
                    call.on_event(event)
                except CallFailed as error:
                    log.warning("robot cannot talk to the other side", error=str(error))
                    call.leg.hang_up(self._loop.time())
            if not datagrams and not events:
                return

    def _send(self, datagram: bytes, addr: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram, addr)

    def error_received(self, exc: Exception) -> None:
        """The network refused a datagram; SIP's own repetitions and limits decide what becomes of the call."""
        log.debug("datagram refused", error=str(exc))

    # --- pace ------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Every 20 ms, by the clock: sound, hearing, and what the signalling repeats."""
        start, count = self._loop.time(), 0
        while True:
            for index, call in enumerate(self.calls):
                self._attend(call, listen=(count + index) % LISTEN_EACH == 0)
            self._forget()
            count += 1
            # When late, go on with the present: the media make up for what they missed.
            count = max(count, int((self._loop.time() - start) / STEP))
            await asyncio.sleep(max(start + count * STEP - self._loop.time(), 0))

    def _forget(self) -> None:
        """Drop calls that are over and to which nothing can come any more."""
        finished = [call for call in self.calls if call.leg.state is LegState.OVER and call.leg.due is None]
        for call in finished:
            self.calls.remove(call)
            del self._peers[call]

    def _attend(self, call: Call, *, listen: bool) -> None:
        now = self._loop.time()
        if call.leg.state is not LegState.OVER:
            call.tick(listen=listen)
        due = call.leg.due
        if due is not None and due <= now:
            call.leg.on_time(now)
            self._flush(call)
