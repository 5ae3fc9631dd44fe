"""A connector on trial: each of its capabilities asked once, with what came back and how long it took."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from time import perf_counter
from typing import Any
from uuid import uuid4

from ivr.clock import SystemClock
from ivr.config.model import Config
from ivr.configured import surroundings_of
from ivr.connectors.catalog import Catalog
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import Customer
from ivr.domain.capability import DOSSIER, Capability
from ivr.domain.contact import ContactId, Json
from ivr.domain.errand import ContactNote, Ticket
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorError

PATIENCE = 30.0
"""Seconds that each part may take: longer than a call waits, so that one sees how long it would take."""

TEST = "A test by `ivr integrations try`; it may be removed."


@dataclass(frozen=True, slots=True)
class Sought:
    """By what somebody is to be found; None for what was not given."""

    number: PhoneNumber | None
    email: str | None
    customer_number: str | None

    @property
    def anybody(self) -> bool:
        """Whether anything was given."""
        return bool(self.number or self.email or self.customer_number)

    @property
    def identities(self) -> Sequence[Identity]:
        """What was given besides the number."""
        given = ((IdentityKind.EMAIL, self.email), (IdentityKind.CUSTOMER_NUMBER, self.customer_number))
        return [Identity(kind, value) for kind, value in given if value]


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one question. `limit` (seconds) is how long a call would have waited for it."""

    asked: str
    seconds: float
    limit: float
    said: str = ""
    found: Sequence[Mapping[str, Json]] = ()
    error: str = ""

    def as_json(self) -> Json:
        """As `ivr integrations try --json` prints it."""
        found: list[Json] = [dict(each) for each in self.found]
        return {
            "asked": self.asked,
            "seconds": round(self.seconds, 6),
            "said": self.said,
            "found": found,
            "error": self.error or None,
        }


def trial_of(config: Config, name: str) -> ConnectorTrial:
    """A trial of a connector in config.yaml, behind a patient guard that remembers nothing. Raises SetupError."""
    configured = config.connectors[name]
    guard = configured.guard.model_copy(update={"timeout": PATIENCE, "cache_for": 0.0, "cache_unknown_for": 0.0})
    connector = Catalog().build(configured, surroundings_of(config, configured))
    return ConnectorTrial(ConnectedSystem(name, connector, guard, SystemClock()), limit=configured.guard.timeout)


class ConnectorTrial:
    """Asks a system; `limit` (seconds) is how long a call would wait for each answer."""

    def __init__(self, system: ConnectedSystem, *, limit: float) -> None:
        self._system = system
        self._limit = limit
        self._parts: list[Part] = []

    async def parts(self, sought: Sought, *, write: bool) -> Sequence[Part]:
        """What each part came to, in the order they were asked."""
        try:
            if await self._ask("open", self._system.open, lambda _: ("ready", ())) is not False:
                await self._ask("check", self._system.check, lambda _: ("answers", ()))
                customers = await self._customers(sought)
                await self._dossiers(customers)
                if write:
                    await self._write(customers)
        finally:
            await self._system.close()
        return self._parts

    async def _customers(self, sought: Sought) -> Sequence[Customer]:
        """Everybody who was found, once."""
        system, found = self._system, list[Customer]()
        identities = list(sought.identities)
        if number := sought.number:
            if Capability.FIND_CALLER in system.capabilities:
                asked = f"find_caller {number}"
                found += await self._ask(asked, lambda: system.find_caller(number), _counted) or ()
            else:
                identities.insert(0, Identity(IdentityKind.PHONE, number))
        if Capability.FIND_CUSTOMER in system.capabilities:
            for identity in identities:
                ask = partial(system.find_customer, identity)
                found += await self._ask(f"find_customer {identity.value}", ask, _counted) or ()
        elif identities:
            self._parts.append(Part("find_customer", 0.0, self._limit, "this connector does not have it"))
        return list({customer.id: customer for customer in found}.values())

    async def _dossiers(self, customers: Sequence[Customer]) -> None:
        for customer in customers:
            for part in (part for part in DOSSIER if part in self._system.capabilities):
                ask = partial(self._system.dossier, part, customer.id)
                await self._ask(f"{part} {customer.id}", ask, _counted)

    async def _write(self, customers: Sequence[Customer]) -> None:
        if len(customers) != 1:
            self._parts.append(Part("write", 0.0, self._limit, error=f"{len(customers)} customers were found, not one"))
            return
        (customer,), system = customers, self._system
        key, now = f"test-{uuid4()}", datetime.now(UTC)
        contact = ContactId(key)
        if Capability.LOG_CONTACT in system.capabilities:
            note = ContactNote(key, contact, now, now, "inbound", "test", "told", TEST)
            await self._ask("log_contact", lambda: system.log_contact(note, customer.id), lambda _: ("written", ()))
        if Capability.CREATE_TICKET in system.capabilities:
            ticket = Ticket(key, "Test", TEST, contact)
            await self._ask(
                "create_ticket",
                lambda: system.create_ticket(ticket, customer.id),
                lambda number: (f"opened {number}", ()),
            )

    async def _ask(self, asked: str, ask: Callable[[], Awaitable[Any]], told: Callable[[Any], Any]) -> Any:
        """What a question gives, or False when it failed."""
        began = perf_counter()
        try:
            answer = await ask()
        except ConnectorError as error:
            text = " ".join(str(error).split())
            self._parts.append(Part(asked, perf_counter() - began, self._limit, error=text))
            return False
        seconds = perf_counter() - began
        said, found = told(answer)
        self._parts.append(Part(asked, seconds, self._limit, said, found))
        return answer


def _counted(found: Sequence[Any]) -> tuple[str, Sequence[Mapping[str, Json]]]:
    return f"{len(found)} found", [_filled(each) for each in found]


def _filled(record: Any) -> dict[str, Json]:
    """The fields of a customer, an order… that are filled in."""
    values = {each.name: getattr(record, each.name) for each in fields(record)}
    return {name: _json(value) for name, value in values.items() if value not in (None, "", (), frozenset())}


def _json(value: Any) -> Json:
    if is_dataclass(value):
        return _filled(value)
    if isinstance(value, date | Decimal):
        return str(value)
    if isinstance(value, str | int | float):
        return value
    assert isinstance(value, Iterable)
    return sorted((_json(each) for each in value), key=str) if isinstance(value, frozenset) else [*map(_json, value)]
