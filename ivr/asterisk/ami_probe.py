"""Looks at a manager interface from outside, with another library than the engine's, for `ivr doctor`."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from asterisk.ami import AMIClient, SimpleAction

from ivr.asterisk.ami_client import tls_context
from ivr.asterisk.ami_rights import ACTIONS
from ivr.asterisk.ami_wire import checked_headers
from ivr.config.model import Ami
from ivr.errors import AmiAnswerLost, AmiLoginRefused, AmiUnavailable


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What was found. `missing` are actions the user may not do; `round_trip` is a Ping's, in seconds."""

    version: str
    missing: tuple[str, ...]
    round_trip: float


class _Answer:
    """Where the library puts an answer. Its own class calls a method that Python is about to drop."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._place: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def response(self) -> Any:
        """The library's Response, or None when none came within the limit."""
        with suppress(queue.Empty):
            return self._place.get(timeout=self._limit)
        return None

    @response.setter
    def response(self, response: Any) -> None:
        self._place.put(response)


class _Client(AMIClient):  # type: ignore[misc]  # asterisk-ami has no types
    """asterisk-ami with TLS, and with a reading thread that ends quietly."""

    def __init__(self, config: Ami, tls: ssl.SSLContext | None) -> None:
        super().__init__(config.host, config.port, timeout=config.action_timeout)
        self._tls = tls

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self._port), self._timeout)
        self._socket = self._tls.wrap_socket(plain, server_hostname=self._address) if self._tls else plain
        self.finished = threading.Event()
        self._thread = threading.Thread(target=self.listen, daemon=True, name="ami-probe")
        self._thread.start()

    def listen(self) -> None:
        # The border to the library: whatever ends its reading shows as an answer that never comes.
        with suppress(Exception):
            super().listen()
        self.finished.set()
        for answer in list(self._futures.values()):
            answer.response = None

    def ask(self, name: str, **headers: str) -> Any:
        """Do an action and wait for the library's Response. Raises AmiAnswerLost."""
        checked_headers(name, headers)
        action = SimpleAction(name, ActionID=self.next_action_id(), **headers)
        answer = self._futures[action.keys["ActionID"]] = _Answer(self._timeout)
        if not self.finished.is_set():
            self.send(action)
            response = answer.response
            if response is not None:
                return response
        raise AmiAnswerLost(name, f"{self._address}:{self._port}")

    def hang_up(self) -> None:
        """End the connection and its thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.disconnect()


def probe(config: Ami, secret: str) -> ProbeResult:
    """Log in and look around. Blocks, at most a few times `action_timeout`: run it in a thread.

    Raises:
        AmiUnavailable: nobody listens there, or what listens is no Asterisk.
        AmiLoginRefused: the user or secret is wrong, or this address is not allowed.
        SetupError: `tls_ca_file` cannot be used.
    """
    client = _Client(config, tls_context(config))
    try:
        client.connect()
    except OSError as error:
        raise AmiUnavailable(f"{config.host}:{config.port}", error) from error
    try:
        login = client.ask("Login", Username=config.user, Secret=secret, Events="off")
        if login.is_error():
            raise AmiLoginRefused(config.user, login.keys.get("Message", ""))
        began = time.monotonic()
        client.ask("Ping")
        round_trip = time.monotonic() - began
        settings = client.ask("CoreSettings")
        allowed = client.ask("ListCommands").keys
    except OSError as error:
        raise AmiUnavailable(f"{config.host}:{config.port}", error) from error
    finally:
        client.hang_up()
    return ProbeResult(
        version=settings.keys.get("AsteriskVersion", ""),
        missing=tuple(action for action in ACTIONS if action not in allowed),
        round_trip=round_trip,
    )
