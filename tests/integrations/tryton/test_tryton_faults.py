"""A Tryton that is slow, away, or answers what it should not: our error in time, and nothing of a customer in it."""

from __future__ import annotations

import asyncio
import base64
import gzip
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from integrations.tryton.connector import TrytonConnector, TrytonSettings
from ivr.connectors.connector import Surroundings
from ivr.domain.caller import CustomerId
from ivr.domain.contact import ContactId
from ivr.domain.errand import ContactNote, Ticket
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable

NUMBER, ANNA = PhoneNumber("+31300000101"), CustomerId("7")
LIMIT = 0.3
"""Seconds until the connector gives up."""

Misbehaving = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]


class FakeTryton:
    """So much of a Tryton that a connector opens; then `misbehaves` has the methods it names."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.token = "t1"
        self.misbehaves: dict[str, Misbehaving] = {}
        self.application = web.Application()
        self.application.router.add_post("/{path:.*}", self.answer)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        method = asked["method"]
        self.calls[method] += 1
        if method in self.misbehaves:
            return await self.misbehaves[method](request, asked)
        if method.startswith("model.") and not self.lets_in(request):
            return web.Response(status=401)
        results = {
            "common.server.version": "8.2",
            "common.db.login": [2, self.token, None],
            "model.res.user.get_preferences": {"company": 1},
            "model.ir.model.search_read": [{"id": 1, "name": "party.party"}, {"id": 2, "name": "sale.complaint"}],
            "model.ir.model.access.get_access": {"party.party": {"read": 1}, "sale.complaint": {"read": 1}},
            "model.sale.complaint.type.search_read": [{"id": 1, "name": "Telefoon"}],
        }
        return web.json_response({"id": 0, "result": results.get(method, [])})

    def lets_in(self, request: web.Request) -> bool:
        told = request.headers.get("Authorization", "").removeprefix("Session ")
        return base64.b64decode(told).decode().endswith(f":{self.token}")


@pytest.fixture
async def tryton() -> AsyncIterator[tuple[FakeTryton, str]]:
    fake = FakeTryton()
    async with TestServer(fake.application) as server:
        yield fake, str(server.make_url("/"))


@pytest.fixture
async def connector(tryton: tuple[FakeTryton, str], tmp_path: Path) -> AsyncIterator[TrytonConnector]:
    (tmp_path / "password").write_text("opensesame\n")
    settings = TrytonSettings(url=tryton[1], database="crm", login="klantlijn", password_file=Path("password"))
    opened = TrytonConnector(settings, Surroundings(folder=tmp_path, timeout=LIMIT))
    await opened.open()
    yield opened
    await opened.close()


PARTIES = "model.party.party.search_read"


async def hangs(request: web.Request, asked: Any) -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError


async def html(request: web.Request, asked: Any) -> web.StreamResponse:
    return web.Response(text="<html>Log in, Anna de Vries</html>", content_type="text/html")


async def endless(request: web.Request, asked: Any) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b" " * 1_000_000)
    return response


async def gzip_bomb(request: web.Request, asked: Any) -> web.StreamResponse:
    packed = gzip.compress(b" " * 20_000_000)
    return web.Response(body=packed, headers={"Content-Encoding": "gzip"})


async def half(request: web.Request, asked: Any) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"id": 0, "result": [')
    assert request.transport is not None
    request.transport.close()
    return response


async def drops(request: web.Request, asked: Any) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def says(status: int = 200, **document: Any) -> Misbehaving:
    async def answer(request: web.Request, asked: Any) -> web.StreamResponse:
        return web.json_response(document, status=status)

    return answer


@pytest.mark.parametrize(
    ("misbehaving", "error", "told"),
    [
        (hangs, ConnectorTimeout, "party.party.search_read"),
        (html, ConnectorRefused, "not as Tryton does"),
        (endless, ConnectorRefused, "more than 8 MB"),
        (gzip_bomb, ConnectorRefused, "more than 8 MB"),
        (half, ConnectorUnavailable, "broken off"),
        (drops, ConnectorUnavailable, "broken off"),
        (says(503), ConnectorUnavailable, "503"),
        (says(500), ConnectorUnavailable, "500"),
        (says(302), ConnectorRefused, "redirected"),
        (says(418), ConnectorRefused, "418"),
        (says(403), ConnectorRefused, "may not call"),
        (says(result={"a": 1}), ConnectorRefused, "no rows"),
        (says(error=["UserError", ["Anna de Vries owes 99", ""]]), ConnectorRefused, r"\(UserError\)$"),
        (says(error=["'Anna de Vries'", "Traceback"]), ConnectorRefused, "search_read$"),
    ],
)
async def test_slow_or_strange_whatever_it_answers_it_is_our_error_in_time(
    connector: TrytonConnector,
    tryton: tuple[FakeTryton, str],
    misbehaving: Misbehaving,
    error: type[ConnectorError],
    told: str,
) -> None:
    tryton[0].misbehaves[PARTIES] = misbehaving
    async with asyncio.timeout(LIMIT + 2):
        with pytest.raises(error, match=told) as caught:
            await connector.find_caller(NUMBER)
    assert "Anna" not in str(caught.value)
    assert NUMBER not in str(caught.value)
    del tryton[0].misbehaves[PARTIES]
    assert await connector.find_caller(NUMBER) == []


async def test_nobody_listens(connector: TrytonConnector, tryton: tuple[FakeTryton, str], tmp_path: Path) -> None:
    settings = TrytonSettings(
        url="http://127.0.0.1:9", database="crm", login="klantlijn", password_file=Path("password")
    )
    with pytest.raises(ConnectorUnavailable, match="cannot be reached"):
        await TrytonConnector(settings, Surroundings(folder=tmp_path, timeout=LIMIT)).open()


async def test_ten_calls_of_an_ended_session_log_in_once(
    connector: TrytonConnector, tryton: tuple[FakeTryton, str]
) -> None:
    fake = tryton[0]
    fake.token = "t2"
    assert await asyncio.gather(*(connector.find_caller(NUMBER) for _ in range(10))) == [[]] * 10
    assert fake.calls["common.db.login"] == 2


async def test_too_many_log_ins_are_for_later(connector: TrytonConnector, tryton: tuple[FakeTryton, str]) -> None:
    tryton[0].token = "t2"
    tryton[0].misbehaves["common.db.login"] = says(429)
    with pytest.raises(ConnectorUnavailable, match="429"):
        await connector.find_caller(NUMBER)


async def test_a_connection_that_was_dropped_while_idle_is_replaced(
    connector: TrytonConnector, tryton: tuple[FakeTryton, str]
) -> None:
    async def drops_once(request: web.Request, asked: Any) -> web.StreamResponse:
        del tryton[0].misbehaves[PARTIES]
        return await drops(request, asked)

    tryton[0].misbehaves[PARTIES] = drops_once
    assert await connector.find_caller(NUMBER) == []
    assert tryton[0].calls[PARTIES] == 2


async def test_what_is_written_is_never_sent_twice(connector: TrytonConnector, tryton: tuple[FakeTryton, str]) -> None:
    moment = datetime.now(UTC)
    note = ContactNote("n1", ContactId("c1"), moment, moment, "inbound", "", "", "")
    for method in ("model.ir.note.create", "model.sale.complaint.create"):
        tryton[0].misbehaves[method] = drops
    with pytest.raises(ConnectorUnavailable):
        await connector.log_contact(note, ANNA)
    with pytest.raises(ConnectorUnavailable):
        await connector.create_ticket(Ticket("t1", "", "", ContactId("c1")), ANNA)
    assert tryton[0].calls["model.ir.note.create"] == tryton[0].calls["model.sale.complaint.create"] == 1


async def test_of_modules_that_are_not_there_is_nothing(connector: TrytonConnector) -> None:
    assert not await connector.orders(ANNA)
    assert not await connector.invoices(ANNA)


async def test_what_is_asked_is_asked_in_one_round_trip(
    connector: TrytonConnector, tryton: tuple[FakeTryton, str]
) -> None:
    before = tryton[0].calls.total()
    await connector.find_caller(NUMBER)
    await connector.cases(ANNA)
    assert tryton[0].calls.total() - before == 2


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("crm.example", "an address such as"),
        ("ftp://crm.example", "an address such as"),
        ("https://anna:geheim@crm.example", "an address such as"),
        ("http://crm.example", "can be overheard"),
    ],
)
def test_wrong_addresses_are_told(url: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told) as caught:
        TrytonSettings(url=url, database="crm", login="klantlijn", password_file=Path("password"))
    assert "geheim" not in str(caught.value)


def test_plain_http_can_be_allowed() -> None:
    told = {"url": "http://crm.example", "database": "crm", "login": "klantlijn", "password_file": "password"}
    assert TrytonSettings.model_validate({**told, "plain_http": True}).plain_http
