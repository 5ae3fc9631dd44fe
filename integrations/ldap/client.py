"""A directory asked by searches: its connection, TLS and limits, and its result codes turned into our errors."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlsplit

from sansldap import (
    BindResponse,
    LDAPFilter,
    LDAPMessage,
    LDAPResult,
    PagedResultControl,
    SearchResultDone,
    SearchResultEntry,
    SearchScope,
)
from sansldap import LDAPResultCode as Code

from integrations.ldap.conversation import Ask, Conversation
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable

PORTS = {"ldap": 389, "ldaps": 636}
NO_ATTRIBUTES = "1.1"
"""RFC 4511, 4.5.1.8: the entries only."""

Entry = Mapping[str, Sequence[bytes]]
"""An entry's attributes, their names in small letters, without options such as `;lang-nl`."""


class PageLost(ConnectorUnavailable):
    """The directory no longer knows the search whose next page was asked for."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the directory is, and as whom it is asked. Without a name nobody in particular asks."""

    url: str
    start_tls: bool
    trust: ssl.SSLContext
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, and where the next ones are asked for: empty when there are none."""

    entries: Sequence[Entry]
    cookie: bytes


class LdapClient:
    """One connection for all questions, made when it is needed and again when it was lost.

    Every method raises ConnectorError.
    """

    def __init__(self, account: Account, *, timeout: float) -> None:
        self._account = account
        self._timeout = timeout
        self._conversation: Conversation | None = None
        self._connecting = asyncio.Lock()

    async def entries(self, base: str, wanted: LDAPFilter, attributes: Sequence[str], *, most: int) -> Sequence[Entry]:
        """The entries under `base` that a filter selects.

        Raises:
            ConnectorRefused: there are more than `most`, or the directory says no.
        """
        messages = await self._ask(
            lambda protocol: protocol.search_request(
                base, size_limit=most, time_limit=ceil(self._timeout), filter=wanted, attributes=list(attributes)
            )
        )
        return _page(messages).entries

    async def page(self, base: str, wanted: LDAPFilter, attributes: Sequence[str], *, size: int, cookie: bytes) -> Page:
        """At most `size` entries of a search; the empty cookie asks for the first. See RFC 2696.

        Raises:
            PageLost: the search has to begin again.
        """
        paged = PagedResultControl(critical=True, size=size, cookie=cookie)
        messages = await self._ask(
            lambda protocol: protocol.search_request(
                base, time_limit=ceil(self._timeout), filter=wanted, attributes=list(attributes), controls=[paged]
            )
        )
        if cookie and _result(messages).result_code in (Code.PROTOCOL_ERROR, Code.UNWILLING_TO_PERFORM):
            raise PageLost("the directory forgot a search")
        return _page(messages)

    async def look_at(self, base: str) -> None:
        """See whether there is such an entry."""
        messages = await self._ask(
            lambda protocol: protocol.search_request(
                base, SearchScope.BASE, time_limit=ceil(self._timeout), attributes=[NO_ATTRIBUTES]
            )
        )
        if not _page(messages).entries:
            raise ConnectorRefused(f"the account may not read {base}")

    async def close(self) -> None:
        """Hang up."""
        conversation, self._conversation = self._conversation, None
        if conversation is not None:
            conversation.end()

    async def _ask(self, ask: Ask) -> Sequence[LDAPMessage]:
        conversation, is_new = await self._connected()
        try:
            return await conversation.ask(ask)
        except ConnectorUnavailable:
            if is_new:
                raise
        # The directory had hung up on a connection that lay idle. Reading again is safe, on a new one.
        conversation, _ = await self._connected()
        return await conversation.ask(ask)

    async def _connected(self) -> tuple[Conversation, bool]:
        """A conversation, and whether it was begun for this question."""
        async with self._connecting:
            if self._conversation is not None and not self._conversation.is_over:
                return self._conversation, False
            self._conversation = await self._connect()
            return self._conversation, True

    async def _connect(self) -> Conversation:
        account = self._account
        url = urlsplit(account.url)
        host, port = url.hostname or "", url.port or PORTS[url.scheme]
        conversation: Conversation | None = None
        try:
            async with asyncio.timeout(self._timeout):
                _, conversation = await asyncio.get_running_loop().create_connection(
                    Conversation, host, port, ssl=account.trust if url.scheme == "ldaps" else None
                )
                if account.start_tls:
                    await conversation.start_tls(account.trust, host)
                if account.name:
                    (answer,) = await conversation.ask(
                        lambda protocol: protocol.bind_simple(account.name, account.password)
                    )
                    assert isinstance(answer, BindResponse)
                    _refuse(answer.result)
        except BaseException as error:
            if conversation is not None:
                conversation.end()
            if isinstance(error, OSError):
                raise _ours(error, f"{host}:{port}") from error
            raise
        return conversation


def _page(messages: Sequence[LDAPMessage]) -> Page:
    _refuse(_result(messages))
    entries = [_entry(message) for message in messages if isinstance(message, SearchResultEntry)]
    cookies = [control.cookie for control in messages[-1].controls if isinstance(control, PagedResultControl)]
    return Page(entries, next(iter(cookies), b""))


def _result(messages: Sequence[LDAPMessage]) -> LDAPResult:
    last = messages[-1]
    if not isinstance(last, SearchResultDone):
        raise ConnectorUnavailable(f"the directory answered a search with {type(last).__name__}")
    return last.result


def _entry(message: SearchResultEntry) -> Entry:
    attributes: dict[str, Sequence[bytes]] = {}
    for attribute in message.attributes:
        attributes.setdefault(attribute.name.partition(";")[0].lower(), list(attribute.values))
    return attributes


def _refuse(result: LDAPResult) -> None:
    """Raise what a result code means (RFC 4511, appendix A). The directory's own text may hold what was asked for."""
    match result.result_code:
        case Code.SUCCESS:
            return
        case Code.TIME_LIMIT_EXCEEDED:
            raise ConnectorTimeout("the directory's own time limit")
        case Code.SIZE_LIMIT_EXCEEDED:
            raise ConnectorRefused("more entries were found than this account may be given at once")
        case Code.INVALID_CREDENTIALS:
            raise ConnectorRefused("the directory does not accept bind_dn with this password")
        case Code.STRONG_AUTH_REQUIRED | Code.CONFIDENTIALITY_REQUIRED:
            raise ConnectorRefused("the directory wants start_tls, or an ldaps:// address")
        case Code.NO_SUCH_OBJECT:
            raise ConnectorRefused("there is no entry 'base', or the account may not see it")
        case Code.BUSY | Code.UNAVAILABLE:
            raise ConnectorUnavailable(f"the directory says {_word(result)}")
        case _:
            raise ConnectorRefused(f"the directory says {_word(result)}")


def _word(result: LDAPResult) -> str:
    return result.result_code.name.lower().replace("_", " ")


def _ours(error: OSError, where: str) -> ConnectorError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectorRefused(f"the certificate of {where} is not accepted: {error.verify_message}")
    if isinstance(error, TimeoutError):
        return ConnectorTimeout(f"{where} does not answer")
    return ConnectorUnavailable(f"{where}: {error.strerror or type(error).__name__}")
