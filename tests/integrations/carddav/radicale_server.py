"""A real Radicale on a free port of 127.0.0.1, and its address book as a person fills it."""

from __future__ import annotations

import base64
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.crm.making import free_port, served

USER, PASSWORD = "anna", "opensesame-book"
CONFIGURATION = """\
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/collections
"""
MAKE_BOOK = """\
<mkcol xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><set><prop>
<resourcetype><collection/><c:addressbook/></resourcetype></prop></set></mkcol>
"""


@dataclass(frozen=True, slots=True)
class Book:
    """An address book on a Radicale that keeps its files in `folder`."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{USER}/contacts/"

    @contextmanager
    def running(self) -> Iterator[None]:
        """The server, until the block ends."""
        command: list[str | Path] = [sys.executable, "-m", "radicale", "--config", self.folder / "config"]
        with served(command, f"http://127.0.0.1:{self.port}/", self.folder / "server.log", {}):
            yield

    def put(self, name: str, *lines: str, uid: str | None = None) -> None:
        """Write a card."""
        card = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid or name}", *lines, "END:VCARD", ""]
        self.ask("PUT", f"{self.url}{name}.vcf", "\r\n".join(card))

    def delete(self, name: str) -> None:
        self.ask("DELETE", f"{self.url}{name}.vcf")

    def ask(self, method: str, url: str, body: str = "") -> None:
        """Send a request. Raises urllib.error.HTTPError."""
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(url, body.encode() or None, {"Authorization": f"Basic {login}"}, method=method)
        urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def address_book(folder: Path) -> Iterator[Book]:
    """An empty address book on a running Radicale."""
    book = Book(folder, free_port())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    (folder / "config").write_text(CONFIGURATION.format(port=book.port, folder=folder))
    with book.running():
        book.ask("MKCOL", book.url, MAKE_BOOK)
        yield book
