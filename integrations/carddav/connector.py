"""The connector of an address book: its settings, and callers found in the copy that is kept of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import structlog
from pydantic import field_validator, model_validator

from integrations.carddav.client import CarddavClient, Login
from integrations.carddav.phone_book import PhoneBook
from ivr.connectors.connector import Changes, Surroundings
from ivr.connectors.directory import Directory
from ivr.connectors.settings import Seconds, Settings, first_line, stays_here
from ivr.domain.caller import Customer
from ivr.domain.identity import Identity
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorUnavailable

log = structlog.get_logger()


class CarddavSettings(Settings):
    """What `connectors.<name>.settings` may say for `integration: carddav`; see this folder's README.md."""

    url: str
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    refresh_every: Seconds = 60.0
    answer_within: Seconds = 30.0
    stale_after: Seconds = 86400.0

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            fine = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            fine = False
        if not fine or "@" in parts.netloc:
            raise ValueError(
                "this is not an address book's address; write such as https://cloud.example/anna/contacts/"
            )
        return url if url.endswith("/") else url + "/"

    @model_validator(mode="after")
    def _keeps_its_secret(self) -> CarddavSettings:
        url = urlsplit(self.url)
        if bool(self.user) != bool(self.password_file):
            raise ValueError("user and password_file go together")
        if self.user and url.scheme == "http" and not stays_here(url.hostname or ""):
            raise ValueError("the password would cross the network in clear: use https://")
        return self


class CarddavConnector:
    """Finds callers and customers in a copy of an address book (`find_caller`, `find_customer`, `changes`).

    Servers search address books card by card, which takes them seconds; so the copy is asked, and only what
    changed is fetched. While the server is away the copy is used until it is `stale_after` old.
    """

    def __init__(self, settings: CarddavSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._client: CarddavClient | None = None
        self._book: PhoneBook | None = None
        self._fresh_at: float | None = None
        self._reading: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the address book, and follow it from now on. Reading goes on when the one who waits gives up.

        Raises:
            ConnectorRefused: it is no address book, or may not be read.
            ConnectorUnavailable: it cannot be reached.
        """
        if self._fresh_at is None:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read_first())
                self._reading.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.shield(self._reading)
        if self._following is None:
            self._following = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Follow the address book no longer, and forget what is in it."""
        tasks = [task for task in (self._following, self._reading) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        client, self._client = self._client, None
        self._following = self._reading = self._book = self._fresh_at = None
        if client is not None:
            await client.close()

    async def check(self) -> None:
        """Look at the address book on its server. Raises ConnectorError."""
        self._held()
        assert self._client is not None
        await self._client.look()

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Everybody in the address book with this number. Raises ConnectorError."""
        return self._held().by_number(number)

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """Everybody in the address book with this number or e-mail address. Raises ConnectorError."""
        return self._held().by_identity(identity)

    async def changes(self, since: str | None, limit: int) -> Changes:
        """What the latest refreshments changed. Raises ConnectorError."""
        return self._held().changes(since, limit)

    def _held(self) -> Directory:
        if self._book is None or self._fresh_at is None:
            raise ConnectorUnavailable("the address book has not been read")
        age = monotonic() - self._fresh_at
        if age > self._settings.stale_after:
            raise ConnectorUnavailable(f"the address book could not be asked for {age / 3600:.1f} h")
        return self._book.directory

    async def _read_first(self) -> None:
        self._client = await self._made_client()
        self._book = PhoneBook(self._client, self._surroundings.country)
        try:
            await self._client.look()
            await self._refresh()
        except BaseException:
            # The next attempt may be with another password.
            await self._client.close()
            raise

    async def _follow(self) -> None:
        told = ""
        while True:
            await asyncio.sleep(self._settings.refresh_every)
            try:
                await self._refresh()
                told = ""
            except Exception as error:  # the border of a task that goes on whatever one attempt came to
                said = str(error) if isinstance(error, ConnectorError) else type(error).__name__
                if said != told:  # once, not at each attempt
                    told = said
                    log.error("carddav.not_refreshed", error=told)

    async def _refresh(self) -> None:
        assert self._book is not None
        began = monotonic()
        await self._book.refresh()
        self._fresh_at = began

    async def _made_client(self) -> CarddavClient:
        settings, folder = self._settings, self._surroundings.folder
        login = None
        if settings.password_file is not None:
            login = Login(settings.user, await first_line(self._surroundings, settings.password_file))
        trust = await asyncio.to_thread(_trust, folder / settings.ca_file) if settings.ca_file else True
        return CarddavClient(settings.url, login, trust, timeout=settings.answer_within)


def _trust(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConnectorRefused(f"ca_file {ca_file.name} is no certificate") from error
