"""An address book on a server: WebDAV requests, their XML, and what goes wrong turned into our errors."""

from __future__ import annotations

import asyncio
import re
import ssl
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

import aiohttp
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable

MOST_BYTES = 32 * 1024 * 1024
"""Bytes of one answer: cards with pictures are large."""
CARDS_AT_ONCE = 50

DAV, CARD, SERVER = "{DAV:}", "{urn:ietf:params:xml:ns:carddav}", "{http://calendarserver.org/ns/}"
NAMESPACES = 'xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav" xmlns:s="http://calendarserver.org/ns/"'

LOOK = f"<propfind {NAMESPACES}><prop><resourcetype/></prop></propfind>"
MARK = f"<propfind {NAMESPACES}><prop><sync-token/><s:getctag/></prop></propfind>"
LIST = f"<propfind {NAMESPACES}><prop><getetag/></prop></propfind>"
SYNC = (
    f"<sync-collection {NAMESPACES}><sync-token>{{token}}</sync-token><sync-level>1</sync-level>"
    "<prop><getetag/></prop></sync-collection>"
)
CARDS = (
    f"<c:addressbook-multiget {NAMESPACES}><prop><getetag/><c:address-data/></prop>{{hrefs}}</c:addressbook-multiget>"
)

HTTP_STATUS = re.compile(r"HTTP/\d(?:\.\d)?\s+(\d{3})")
MULTI_STATUS, NOT_FOUND, TOO_MANY, TRUNCATED = 207, 404, 429, 507


class TokenForgotten(ConnectorRefused):
    """The server no longer knows what changed since a token."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user and their password, as basic authentication says them (RFC 7617)."""

    user: str
    password: str

    @property
    def headers(self) -> Mapping[str, str]:
        said = b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {said}"}


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands for the state of a book: it changes with anything in it. '' for what a server does not keep."""

    sync_token: str
    ctag: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Cards by their path, each with its version (ETag), and the paths of those that are gone."""

    cards: Mapping[str, str]
    gone: frozenset[str]
    sync_token: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """One resource's part of a multi-status answer (RFC 4918, 13)."""

    path: str
    status: int
    properties: Mapping[str, Element]

    def text(self, name: str) -> str:
        found = self.properties.get(name)
        return (found.text or "").strip() if found is not None else ""


