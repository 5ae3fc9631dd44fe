"""Servers that keep no sync-token, that tell changes bit by bit, and cards that cannot be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from xml.sax.saxutils import escape

import pytest
from aiohttp import web

from integrations.carddav.client import CarddavClient
from integrations.carddav.mapping import customer_from
from integrations.carddav.phone_book import PhoneBook
from ivr.domain.line import PhoneNumber

HEAD = '<multistatus xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav" xmlns:s="http://calendarserver.org/ns/">'
ANNA = PhoneNumber("+31300000101")


def card(name: str, number: str = "030-0000101") -> str:
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\nFN:{name}\r\nTEL:{number}\r\nEND:VCARD\r\n"


class SomeServer:
    """An address book at /b ok/, quoted in two ways as servers do. It counts the cards that were fetched."""

    def __init__(self, *, syncs: bool) -> None:
        self.syncs = syncs
        self.cards = {f"{name}.vcf": (f'"{name}1"', card(name)) for name in ("Anna", "Bram", "Cas")}
        self.fetched = 0

    @property
    def state(self) -> str:
        return str(abs(hash(tuple(sorted(self.cards.items())))))

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body = await request.text()
        if "getctag" in body:
            token = f"<sync-token>{self.state}</sync-token>" if self.syncs else ""
            said = self.part("", f"<s:getctag>{self.state}</s:getctag>{token}")
        elif "sync-collection" in body:
            said = self.sync(body)
        elif "addressbook-multiget" in body:
            wanted = [name for name in self.cards if name in body]
            self.fetched += len(wanted)
            said = "".join(
                self.part(name, f"<c:address-data>{escape(self.cards[name][1])}</c:address-data>") for name in wanted
            )
        else:
            said = self.part("", "") + "".join(self.etag(name) for name in self.cards)
        return web.Response(status=207, text=f"{HEAD}{said}</multistatus>")

    def sync(self, body: str) -> str:
        """One card at a time: the number of the last one is the token, until all are told."""
        names = sorted(self.cards)
        told = next((place for place in range(len(names)) if f">part-{place}<" in body), 0)
        if told == len(names) - 1:
            return self.etag(names[told]) + f"<sync-token>{self.state}</sync-token>"
        more = "<response><href>/b%20ok/</href><status>HTTP/1.1 507 Insufficient Storage</status></response>"
        return self.etag(names[told]) + more + f"<sync-token>part-{told + 1}</sync-token>"

    def etag(self, name: str) -> str:
        return self.part(name, f"<getetag>{self.cards[name][0]}</getetag>")

    def part(self, name: str, properties: str) -> str:
        quoted = "/b%20ok/" if name else "/b ok/"
        status = "<status>HTTP/1.1 200 OK</status>"
        return f"<response><href>{quoted}{name}</href><propstat><prop>{properties}</prop>{status}</propstat></response>"


@asynccontextmanager
async def phone_book(server: SomeServer) -> AsyncIterator[PhoneBook]:
    runner = web.ServerRunner(web.Server(server.answer), shutdown_timeout=0.1)
    await runner.setup()
    client: CarddavClient | None = None
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        client = CarddavClient(f"http://127.0.0.1:{runner.addresses[0][1]}/b%20ok/", None, True, timeout=5)
        yield PhoneBook(client, "NL")
    finally:
        if client is not None:
            await client.close()
        await runner.cleanup()


async def test_without_sync_tokens_all_versions_are_compared_and_changed_cards_fetched() -> None:
    server = SomeServer(syncs=False)
    async with phone_book(server) as book:
        await book.refresh()
        await book.refresh()
        assert (len(book.directory), server.fetched) == (3, 3)
        del server.cards["Bram.vcf"]
        server.cards["Cas.vcf"] = ('"Cas2"', card("Cas", "050-0000102"))
        await book.refresh()
        assert [customer.name for customer in book.directory.by_number(ANNA)] == ["Anna"]
        assert server.fetched == 4


async def test_changes_that_are_told_bit_by_bit_are_all_asked_for() -> None:
    server = SomeServer(syncs=True)
    async with phone_book(server) as book:
        await book.refresh()
        assert sorted(customer.name for customer in book.directory.by_number(ANNA)) == ["Anna", "Bram", "Cas"]


async def test_one_card_that_cannot_be_read_leaves_the_others() -> None:
    server = SomeServer(syncs=False)
    server.cards["Bram.vcf"] = ('"x"', "BEGIN:VCARD\r\nFN:Bram")
    async with phone_book(server) as book:
        await book.refresh()
        assert [customer.name for customer in book.directory.by_number(ANNA)] == ["Anna", "Cas"]


@pytest.mark.parametrize(
    "card",
    [
        "",
        "nonsense",
        "BEGIN:VCARD\r\nFN:Anna",
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nTEL:030-0000101\r\nEND:VCARD",
        "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:1\r\nFN:Friends\r\nKIND:group\r\nEND:VCARD",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna\r\nPHOTO;ENCODING=b:notbase64\r\nEND:VCARD",
    ],
)
def test_what_is_nobodys_card_is_left_out(card: str) -> None:
    assert customer_from(card, "/b/1.vcf", "NL") is None


@pytest.mark.parametrize("version", ["2.1", "3.0", "4.0"])
def test_cards_of_each_version_are_read(version: str) -> None:
    lines = ["BEGIN:VCARD", f"VERSION:{version}", "FN:Anna", 'item1.TEL;TYPE="voice,home":030/0000101', "END:VCARD"]
    customer = customer_from("\r\n".join(lines) + "\r\n", "/b/1.vcf", "NL")
    assert customer is not None
    assert (customer.id, customer.name, customer.numbers) == ("/b/1.vcf", "Anna", (ANNA,))
