"""A service that takes and gives JSON by POST: one session, limits on time and size, its failures turned into ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from pydantic import ValidationInfo, field_validator
from yarl import URL

from ivr.connectors.connector import Surroundings
from ivr.connectors.settings import Settings, stays_here
from ivr.errors import ConnectorRefused, ConnectorTimeout, ConnectorUnavailable

MOST_BYTES = 8_000_000
"""Of one answer."""

LATER = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that say nothing against the request."""

ObjectHook = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said. `document` is None if the body is no JSON."""

    status: int
    is_json: bool
    document: Any


class JsonService:
    """POSTs JSON to one service.

    `object_hook` and `default` are for what it writes in a way of its own, as in `json.loads` and `json.dumps`."""

    def __init__(
        self,
        url: URL,
        surroundings: Surroundings,
        object_hook: ObjectHook | None = None,
        default: Callable[[Any], Any] | None = None,
    ) -> None:
        self._url = str(url).rstrip("/")
        self._object_hook = object_hook
        self._default = default
        self._date = ""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=surroundings.concurrency),
            timeout=aiohttp.ClientTimeout(total=surroundings.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    @property
    def server_time(self) -> datetime:
        """The service's clock when it last answered (RFC 9110, 6.6.1); ours if it did not tell."""
        try:
            return parsedate_to_datetime(self._date).astimezone(UTC)
        except ValueError:
            return datetime.now(UTC)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def post(
        self, path: str, document: object, headers: Mapping[str, str], *, label: str, repeatable: bool
    ) -> Answer:
        """What the service answers to `document`; `label` is what errors call it.

        A service may close a connection that lay idle just when we use it: then what is
        `repeatable` is asked once more.

        Raises:
            ConnectorTimeout, ConnectorUnavailable: there was no whole answer, or it said "later".
            ConnectorRefused: the answer is not one that may be read.
        """
        body = json.dumps(document, default=self._default).encode()
        tries = 2 if repeatable else 1
        for left in reversed(range(tries)):
            try:
                return await self._exchange(path, body, headers, label)
            except aiohttp.ClientSSLError as error:
                raise ConnectorRefused("its certificate is not trusted") from error
            except aiohttp.ClientConnectorError as error:
                raise ConnectorUnavailable(f"it cannot be reached: {type(error).__name__}") from error
            except aiohttp.ClientError as error:
                dropped = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
                if not (dropped and left):
                    raise ConnectorUnavailable(f"{label} was broken off") from error
            except TimeoutError as error:
                raise ConnectorTimeout(label) from error
        raise AssertionError("the last try returns or raises")

    async def _exchange(self, path: str, body: bytes, headers: Mapping[str, str], label: str) -> Answer:
        headers = {"Content-Type": "application/json", **headers}
        async with self._session.post(self._url + path, data=body, headers=headers, allow_redirects=False) as response:
            read = bytearray()
            async for chunk in response.content.iter_any():
                read += chunk
                if len(read) > MOST_BYTES:
                    response.close()
                    raise ConnectorRefused(f"{label} answered more than {MOST_BYTES // 1_000_000} MB")
        if response.status in LATER:
            raise ConnectorUnavailable(f"{label} answered {response.status}")
        if 300 <= response.status < 400:
            raise ConnectorRefused(f"{label} is redirected elsewhere; is url right?")
        self._date = response.headers.get("Date", "")
        try:
            return Answer(response.status, True, self._parsed(bytes(read)))
        except (ValueError, RecursionError, ArithmeticError):
            return Answer(response.status, False, None)

    def _parsed(self, body: bytes) -> Any:
        return json.loads(body, parse_float=Decimal, object_hook=self._object_hook)


class ServiceSettings(Settings):
    """The settings of every such service: where it is."""

    plain_http: bool = False
    url: str

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, text: str, told: ValidationInfo) -> str:
        service_url(text, plain_http=told.data.get("plain_http", False))
        return text


def service_url(text: str, *, plain_http: bool) -> URL:
    """The address of a service, for a setting `url`.

    Raises:
        ValueError: it is none, or its secrets could be overheard.
    """
    url = URL(text)
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment or url.user:
        raise ValueError("url must be an address such as https://crm.example, without parameters")
    if url.scheme == "http" and not plain_http and not stays_here(url.host):
        raise ValueError("http:// can be overheard; write https://, or say plain_http: true")
    return url