class CarddavClient:
    """Asks one address book. `timeout` (seconds) is for one request. Every method raises ConnectorError."""

    def __init__(self, url: str, login: Login | None, trust: ssl.SSLContext | bool, *, timeout: float) -> None:
        self._url = url
        self._path = _path_of(url)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust),
            timeout=aiohttp.ClientTimeout(total=timeout),
            headers={"Content-Type": "application/xml; charset=utf-8", **(login.headers if login else {})},
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def look(self) -> None:
        """See whether there is an address book, at the least cost to its server."""
        answers, _ = await self._ask("PROPFIND", LOOK, depth="0")
        kinds = [answer.properties.get(f"{DAV}resourcetype") for answer in answers]
        if not any(kind is not None and kind.find(f"{CARD}addressbook") is not None for kind in kinds):
            raise ConnectorRefused(f"{self._url} is not an address book; write the address of the book itself")

    async def mark(self) -> Mark:
        """What stands for the book as it is now."""
        answers, _ = await self._ask("PROPFIND", MARK, depth="0")
        book = next((answer for answer in answers if answer.path == self._path), None)
        if book is None:
            raise ConnectorRefused(f"{self._url} says nothing of itself")
        return Mark(book.text(f"{DAV}sync-token"), book.text(f"{SERVER}getctag"))

    async def cards_since(self, token: str) -> Listing:
        """What changed since a sync-token; everything since ''. See RFC 6578.

        Raises:
            TokenForgotten: ask for everything.
        """
        cards: dict[str, str] = {}
        gone: set[str] = set()
        truncated = True
        while truncated:
            answers, following = await self._ask("REPORT", SYNC.format(token=escape(token)), depth="0")
            truncated = any(answer.status == TRUNCATED for answer in answers) and following != token
            for answer in answers:
                if answer.status == NOT_FOUND:
                    gone.add(answer.path)
                    cards.pop(answer.path, None)
                elif self._is_card(answer):
                    cards[answer.path] = answer.text(f"{DAV}getetag")
                    gone.discard(answer.path)
            token = following
        return Listing(cards, frozenset(gone), token)

    async def all_cards(self) -> Listing:
        """Every card there is, for servers that have no sync-token."""
        answers, _ = await self._ask("PROPFIND", LIST, depth="1")
        cards = {answer.path: answer.text(f"{DAV}getetag") for answer in answers if self._is_card(answer)}
        return Listing(cards, frozenset(), "")

    async def contents(self, paths: Sequence[str]) -> Mapping[str, str]:
        """The cards at these paths, as vCards; those that are gone meanwhile are left out. See RFC 6352, 8.7."""
        found: dict[str, str] = {}
        for start in range(0, len(paths), CARDS_AT_ONCE):
            hrefs = "".join(f"<href>{escape(path)}</href>" for path in paths[start : start + CARDS_AT_ONCE])
            answers, _ = await self._ask("REPORT", CARDS.format(hrefs=hrefs), depth="1")
            found |= {answer.path: text for answer in answers if (text := answer.text(f"{CARD}address-data"))}
        return found

    def _is_card(self, answer: _Answer) -> bool:
        return answer.path.startswith(self._path + "/") and f"{DAV}getetag" in answer.properties

    async def _ask(self, method: str, body: str, *, depth: str) -> tuple[Sequence[_Answer], str]:
        """The parts of a multi-status answer, and the sync-token it ends with."""
        try:
            async with self._session.request(
                method, self._url, data=body.encode(), headers={"Depth": depth}, allow_redirects=False
            ) as response:
                content = await _limited(response)
                status = response.status
        except TimeoutError as error:
            raise ConnectorTimeout("the address book") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise ConnectorRefused("the address book's certificate is not accepted") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectorUnavailable(f"the address book: {type(error).__name__}") from error
        if status != MULTI_STATUS:
            raise _refusal(status, content)
        return await asyncio.to_thread(_read, content, self._url)


def _path_of(url: str) -> str:
    """A resource's path without its last slash, as it is and not as it is quoted: servers quote in their own ways."""
    return unquote(urlsplit(url).path).rstrip("/")


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MOST_BYTES:
            raise ConnectorRefused(f"the address book's answer is larger than {MOST_BYTES // 1024**2} MB")
    return bytes(content)


def _read(content: bytes, url: str) -> tuple[Sequence[_Answer], str]:
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise ConnectorRefused(f"the address book's answer is not XML as it may be: {type(error).__name__}") from error
    answers = [_answer(response, url) for response in root.iterfind(f"{DAV}response")]
    return answers, (root.findtext(f"{DAV}sync-token") or "").strip()


def _answer(response: Element, url: str) -> _Answer:
    properties: dict[str, Element] = {}
    for found in response.iterfind(f"{DAV}propstat"):
        if _status(found) in (0, 200):
            properties |= {each.tag: each for each in found.iterfind(f"{DAV}prop/*")}
    path = _path_of(urljoin(url, (response.findtext(f"{DAV}href") or "").strip()))
    return _Answer(path, _status(response), properties)


def _status(element: Element) -> int:
    """The status of a part of an answer; 0 where it says none."""
    told = HTTP_STATUS.match((element.findtext(f"{DAV}status") or "").strip())
    return int(told[1]) if told else 0


def _refusal(status: int, content: bytes) -> ConnectorError:
    if b"valid-sync-token" in content:
        return TokenForgotten("the address book forgot a sync-token")
    if status >= 500 or status == TOO_MANY:
        return ConnectorUnavailable(f"the address book says {status}")
    meaning = {
        401: "does not accept user with this password",
        403: "may not be read by this user",
        NOT_FOUND: "is not there; write the address of the book itself",
    }
    otherwise = "has moved; write its new address" if 300 <= status < 400 else f"answers with {status}, not as CardDAV"
    return ConnectorRefused(f"the address book {meaning.get(status, otherwise)}")
