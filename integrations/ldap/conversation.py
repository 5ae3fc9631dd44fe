"""A conversation with an LDAP server over one connection: several questions at once, each with its own answers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sansldap import ExtendedOperations, LDAPClient, LDAPError, LDAPMessage, SearchResultEntry, SearchResultReference

from ivr.errors import ConnectorError, ConnectorRefused, ConnectorUnavailable

MOST_BYTES = 16 * 1024 * 1024
"""What one question may be answered with."""
LONGEST_MESSAGE = 1024 * 1024
"""Bytes of one message: an entry with everything that was asked for."""

Ask = Callable[[LDAPClient], int]
"""Puts a question into the protocol and gives its number."""


@dataclass(eq=False, slots=True)
class _Question:
    answered: asyncio.Future[Sequence[LDAPMessage]]
    messages: list[LDAPMessage] = field(default_factory=list)
    size: int = 0


class Conversation(asyncio.Protocol):
    """The thin shell round the protocol (RFC 4511), which is sansldap's and does no input or output itself."""

    def __init__(self) -> None:
        self._protocol = LDAPClient()
        self._transport: asyncio.Transport | None = None
        self._questions: dict[int, _Question] = {}
        self._unfinished = 0
        self._ended: ConnectorError | None = None
        self._in_clear_until_answered = False

    @property
    def is_over(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._ended is not None

    async def ask(self, ask: Ask) -> Sequence[LDAPMessage]:
        """Every message that answers a question, the one that ends it last.

        Raises:
            ConnectorUnavailable: the connection was lost.
            ConnectorRefused: the answer is larger than anything that could be meant.
        """
        if self._ended is not None or self._transport is None:
            raise self._ended or ConnectorUnavailable("the directory is not connected")
        number = ask(self._protocol)
        question = self._questions[number] = _Question(asyncio.get_running_loop().create_future())
        self._transport.write(self._protocol.data_to_send())
        try:
            return await question.answered
        finally:
            # The answer to a question that nobody waits for any more is passed over.
            self._questions.pop(number, None)

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Go on in secret (RFC 4511, 4.14). Raises ConnectorError, and OSError when the handshake fails."""
        self._in_clear_until_answered = True
        (answer,) = await self.ask(lambda protocol: protocol.extended_request(ExtendedOperations.LDAP_START_TLS.value))
        if answer.result.result_code:  # type: ignore[attr-defined]  # an ExtendedResponse: nothing else answers
            raise ConnectorRefused("the directory cannot do start_tls; use an ldaps:// address")
        assert self._transport is not None
        secret = await asyncio.get_running_loop().start_tls(self._transport, self, context, server_hostname=host)
        assert secret is not None
        self._transport = secret
        self._protocol = LDAPClient()  # nothing that was half said in clear is taken over
        self._in_clear_until_answered = False

    def end(self) -> None:
        """Say goodbye and hang up."""
        if self._transport is not None and self._ended is None:
            self._protocol.unbind()
            self._transport.write(self._protocol.data_to_send())
            self._break_off(ConnectorUnavailable("the connection to the directory was closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._break_off(ConnectorUnavailable("the directory closed the connection"))

    def data_received(self, data: bytes) -> None:
        if self._in_clear_until_answered and not self._questions:
            # Somebody between us and the directory could have put this before what comes in secret.
            self._break_off(ConnectorRefused("the directory said more than was asked before start_tls"))
            return
        self._unfinished += len(data)
        for question in self._questions.values():
            question.size += len(data)
        try:
            messages = self._protocol.receive(data)
        except (LDAPError, ValueError, IndexError) as error:
            # Its text may hold what was read.
            self._break_off(ConnectorUnavailable(f"the directory's answer is not LDAP: {type(error).__name__}"))
            return
        if messages:
            self._unfinished = 0
        for message in messages:
            self._take(message)
        if self._unfinished > LONGEST_MESSAGE or any(each.size > MOST_BYTES for each in self._questions.values()):
            self._break_off(ConnectorRefused(f"the directory's answer is larger than {MOST_BYTES // 1024**2} MB"))

    def _take(self, message: LDAPMessage) -> None:
        question = self._questions.get(message.message_id)
        if question is None or question.answered.done():
            return
        question.messages.append(message)
        if not isinstance(message, SearchResultEntry | SearchResultReference):
            question.answered.set_result(question.messages)
            del self._questions[message.message_id]

    def _break_off(self, reason: ConnectorError) -> None:
        """End the connection; everybody who still waits is told why."""
        if self._ended is None:
            self._ended = reason
        for question in self._questions.values():
            if not question.answered.done():
                question.answered.set_exception(self._ended)
        self._questions.clear()
        if self._transport is not None:
            self._transport.close()
