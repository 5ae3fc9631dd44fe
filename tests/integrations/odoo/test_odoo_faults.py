"""An Odoo that is slow, away, or answers what it should not: our error in time, and nothing of a customer in it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from integrations.odoo.connector import OdooConnector, OdooSettings
from ivr.connectors.connector import Surroundings
from ivr.domain.caller import CustomerId
from ivr.domain.contact import ContactId
from ivr.domain.errand import ContactNote
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable

NUMBER, ANNA = PhoneNumber("+31300000101"), CustomerId("7")
LIMIT = 0.3
"""Seconds until the connector gives up."""

PARTNERS = "/json/2/res.partner/web_search_read"

Misbehaving = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(document: Any, status: int = 200) -> Misbehaving:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(document, status=status)

    return answer


def fails(name: str, status: int) -> Misbehaving:
    """An error as Odoo tells it, with all its talk."""
    return says({"name": name, "message": "Anna de Vries owes 99", "arguments": [], "debug": "Traceback"}, status)


class FakeOdoo:
    """So much of an Odoo 19 that a connector opens; then `misbehaves` has the paths it names."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        partner = {key: {} for key in ("name", "phone", "phone_sanitized", "commercial_partner_id", "active")}
        self.answers: dict[str, Misbehaving] = {
            "/json/2/res.users/context_get": says({"uid": 5}),
            "/json/2/res.partner/search_read": says([]),
            "/json/2/res.partner/fields_get": says(partner),
            PARTNERS: says({"length": 0, "records": []}),
            "/json/2/mail.message/search_read": says([]),
        }
        self.application = web.Application()
        self.application.router.add_post("/{path:.*}", self.answer)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path] += 1
        await request.read()
        return await self.answers.get(request.path, fails("werkzeug.exceptions.NotFound", 404))(request)


@pytest.fixture
def fake() -> FakeOdoo:
    return FakeOdoo()


Connect = Callable[..., OdooConnector]


@pytest.fixture
async def connect(fake: FakeOdoo, tmp_path: Path) -> AsyncIterator[Connect]:
    made: list[OdooConnector] = []
    (tmp_path / "key").write_text("opensesame\n")
    async with TestServer(fake.application) as server:

        def make(**more: Any) -> OdooConnector:
            told = {"url": str(server.make_url("/")), "database": "crm", "key_file": "key", **more}
            made.append(OdooConnector(OdooSettings.model_validate(told), Surroundings(folder=tmp_path, timeout=LIMIT)))
            return made[-1]

        yield make
        for connector in made:
            await connector.close()


@pytest.fixture
async def connector(connect: Connect) -> OdooConnector:
    opened = connect()
    await opened.open()
    return opened


async def hangs(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError


async def html(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Log in, Anna de Vries</html>", content_type="text/html")


async def drops(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize(
    ("misbehaving", "error", "told"),
    [
        (html, ConnectorRefused, "not as Odoo does"),
        (drops, ConnectorUnavailable, "broken off"),
        (says({}, 502), ConnectorUnavailable, "502"),
        (says({}, 500), ConnectorUnavailable, "500"),
        (says({"records": "?"}), ConnectorRefused, "no rows"),
        (fails("werkzeug.exceptions.Unauthorized", 401), ConnectorRefused, "API key"),
        (fails("odoo.exceptions.AccessError", 403), ConnectorRefused, r"\(AccessError\)$"),
        (fails("builtins.ValueError", 500), ConnectorRefused, r"\(ValueError\)$"),
        (fails("psycopg2.errors.SerializationFailure", 500), ConnectorUnavailable, "SerializationFailure"),
        (fails("Anna de Vries", 500), ConnectorRefused, "no reason"),
    ],
)
async def test_whatever_it_answers_it_is_our_error_in_time(
    connector: OdooConnector, fake: FakeOdoo, misbehaving: Misbehaving, error: type[ConnectorError], told: str
) -> None:
    well, fake.answers[PARTNERS] = fake.answers[PARTNERS], misbehaving
    async with asyncio.timeout(LIMIT + 2):
        with pytest.raises(error, match=told) as caught:
            await connector.find_caller(NUMBER)
    assert "Anna" not in str(caught.value)
    assert NUMBER not in str(caught.value)
    fake.answers[PARTNERS] = well
    assert await connector.find_caller(NUMBER) == []


async def test_slow_it_hangs_and_nobody_waits_longer_than_the_time_out(
    connector: OdooConnector, fake: FakeOdoo
) -> None:
    fake.answers[PARTNERS] = hangs
    async with asyncio.timeout(LIMIT + 2):
        with pytest.raises(ConnectorTimeout, match="web_search_read"):
            await connector.find_caller(NUMBER)


async def test_of_apps_that_are_not_there_is_nothing(connector: OdooConnector) -> None:
    assert not await connector.orders(ANNA)
    assert not await connector.invoices(ANNA)
    assert not await connector.cases(ANNA)


async def test_a_note_is_never_sent_twice(connector: OdooConnector, fake: FakeOdoo) -> None:
    moment = datetime.now(UTC)
    fake.answers["/json/2/res.partner/message_post"] = drops
    with pytest.raises(ConnectorUnavailable):
        await connector.log_contact(ContactNote("n1", ContactId("c1"), moment, moment, "inbound", "", "", ""), ANNA)
    assert fake.asked["/json/2/res.partner/message_post"] == 1


async def test_a_caller_is_found_in_one_round_trip(connector: OdooConnector, fake: FakeOdoo) -> None:
    before = fake.asked.total()
    await connector.find_caller(NUMBER)
    assert fake.asked.total() - before == 1


async def test_an_older_odoo_needs_to_know_whose_key_it_is(connect: Connect, fake: FakeOdoo) -> None:
    fake.answers["/json/2/res.users/context_get"] = html_404
    fake.answers["/jsonrpc"] = says({"jsonrpc": "2.0", "id": 0, "result": {"server_version_info": [14, 0, 0]}})
    with pytest.raises(ConnectorRefused, match="Odoo 14 needs to know whose key it is: set login"):
        await connect().open()


async def test_what_is_no_odoo_is_refused(connect: Connect, fake: FakeOdoo) -> None:
    fake.answers["/json/2/res.users/context_get"] = html_404
    with pytest.raises(ConnectorRefused, match="not as Odoo does"):
        await connect().open()


async def html_404(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Not found</html>", content_type="text/html", status=404)
