"""The FastAGI server: Asterisk connects to it for each call."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from ivr.asterisk.agi_alarm import Alarm
from ivr.asterisk.agi_channel import AgiChannel, read_arrival
from ivr.asterisk.agi_session import Admission, AgiSession
from ivr.config.model import FastAgi
from ivr.errors import AgiProtocolError, CallerHungUp, SetupError
from ivr.ports import Handler

BACKLOG = 2048
"""Calls that may knock at the same moment; Asterisk gives a connection 2 s."""

_log = structlog.get_logger()


@dataclass(slots=True)
class SessionCounts:
    """How many connections came to what, since the start."""

    taken: int = 0
    failed: int = 0
    full: int = 0
    draining: int = 0
    strangers: int = 0
    malformed: int = 0


class FastAgiServer:
    """Gives each call a task that runs `handler`.

    `country` (ISO 3166) is where national numbers of callers are from. `counts` is for metrics.
    A call that is refused, or whose handler fails, goes where Asterisk's extensions fall back to.
    """

    def __init__(self, config: FastAgi, handler: Handler, country: str) -> None:
        self.counts = SessionCounts()
        self._config = config
        self._handler = handler
        self._country = country
        self._allowed = frozenset(_address(text) for text in config.allow)
        self._sessions: set[AgiSession] = set()
        self._server: asyncio.Server | None = None
        self._port = config.port
        self._draining = False
        self._warned: dict[str, float] = {}

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def open_sessions(self) -> int:
        """Connections that are open now, or whose call has not ended yet."""
        return len(self._sessions)

    async def start(self) -> None:
        """Listen.

        Raises:
            SetupError: the address cannot be listened on.
        """
        config = self._config
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        try:
            listener = socket.create_server((config.host, config.port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise SetupError(
                f"FastAGI cannot listen on {config.host}:{config.port} ({error.strerror}); "
                "is another Klantlijn running? See asterisk.fastagi in config.yaml"
            ) from error
        # Connections inherit this from their listener.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._port = listener.getsockname()[1]

        alarm = Alarm(loop)

        def session() -> AgiSession:
            return AgiSession(
                self, loop, alarm, header_timeout=config.header_timeout, command_timeout=config.command_timeout
            )

        self._server = await loop.create_server(session, sock=listener, backlog=BACKLOG)

    async def drain(self) -> None:
        """Stop: take no more calls, let those in progress finish, and cancel what is left after `drain_timeout`."""
        self._draining = True
        if self._server is not None:
            self._server.close()
        await self._wait_for_calls(self._config.drain_timeout)
        for session in self._sessions:
            if session.task is not None and session.task.cancel():
                _log.warning("call cut off: draining took too long", call=session.environment.get("uniqueid"))
        await self._wait_for_calls(self._config.command_timeout)
        for session in list(self._sessions):
            session.abort()

    async def _wait_for_calls(self, seconds: float) -> None:
        tasks = [session.task for session in self._sessions if session.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    # --- what sessions ask (SessionHost) ---

    def admit(self, session: AgiSession, peer: str) -> Admission:
        """Let in who is allowed while there is room."""
        if peer.removeprefix("::ffff:") not in self._allowed:
            self.counts.strangers += 1
            self._warn("agi connection refused: not in asterisk.fastagi.allow", peer=peer, so_far=self.counts.strangers)
            return Admission.STRANGER
        if len(self._sessions) >= self._config.max_sessions:
            self.counts.full += 1
            self._warn("call refused: asterisk.fastagi.max_sessions are open", peer=peer, so_far=self.counts.full)
            return Admission.REFUSED
        self._sessions.add(session)
        return Admission.WELCOME

    def call(self, session: AgiSession) -> Coroutine[Any, Any, None] | None:
        """Take a call, unless this server is stopping."""
        if self._draining:
            self.counts.draining += 1
            _log.info("call refused: stopping", call=session.environment.get("uniqueid"))
            return None
        self.counts.taken += 1
        return self._run(session)

    def malformed(self, session: AgiSession, error: AgiProtocolError) -> None:
        """Count who does not speak AGI."""
        self.counts.malformed += 1
        self._warn("agi session dropped", reason=str(error), so_far=self.counts.malformed)

    def left(self, session: AgiSession) -> None:
        """Forget a connection that had no call."""
        self._sessions.discard(session)

    def _warn(self, event: str, **details: object) -> None:
        """Refusals come in floods: of each kind, one line a second says how many there were."""
        now = time.monotonic()
        if now - self._warned.get(event, -1.0) >= 1.0:
            self._warned[event] = now
            _log.warning(event, **details)

    async def _run(self, session: AgiSession) -> None:
        try:
            arrival = read_arrival(session.environment, self._country)
            await self._handler(arrival, AgiChannel(session))
        except CallerHungUp:
            pass
        except AgiProtocolError as error:
            self.malformed(session, error)
            session.refuse()
        except Exception:  # whatever is wrong with one call must not touch the others
            self.counts.failed += 1
            _log.exception("call failed", call=session.environment.get("uniqueid"))
        finally:
            session.close()
            self._sessions.discard(session)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise SetupError(f"asterisk.fastagi.allow: '{text}' is not an address") from error
