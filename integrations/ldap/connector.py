"""The connector of a company directory: its settings, and callers found by searches."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field as Constraint
from pydantic import field_validator, model_validator
from sansldap import LDAPFilter

from integrations.ldap.client import PORTS, Account, LdapClient, PageLost
from integrations.ldap.mapping import (
    ATTRIBUTES,
    Attributes,
    Field,
    customers_from,
    from_on,
    having_any,
    in_order,
    latest,
)
from ivr.connectors.connector import Changes, Surroundings
from ivr.connectors.settings import Settings, first_line, stays_here
from ivr.domain.caller import Customer
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.line import PhoneNumber
from ivr.domain.spelling import Spelling, spelled
from ivr.errors import ConnectorRefused

MOST_FOUND = 100
"""Entries with one number or address. More means that the filter does not select people."""

Attribute = Annotated[str, Constraint(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]


class LdapSettings(Settings):
    """What `connectors.<name>.settings` may say for `integration: ldap`; see this folder's README.md."""

    url: str
    base: Annotated[str, Constraint(min_length=1)]
    start_tls: bool = False
    ca_file: Path | None = None
    bind_dn: str = ""
    password_file: Path | None = None
    filter: str = "(objectClass=person)"
    attributes: Annotated[dict[Field, Attribute | tuple[Attribute, ...]], Constraint(default_factory=dict)]
    spellings: Annotated[tuple[Spelling, ...], Constraint(min_length=1)] = tuple(Spelling)
    changed_by: Attribute = "modifyTimestamp"

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            fine = parts.scheme in PORTS and parts.hostname and parts.port != 0 and parts.path in ("", "/")
        except ValueError:
            fine = False
        if not fine or "@" in url:
            raise ValueError("this is not a directory's address; write such as ldaps://directory.example")
        return url

    @field_validator("filter")
    @classmethod
    def _is_filter(cls, text: str) -> str:
        try:
            LDAPFilter.from_string(text)
        except ValueError as error:
            raise ValueError("this is not a filter; write such as (objectClass=person)") from error
        return text

    @model_validator(mode="after")
    def _keeps_its_secret(self) -> LdapSettings:
        url = urlsplit(self.url)
        if bool(self.bind_dn) != bool(self.password_file):
            raise ValueError("bind_dn and password_file go together")
        if self.start_tls and url.scheme == "ldaps":
            raise ValueError("start_tls is for ldap://; ldaps:// is secret from the start")
        if self.bind_dn and url.scheme == "ldap" and not self.start_tls and not stays_here(url.hostname or ""):
            raise ValueError("the password would cross the network in clear: use ldaps://, or start_tls: true")
        return self

    @property
    def all_attributes(self) -> Attributes:
        """The attributes of each field; those that were not set are inetOrgPerson's."""
        set_here = {field: (named,) if isinstance(named, str) else named for field, named in self.attributes.items()}
        return {**ATTRIBUTES, **set_here}


class LdapConnector:
    """Finds callers and customers in a directory (capabilities `find_caller`, `find_customer`, `changes`)."""

    def __init__(self, settings: LdapSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._attributes = settings.all_attributes
        self._among = LDAPFilter.from_string(settings.filter)
        self._wanted = sorted({name for named in self._attributes.values() for name in named} | {settings.changed_by})
        self._client: LdapClient | None = None

    async def open(self) -> None:
        """Connect, log in, and see whether there is a base.

        Raises:
            ConnectorRefused: the directory does not accept the account, its certificate is not accepted, or there is
                no such base.
            ConnectorUnavailable: the directory cannot be reached.
        """
        await self.close()
        client = LdapClient(await self._account(), timeout=self._surroundings.timeout)
        try:
            await client.look_at(self._settings.base)
        except BaseException:
            await client.close()
            raise
        self._client = client

    async def close(self) -> None:
        """Hang up."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def check(self) -> None:
        """Look at the base. Raises ConnectorError."""
        await self._opened().look_at(self._settings.base)

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every entry with the number, written in one of the spellings. Raises ConnectorError."""
        return await self._having(Field.NUMBER, spelled(number, self._settings.spellings))

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """Every entry with a number, an e-mail address or a customer number. Raises ConnectorError."""
        match identity.kind:
            case IdentityKind.PHONE:
                return await self.find_caller(PhoneNumber(identity.value))
            case IdentityKind.EMAIL:
                return await self._having(Field.EMAIL, [identity.value])
            case IdentityKind.CUSTOMER_NUMBER:
                return await self._having(Field.CUSTOMER_NUMBER, [identity.value])
            case _:
                return []

    async def changes(self, since: str | None, limit: int) -> Changes:
        """A page of the entries that changed; those of the last moment come again. Raises ConnectorError."""
        place = _Place.read(since)
        settings, client = self._settings, self._opened()
        among = from_on(self._among, settings.changed_by, place.after) if place.after else self._among
        try:
            page = await client.page(settings.base, among, self._wanted, size=limit, cookie=place.cookie)
        except PageLost:
            place = _Place(place.after)
            page = await client.page(settings.base, among, self._wanted, size=limit, cookie=b"")
        seen = max(place.seen, latest(page.entries, settings.changed_by), key=in_order)
        following = _Place(place.after, seen, page.cookie) if page.cookie else _Place(seen or place.after)
        customers = customers_from(page.entries, self._attributes, self._surroundings.country)
        return Changes(customers, following.written, more=bool(page.cookie))

    async def _having(self, field: Field, values: Sequence[str]) -> Sequence[Customer]:
        wanted = having_any(self._among, self._attributes[field], values)
        entries = await self._opened().entries(self._settings.base, wanted, self._wanted, most=MOST_FOUND)
        return customers_from(entries, self._attributes, self._surroundings.country)

    def _opened(self) -> LdapClient:
        if self._client is None:
            raise ConnectorRefused("the connector has not been opened")
        return self._client

    async def _account(self) -> Account:
        settings = self._settings
        password = await first_line(self._surroundings, settings.password_file) if settings.password_file else ""
        trust = await asyncio.to_thread(_trust, settings.ca_file and self._surroundings.folder / settings.ca_file)
        return Account(settings.url, settings.start_tls, trust, settings.bind_dn, password)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where reading changes goes on: entries from `after` on, of which those up to `cookie` were read, `seen` the
    latest of them."""

    after: str = ""
    seen: str = ""
    cookie: bytes = b""

    @classmethod
    def read(cls, cursor: str | None) -> _Place:
        """A cursor that was given out; one that is not understood begins at the start."""
        try:
            written: Mapping[str, str] = json.loads(cursor or "{}")
            return cls(written.get("after", ""), written.get("seen", ""), bytes.fromhex(written.get("page", "")))
        except (ValueError, AttributeError, TypeError):
            return cls()

    @property
    def written(self) -> str:
        page = {"seen": self.seen, "page": self.cookie.hex()} if self.cookie else {}
        return json.dumps({"after": self.after, **page})


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConnectorRefused(f"ca_file {ca_file and ca_file.name} is no certificate") from error
