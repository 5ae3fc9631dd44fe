"""A vendor's API on loopback, as strict as its contract: what the vendor would refuse is refused."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator


class Refused(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, dict(headers or {})


@dataclass(frozen=True)
class Ask:
    """A request as the vendor sees it."""

    method: str
    path: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    @property
    def said(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Route:
    """What may be asked at a path, and the answer; anything else is refused."""

    method: str
    path: str
    answer: Callable[[Ask], Any]
    query: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    open_to_all: bool = False
    form: bool = False


@dataclass
class Vendor:
    """One vendor: how it is connected, who may ask, and its routes. `{base}` in a value is the server's address."""

    recipe: str
    values: Mapping[str, str]
    secrets: Mapping[str, str]
    key: tuple[str, str]
    routes: Sequence[Route]
    error: Callable[[int, str], Any] = lambda status, message: {"message": message}
    limited: Refused = field(default_factory=lambda: Refused(429, {}, {"Retry-After": "7"}))


class ContractServer:
    """Serves a vendor. `hangs` holds every request, `refuses` gives its answer to all; `asked` once there was one."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.asks: list[Ask] = []
        self.hangs = False
        self.refuses: Refused | None = None
        self.base = ""
        self.asked = asyncio.Event()
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a port of its own."""
        application = web.Application(client_max_size=200_000)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Let go of everybody."""
        self._released.set()
        if self._runner:
            await self._runner.cleanup()

    @property
    def said(self) -> list[str]:
        """What was asked, in order."""
        return [ask.said for ask in self.asks]

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            found = await self._answer(request)
        except Refused as refused:
            body = b"" if refused.body is None else json.dumps(refused.body).encode()
            kind = None if refused.body is None else "application/json"
            return web.Response(status=refused.status, body=body, headers=refused.headers, content_type=kind)
        if found is None:
            return web.Response(status=204)
        return web.json_response(found, status=201 if request.method == "POST" else 200)

    async def _answer(self, request: web.Request) -> Any:
        if self.hangs:
            await self._released.wait()
        for route in self.vendor.routes:
            matched = re.fullmatch(route.path, request.path)
            if matched and route.method == request.method:
                break
        else:
            raise Refused(404, self.vendor.error(404, f"no {request.method} {request.path}"))
        body = await self._body(request, route)
        ask = Ask(request.method, request.path, matched.groups(), dict(request.query), request.headers, body)
        self.asks.append(ask)
        self.asked.set()
        if self.refuses:
            raise self.refuses
        name, value = self.vendor.key
        if not route.open_to_all and request.headers.get(name) != value:
            raise Refused(401, self.vendor.error(401, "who are you?"))
        self._look_at(request, route)
        return route.answer(ask)

    def _look_at(self, request: web.Request, route: Route) -> None:
        raw = request.rel_url.raw_query_string
        if re.search(r"[+ '\"<>]", raw):
            raise Refused(400, self.vendor.error(400, "the query is not encoded"))
        unknown = set(request.query) - route.query - route.needs
        missing = route.needs - set(request.query)
        if unknown or missing or len(request.query) != len(set(request.query)):
            raise Refused(400, self.vendor.error(400, f"unknown {unknown}, missing {missing}"))
        for name, pattern in route.headers.items():
            if not re.fullmatch(pattern, request.headers.get(name, "")):
                raise Refused(400, self.vendor.error(400, f"header {name}"))

    async def _body(self, request: web.Request, route: Route) -> Any:
        text = await request.read()
        if route.form:
            return dict(await request.post())
        if route.body is None:
            if text:
                raise Refused(400, self.vendor.error(400, "a body where none belongs"))
            return None
        if request.content_type != "application/json":
            raise Refused(415, self.vendor.error(415, "send application/json"))
        body = json.loads(text)
        wrong = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(route.body).iter_errors(body)]
        if wrong:
            raise Refused(400, self.vendor.error(400, "; ".join(wrong)))
        return body


def shape(required: str, optional: str = "", **properties: Any) -> dict[str, Any]:
    """The JSON schema of an object with these keys and no others; those that are not described are texts."""
    names = (*required.split(), *optional.split())
    described = {name: properties.get(name, {"type": "string"}) for name in names}
    return {"type": "object", "properties": described, "required": required.split(), "additionalProperties": False}


def names(text: str) -> set[str]:
    """The words of a text."""
    return set(text.split())


def listed(items: Any, most: int = 100) -> dict[str, Any]:
    """The JSON schema of a list."""
    return {"type": "array", "items": items, "maxItems": most, "minItems": 1}


NUMBER: dict[str, Any] = {"type": "integer"}
TRUTH: dict[str, Any] = {"type": "boolean"}
