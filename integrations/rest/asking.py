"""Asking: a recipe's requests one after the other, page after page, each filled in from what came before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yarl import URL

from integrations.rest.client import HttpClient, Sent, address, linked
from integrations.rest.credentials import Credentials
from integrations.rest.recipe import Paging, Question, Request
from integrations.rest.templates import Context, Template
from ivr.errors import ConnectorRefused

MOST_RECORDS = 500
"""For one number, or of one customer. More means that the system did not select."""

PAGE_PATIENCE = 60.0
"""Seconds for a page of changes: nobody is on the telephone meanwhile, and it may be a thousand records."""

MOST_EACH = 20
"""Requests that one list leads to; and so many of them at once are still polite."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an answer; `more` is what the next page is asked with, None on the last one."""

    answer: Any
    records: Sequence[Any]
    more: Mapping[str, Any] | None


FIRST_PAGE: Mapping[str, Any] = {"cursor": None, "page": 1, "offset": 0}


class Asker:
    """Sends requests of a recipe; `headers` go with every one."""

    def __init__(
        self,
        client: HttpClient,
        credentials: Credentials,
        base: URL,
        headers: Mapping[str, Template],
        constants: Context,
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._base = base
        self._headers = headers
        self._constants = constants

    async def close(self) -> None:
        """Close every connection."""
        try:
            await self._credentials.close()
        finally:
            await self._client.close()

    async def records(self, question: Question, context: Context) -> Sequence[Any]:
        """Every record that answers a question. Raises ConnectorError, also when there are too many."""
        known = await self._prepared(question.requests, {**self._constants, **context})
        found: list[Any] = []
        pages, at = 0, FIRST_PAGE if known is not None else None
        while known is not None and at is not None:
            page = await self._page(question, known, at)
            found += page.records
            pages, at = pages + 1, page.more
            if len(found) > MOST_RECORDS or (at and question.paging and pages == question.paging.most_pages):
                raise ConnectorRefused(f"{_label(question.requests[-1])} gave too many records: it does not select")
        return found

    async def page(self, question: Question, context: Context, at: Mapping[str, Any]) -> Page:
        """One page of an answer about changes. Raises ConnectorError."""
        known = await self._prepared(question.requests, {**self._constants, **context})
        return Page(None, [], None) if known is None else await self._page(question, known, at, PAGE_PATIENCE)

    async def do(self, requests: Sequence[Request], context: Context) -> Any:
        """The answer to the last of some requests. Raises ConnectorError; what an earlier one must give is missing."""
        known = await self._prepared(requests, {**self._constants, **context})
        if known is None:
            raise ConnectorRefused(f"there is nothing to ask {_label(requests[-1])} with")
        last = requests[-1]
        return await (self._for_each(last, known) if last.each else self._ask(last, known))

    async def _page(
        self, question: Question, known: Context, at: Mapping[str, Any], patience: float | None = None
    ) -> Page:
        request = question.requests[-1]
        if request.each:
            answers = await self._for_each(request, known)
            return Page(answers, [record for answer in answers for record in _records(question, answer)], None)
        answer = await self._ask(request, {**known, **at}, at.get("link"), patience)
        records = _records(question, answer)
        return Page(answer, records, _next(question.paging, answer, records, at))

    async def _prepared(self, requests: Sequence[Request], known: dict[str, Any]) -> dict[str, Any] | None:
        """What the last request can name, after those before it; None when one of them found nothing to go on with."""
        for request in requests[:-1]:
            if request.each:
                answers = await self._for_each(request, known)
                taken = {name: _flat([find.find(each) for each in answers]) for name, find in request.take.items()}
            else:
                answer = await self._ask(request, known)
                taken = {name: find.find(answer) for name, find in request.take.items()}
            if any(value is None or value in ("", []) for value in taken.values()):
                return None
            known = {**known, **taken}
        return known

    async def _for_each(self, request: Request, known: Context) -> list[Any]:
        assert request.each is not None
        items = request.each.value(known)
        if not isinstance(items, list):
            raise ConnectorRefused(f"'{request.each.source[:80]}' is no list")
        items = list({json.dumps(item, default=str): item for item in items}.values())
        if len(items) > MOST_EACH:
            raise ConnectorRefused(f"{_label(request)} would be asked {len(items)} times")
        asking = [asyncio.ensure_future(self._ask(request, {**known, "item": item})) for item in items]
        try:
            return list(await asyncio.gather(*asking))
        finally:
            for each in asking:
                each.cancel()

    async def _ask(
        self, request: Request, known: Context, link: str | None = None, patience: float | None = None
    ) -> Any:
        own = {name: _header(template, known) for name, template in {**self._headers, **request.headers}.items()}
        body = _filled(request.body, known)
        if body is not None:
            own["Content-Type"] = "application/json"
        url = self._url(request, known, link)
        data = None if body is None else _encoded(body, request)
        for renewed in (False, True):
            secret = await self._credentials.headers()
            headers = {"Accept": "application/json", **own, **secret}
            sent = Sent(request.method, url, _label(request), headers, data, request.empty_on, patience)
            reply = await self._client.send(sent)
            if reply.status != 401 or renewed or not await self._credentials.renew(secret):
                break
        return self._client.answer(sent, reply)

    def _url(self, request: Request, known: Context, link: str | None) -> URL:
        link = link or (request.link.value(known) if request.link else None)
        if link:
            return linked(self._base, str(link), _label(request))
        query: list[tuple[str, str]] = []
        for name, template in request.query.items():
            value = template.value(known)
            query += [
                (name, _word(each)) for each in (value if isinstance(value, list) else [value]) if each is not None
            ]
        return address(self._base, request.path.value(known), query)


def _records(question: Question, answer: Any) -> list[Any]:
    found = question.records.find(answer) if answer is not None else None
    if found is None:
        return []
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise ConnectorRefused(f"'{question.records.source[:80]}' gives no records")
    return found


def _next(
    paging: Paging | None, answer: Any, records: Sequence[Any], at: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    if paging is None or answer is None:
        return None
    if paging.page_size:
        full = len(records) >= paging.page_size
        return {**at, "page": at["page"] + 1, "offset": at["offset"] + len(records)} if full else None
    if paging.next_link:
        link = paging.next_link.find(answer)
        return {**at, "link": link} if isinstance(link, str) and link else None
    cursor = paging.cursor.find(answer) if paging.cursor else None
    return {**at, "cursor": cursor} if cursor and cursor != at["cursor"] else None


def _filled(body: Any, known: Context) -> Any:
    """A body with its values in their places; a key whose expression gives None is left out."""
    if isinstance(body, Template):
        return body.value(known)
    if isinstance(body, dict):
        filled = {key: (value, _filled(value, known)) for key, value in body.items()}
        return {key: made for key, (value, made) in filled.items() if made is not None or value is None}
    if isinstance(body, list):
        return [_filled(value, known) for value in body]
    return body


def _encoded(body: Any, request: Request) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ConnectorRefused(f"the body of {_label(request)} has a value that JSON cannot hold") from error


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _header(template: Template, known: Context) -> str:
    value = _word(template.value(known))
    if not value.isprintable():
        raise ConnectorRefused("a value cannot stand in a header")
    return value


def _flat(found: list[Any]) -> list[Any]:
    return [part for each in found for part in (each if isinstance(each, list) else [each]) if part is not None]


def _label(request: Request) -> str:
    """What errors call a request: as the recipe writes it, without what was filled in."""
    return f"{request.method} {request.path.source or '/'}"
