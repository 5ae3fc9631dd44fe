"""A real Radicale behind a guard: found, not found, slow, refused, and what changes is followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from integrations.carddav.connector import CarddavConnector, CarddavSettings
from ivr.clock import SystemClock
from ivr.config.model import Guard as Limits
from ivr.connectors.connector import Surroundings
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused, ConnectorTimeout, ConnectorUnavailable
from tests.integrations.carddav.radicale_server import MAKE_BOOK, PASSWORD, USER, Book, address_book

ANNA, BRAM, NOBODY = map(PhoneNumber, ("+31300000101", "+31500000102", "+31300000199"))
LOOK = 0.02
"""Seconds between two questions to the server, in tests where the book changes."""
LIMIT = 15.0
"""Seconds until a test gives up waiting."""

EMPTY_BOOK = """\
<multistatus xmlns="DAV:"><response><href>/</href><propstat><prop>
<resourcetype><collection/><addressbook xmlns="urn:ietf:params:xml:ns:carddav"/></resourcetype>
</prop></propstat></response></multistatus>
"""

Connect = Callable[..., CarddavConnector]
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    with address_book(tmp_path_factory.mktemp("radicale")) as book:
        yield book


@pytest.fixture
def book(server: Book) -> Book:
    """An address book with Anna, Bram and what is nobody's."""
    server.ask("DELETE", server.url)
    server.ask("MKCOL", server.url, MAKE_BOOK)
    server.put(
        "anna", "FN:Anna de Vries", "TEL;TYPE=CELL:030 - 000 01 01", "TEL;TYPE=\"WORK,FAX\":050-0000102",
        "EMAIL;TYPE=INTERNET:Anna@example.nl", "ADR;TYPE=HOME:;;Straat 1;Utrecht;;3511 AB;", "LANG:nl",
        "NOTE:&lt;&amp;", uid="urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1",
    )  # fmt: skip
    server.put("bram", "FN:Bram Hoekstra", "TEL;VALUE=uri:tel:+31-50-0000102")
    server.put("group", "FN:Friends", "X-ADDRESSBOOKSERVER-KIND:group", "TEL:030-0000199")
    return server


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes a connector to an address book; closed afterwards."""
    made: list[CarddavConnector] = []
    (tmp_path / "book.password").write_text(PASSWORD + "\n")

    def connector(url: str, **settings: Any) -> CarddavConnector:
        values = {"url": url, "user": USER, "password_file": "book.password", "refresh_every": LOOK} | settings
        made.append(CarddavConnector(CarddavSettings(**values), Surroundings(folder=tmp_path)))
        return made[-1]

    yield connector
    for each in made:
        await each.close()


def guarded(connector: CarddavConnector, timeout: float = LIMIT) -> ConnectedSystem:
    return ConnectedSystem("contacts", connector, Limits(timeout=timeout), SystemClock())


def names(connector: CarddavConnector, number: PhoneNumber) -> list[str]:
    return [customer.name for customer in connector._held().by_number(number)]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """A server that answers everything in one way; gives its address."""
    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110  # nothing tells that the book was asked again
            await asyncio.sleep(LOOK)


async def test_found_with_what_the_card_says(connect: Connect, book: Book) -> None:
    (anna,) = await guarded(connect(book.url)).find_caller(ANNA)
    assert anna == Customer(
        id=CustomerId("4fbe8971-0bc3-424c-9c26-36c3e1eff6b1"),
        name="Anna de Vries",
        numbers=(ANNA,),
        language=Language.NL,
        postcode="3511 AB",
        email="Anna@example.nl",
    )


async def test_found_by_a_number_that_is_an_address_and_not_by_a_fax(connect: Connect, book: Book) -> None:
    (bram,) = await guarded(connect(book.url)).find_caller(BRAM)
    assert bram.name == "Bram Hoekstra"


async def test_found_by_its_e_mail_address(connect: Connect, book: Book) -> None:
    system = guarded(connect(book.url))
    (anna,) = await system.find_customer(Identity(IdentityKind.EMAIL, "anna@EXAMPLE.nl"))
    assert anna.name == "Anna de Vries"
    assert list(await system.find_customer(Identity(IdentityKind.CUSTOMER_NUMBER, "1"))) == []


async def test_not_found_nor_is_a_group(connect: Connect, book: Book) -> None:
    assert list(await guarded(connect(book.url)).find_caller(NOBODY)) == []


async def test_slow_reading_goes_on_when_nobody_waits_for_it_any_more(connect: Connect) -> None:
    """The guard gives up; the answer that comes later still fills the copy."""
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(request: web.BaseRequest) -> web.Response:
        asked.set()
        await may_answer.wait()
        return web.Response(status=207, text=EMPTY_BOOK)

    async with serving(slow) as url:
        connector = connect(url)
        with pytest.raises(ConnectorTimeout):
            await guarded(connector, timeout=0.1).find_caller(ANNA)
        assert asked.is_set()
        may_answer.set()
        await guarded(connector).open()
        assert names(connector, ANNA) == []


async def test_slow_a_server_that_never_answers_is_given_up_by_the_connector_too(connect: Connect) -> None:
    async def hang(request: web.BaseRequest) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(hang) as url:
        with pytest.raises(ConnectorTimeout):
            await connect(url, answer_within="100ms").open()


async def test_refused_a_wrong_password_until_it_is_right(connect: Connect, book: Book, tmp_path: Path) -> None:
    (tmp_path / "book.password").write_text("opensesame\n")
    system = guarded(connect(book.url))
    with pytest.raises(ConnectorRefused, match="does not accept user with this password") as caught:
        await system.find_caller(ANNA)
    assert "opensesame" not in str(caught.value)
    (tmp_path / "book.password").write_text(PASSWORD + "\n")
    assert len(await system.find_caller(ANNA)) == 1


async def test_refused_an_address_that_is_no_address_book(connect: Connect, book: Book) -> None:
    for url, told in (
        (book.url.replace("contacts", "nothing"), "is not there"),
        (book.url[:-9], "is not an address book"),
    ):
        with pytest.raises(ConnectorRefused, match=told):
            await connect(url).open()


@pytest.mark.parametrize(
    ("status", "text", "error", "told"),
    [
        (200, "<html>", ConnectorRefused, "answers with 200, not as CardDAV"),
        (302, "", ConnectorRefused, "has moved"),
        (503, "", ConnectorUnavailable, "says 503"),
        (207, "<html><p>", ConnectorRefused, "is not XML"),
        (207, '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>', ConnectorRefused, "DTDForbidden"),
        (207, "x" * 34_000_000, ConnectorRefused, "larger than 32 MB"),
    ],
)
async def test_answers_that_are_none(
    connect: Connect, status: int, text: str, error: type[Exception], told: str
) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=text, headers={"Location": "/x"} if status == 302 else {})

    async with serving(answer) as url:
        with pytest.raises(error, match=told):
            await connect(url).open()


async def test_what_changes_in_the_book_is_followed(connect: Connect, book: Book) -> None:
    connector = connect(book.url)
    await connector.open()
    cursor = (await connector.changes(None, 10)).cursor
    await asyncio.to_thread(book.put, "bram", "FN:Bram Bakker", "TEL:030-0000199")
    await until(lambda: names(connector, NOBODY) == ["Bram Bakker"])
    assert names(connector, BRAM) == []
    await asyncio.to_thread(book.delete, "anna")
    await until(lambda: names(connector, ANNA) == [])
    page = await connector.changes(cursor, 10)
    assert [customer.id for customer in page.customers] == ["bram"]
    assert list(page.gone) == ["4fbe8971-0bc3-424c-9c26-36c3e1eff6b1"]


async def test_a_book_without_changes_is_not_read_again_and_only_a_changed_card_is_fetched(
    connect: Connect, book: Book
) -> None:
    connector = connect(book.url, refresh_every="1h")
    await connector.open()
    assert connector._client is not None
    assert connector._book is not None
    fetched: list[str] = []
    contents = connector._client.contents

    async def counted(paths: list[str]) -> Any:
        fetched.extend(paths)
        return await contents(paths)

    connector._client.contents = counted  # type: ignore[method-assign, assignment]  # to count, not to replace
    await connector._book.refresh()
    await asyncio.to_thread(book.put, "cas", "FN:Cas", "TEL:030-0000199")
    await connector._book.refresh()
    assert fetched == [f"/{USER}/contacts/cas.vcf"]
    assert names(connector, NOBODY) == ["Cas"]


async def test_a_token_that_the_server_forgot_costs_a_full_reading(connect: Connect, book: Book) -> None:
    connector = connect(book.url)
    await connector.open()
    await asyncio.to_thread(book.ask, "DELETE", book.url)
    await asyncio.to_thread(book.ask, "MKCOL", book.url, MAKE_BOOK)
    await asyncio.to_thread(book.put, "cas", "FN:Cas", "TEL:030-0000199")
    await until(lambda: names(connector, NOBODY) == ["Cas"] and not names(connector, ANNA))


async def test_while_the_server_is_away_the_copy_answers_and_then_no_longer(connect: Connect, tmp_path: Path) -> None:
    with address_book(tmp_path / "own") as own:
        own.put("anna", "FN:Anna", "TEL:030-0000101")
        connector = connect(own.url, stale_after="600ms")
        await connector.open()
        system = guarded(connector)
    assert [customer.name for customer in await system.find_caller(ANNA)] == ["Anna"]
    with pytest.raises(ConnectorUnavailable):
        await connector.check()
    await until(lambda: is_stale(connector))
    with own.running():
        await until(lambda: not is_stale(connector))
        await connector.check()


def is_stale(connector: CarddavConnector) -> bool:
    try:
        connector._held()
    except ConnectorUnavailable:
        return True
    return False


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "cloud.example"}, "write such as https://cloud.example/anna/contacts/"),
        ({"url": "https://anna:opensesame@cloud.example/"}, "not an address book's address"),
        ({"url": "http://cloud.example/", "user": "x", "password_file": "x"}, "cross the network in clear"),
        ({"user": "x"}, "go together"),
        ({"refresh_every": "60"}, "did you mean '60s'"),
    ],
)
def test_wrong_settings_are_told(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told) as caught:
        CarddavSettings(**{"url": "https://cloud.example/anna/contacts"} | settings)
    assert "opensesame" not in str(caught.value)
