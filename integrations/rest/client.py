"""An HTTP client that trusts no answer: limits on time and size, one host, JSON only, and pauses that are kept."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import quote

import aiohttp
from yarl import URL

from integrations.rest.recipe import Expression
from ivr.connectors.connector import Surroundings
from ivr.connectors.settings import stays_here
from ivr.errors import ConnectorRefused, ConnectorTimeout, ConnectorUnavailable

MOST_BYTES = 2_000_000
"""Of one answer."""

MOST_REDIRECTS = 3
LONGEST_PAUSE = 3600.0
"""Seconds; a system that asks for more is asked again after this."""

LATER = frozenset({408, 425, 429, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524, 529})
"""Statuses that say nothing against the request."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request. `label` is what errors call it: nothing in it comes from a caller or a secret.

    `empty_on` are statuses that mean "nothing there"; `timeout` replaces the usual one, in seconds.
    """

    method: str
    url: URL
    label: str
    headers: Mapping[str, str]
    body: bytes | None = None
    empty_on: tuple[int, ...] = ()
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: its body whole, or not at all."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Manners:
    """How a vendor says no: where the code of an error is, when an error means "later", and until when."""

    error_code: Expression | None = None
    overloaded: Expression | None = None
    limit_resets: str | None = None


class HttpClient:
    """Sends requests to one system, in `Surroundings.timeout` seconds each."""

    def __init__(self, surroundings: Surroundings, manners: Manners, now: Callable[[], float] = time.monotonic) -> None:
        self._manners = manners
        self._now = now
        self._paused_until = 0.0
        self._timeout = surroundings.timeout
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=surroundings.concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def send(self, request: Sent) -> Reply:
        """What the system answers, whatever its status; redirects are followed on the same host only.

        Raises:
            ConnectorTimeout, ConnectorUnavailable: there was no whole answer, or it is too early to ask again.
            ConnectorRefused: the answer is not one that may be read.
        """
        pause = self._paused_until - self._now()
        if pause > 0:
            raise ConnectorUnavailable(f"it asked to be left alone for another {pause:.0f} s")
        url = request.url
        for _ in range(MOST_REDIRECTS + 1):
            reply = await self._exchange(request, url)
            if reply.status not in (301, 302, 303, 307, 308):
                return reply
            url = self._redirected(request, url, reply)
        raise ConnectorRefused(f"{request.label} is sent from one address to the next")

    def answer(self, request: Sent, reply: Reply) -> Any:
        """The JSON of an answer, numbers with a fraction as Decimal; None for an empty one. Raises ConnectorError."""
        if reply.status in request.empty_on:
            return None
        if not 200 <= reply.status < 300:
            self._refuse(request, reply)
        if reply.status in (204, 205) or not reply.body.strip():
            return None
        kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if "html" in kind or reply.body.lstrip()[:1] == b"<":
            raise ConnectorRefused(
                f"{request.label} answered a web page instead of JSON: is base_url right, and does no log-in page "
                "or proxy stand in between?"
            )
        if kind and not (kind == "application/json" or kind == "text/json" or kind.endswith("+json")):
            raise ConnectorRefused(f"{request.label} answered {kind[:60]} instead of JSON")
        return _parsed(reply.body, request.label)

    async def _exchange(self, request: Sent, url: URL) -> Reply:
        limit = aiohttp.ClientTimeout(total=request.timeout or self._timeout)
        try:
            async with self._session.request(
                request.method, url, data=request.body, headers=request.headers, allow_redirects=False, timeout=limit
            ) as response:
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        response.close()
                        raise ConnectorRefused(f"{request.label} answered more than {MOST_BYTES // 1_000_000} MB")
                return Reply(response.status, response.headers, bytes(body))
        except TimeoutError as error:
            raise ConnectorTimeout(request.label) from error
        except aiohttp.ClientPayloadError as error:
            raise ConnectorUnavailable(f"{request.label} broke off in the middle of its answer") from error
        except (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError) as error:
            raise ConnectorRefused(f"the certificate of {url.host} is not trusted") from error
        except (aiohttp.InvalidURL, ValueError) as error:
            raise ConnectorRefused(f"{request.label} cannot be sent: {type(error).__name__}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectorUnavailable(f"{url.host} cannot be reached: {type(error).__name__}") from error

    def _redirected(self, request: Sent, url: URL, reply: Reply) -> URL:
        target = _below(url, reply.headers.get("Location", ""))
        # What carries a key goes nowhere but to the host that the key is for, and what writes is not sent again.
        if request.method != "GET" or target is None:
            raise ConnectorRefused(f"{request.label} is redirected elsewhere; is base_url right?")
        return target

    def _refuse(self, request: Sent, reply: Reply) -> NoReturn:
        said = f"{request.label} answered {reply.status}"
        try:
            answer = _parsed(reply.body, request.label)
        except ConnectorRefused:
            answer = None
        code = self._found(self._manners.error_code, answer)
        if isinstance(code, str | int) and re.fullmatch(r"[\w.\-: ]{1,60}", str(code)) and not _has_number(str(code)):
            said += f" ({code})"
        if reply.status in LATER or self._found(self._manners.overloaded, answer) is True:
            self._pause(reply)
            raise ConnectorUnavailable(said)
        if reply.status in (401, 403):
            raise ConnectorRefused(f"{said}: check the key, and what it may do")
        raise ConnectorRefused(said)

    def _found(self, expression: Expression | None, answer: Any) -> Any:
        try:
            return expression.find(answer) if expression and answer is not None else None
        except ConnectorRefused:
            return None

    def _pause(self, reply: Reply) -> None:
        """Ask no more until the system wants to be asked."""
        wait = _seconds_until(reply.headers.get("Retry-After", ""))
        resets = reply.headers.get(self._manners.limit_resets or "", "")
        if wait is None and resets.isdigit() and reply.status == 429:
            wait = int(resets[:16]) / 1000 - time.time()
        if wait is not None and wait > 0:
            self._paused_until = self._now() + min(wait, LONGEST_PAUSE)


def base_of(text: str, *, plain_http: bool) -> URL:
    """The address that every path is added to.

    Raises:
        ConnectorRefused: it is none, or its secrets could be overheard.
    """
    try:
        url = URL(text)
    except ValueError as error:
        raise ConnectorRefused("base_url is not an address such as https://crm.example") from error
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment or url.user:
        raise ConnectorRefused("base_url must be an address such as https://crm.example, without parameters")
    if url.scheme == "http" and not plain_http and not stays_here(url.host):
        raise ConnectorRefused("http:// can be overheard; write https://, or say plain_http: true")
    return url


def address(base: URL, path: str, query: list[tuple[str, str]]) -> URL:
    """An address below `base`; `path` is encoded already, names and values of `query` are encoded here."""
    text = str(base).rstrip("/") + path
    # `quote`, not `quote_plus`: some systems read a plus as a plus.
    encoded = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    return URL(f"{text}?{encoded}" if encoded else text, encoded=True)


def linked(base: URL, link: str, label: str) -> URL:
    """The address of a link in an answer, which may lead nowhere but to the same host. Raises ConnectorRefused."""
    url = _below(base, link)
    if url is None:
        raise ConnectorRefused(f"{label} has a link to another host")
    return url


def _below(base: URL, link: str) -> URL | None:
    """Where a link leads, exactly as it is written; None when it leaves the host, its port or its scheme."""
    if not re.fullmatch(r"[!-~]+", link):
        return None
    try:
        url = base.join(URL(link, encoded=True))
        return url if (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port) else None
    except ValueError:
        return None


def _parsed(body: bytes, label: str) -> Any:
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise ConnectorRefused(f"{label} answered what is not JSON") from error


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _has_number(text: str) -> bool:
    """Whether it may hold somebody's number."""
    return re.search(r"\d{6}", text) is not None


def _seconds_until(retry_after: str) -> float | None:
    """A Retry-After header (RFC 9110, 10.2.3) in seconds."""
    if retry_after.strip().isdigit():
        return float(retry_after[:9])
    try:
        return parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (TypeError, ValueError):
        return None
