"""The connector of Tryton: callers, what they may call about, and what is written in their record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import phonenumbers
import structlog

from integrations.tryton.changes import changes
from integrations.tryton.client import Domain, Row, TrytonClient
from integrations.tryton.mapping import (
    CASE_FIELDS,
    DUE_FIELDS,
    INVOICE_FIELDS,
    ORDER_FIELDS,
    PARTY_FIELDS,
    PHONES,
    cases_from,
    customer_from,
    invoices_from,
    orders_from,
)
from ivr.connectors.connector import Changes, Surroundings
from ivr.connectors.json_service import ServiceSettings, service_url
from ivr.connectors.settings import first_line
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.dossier import Case, Invoice, Order
from ivr.domain.errand import ContactNote, Ticket
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.line import PhoneNumber
from ivr.domain.spelling import Spelling, spelled
from ivr.errors import ConnectorRefused

log = structlog.get_logger()

MOST = 20
"""Of customers with one number, orders, invoices, cases."""

RECENTLY = timedelta(days=14)
"""An order that was finished longer ago is no longer told."""

PARTY, MECHANISM, SALE, COMPLAINT = "party.party", "party.contact_mechanism", "sale.sale", "sale.complaint"
INVOICE, LEDGER = "account.invoice", "account.move.line"

AS_TYPED: Domain = [
    ["type", "in", PHONES],
    ["OR", ["value_compact", "not like", "+%"], *(["value_compact", "like", f"%{mark}%"] for mark in " -(/.")],
]
"""Numbers that are not in E.164, as Tryton writes them where `phonenumbers` is installed beside it."""


class TrytonSettings(ServiceSettings):
    """What `connectors.<name>.settings` may say for `integration: tryton`; see this folder's README.md.

    `unknown_caller` is the code of the party under which tickets of unknown callers are opened.
    """

    database: str
    login: str
    password_file: Path
    complaint_type: str | None = None
    unknown_caller: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A Tryton that we are logged in to. `readable` are the models that are there and that the user may read.

    `as_typed` says that it keeps numbers as they were typed, not as E.164.
    """

    client: TrytonClient
    readable: frozenset[str]
    as_typed: bool
    complaint_type: int | None


class TrytonConnector:
    """Every capability of the manifest, each in one round trip but for what is written.

    Of a module that is not activated, or that the user may not read, there is nothing.
    """

    def __init__(self, settings: TrytonSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._tryton: Opened | None = None

    async def open(self) -> None:
        """Log in, and find out what is there.

        Raises:
            ConnectorRefused: Tryton does not let the user in, or a setting names what it has not.
            ConnectorUnavailable: it cannot be reached.
        """
        await self.close()
        password = await first_line(self._surroundings, self._settings.password_file)
        url = service_url(self._settings.url, plain_http=self._settings.plain_http)
        client = TrytonClient(url, self._settings.database, self._settings.login, password, self._surroundings)
        try:
            readable = await self._readable(client, await client.open())
            as_typed = bool(await client.search_read(MECHANISM, AS_TYPED, ["id"], limit=1))
            complaint_type = await self._complaint_type(client) if COMPLAINT in readable else None
        except BaseException:
            await client.close()
            raise
        self._tryton = Opened(client, readable, as_typed, complaint_type)

    async def close(self) -> None:
        """Close every connection; the session in Tryton ends by its own time-out."""
        tryton, self._tryton = self._tryton, None
        if tryton:
            await tryton.client.close()

    async def check(self) -> None:
        """Look for a party that there is not. Raises ConnectorError."""
        await self._opened().client.search_read(PARTY, [["id", "=", 0]], ["id"], limit=1)

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every party with the number among its telephones, however it was typed."""
        is_it: Domain = ["value_compact", "=", number]
        if self._opened().as_typed:
            is_it = ["OR", ["value_compact", "in", spelled(number, Spelling)], ["value", "like", digits_of(number)]]
        return await self._customers([["contact_mechanisms", "where", [["type", "in", PHONES], is_it]]])

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """Every party with this number, e-mail address or code."""
        match identity.kind:
            case IdentityKind.PHONE:
                return await self.find_caller(PhoneNumber(identity.value))
            case IdentityKind.CUSTOMER_NUMBER:
                return await self._customers([["code", "=", identity.value]])
            case IdentityKind.EMAIL:
                return await self._with_address(identity.value)
            case _:
                return ()

    async def changes(self, since: str | None, limit: int) -> Changes:
        """A page of parties that were made or written, they or their numbers and addresses."""
        return await changes(self._opened().client, since, limit, self._surroundings.country)

    async def orders(self, customer: CustomerId) -> Sequence[Order]:
        """Sales that were confirmed, and those that were finished lately; a quotation is no order yet."""
        since = datetime.now(UTC) - RECENTLY
        state = [
            "OR",
            ["state", "in", ["confirmed", "processing"]],
            [["state", "=", "done"], ["write_date", ">", since]],
        ]
        sales = await self._of(customer, SALE, "party", [state], ORDER_FIELDS, [("sale_date", "DESC"), ("id", "DESC")])
        return orders_from(sales, datetime.now(UTC).date())

    async def invoices(self, customer: CustomerId) -> Sequence[Invoice]:
        """Invoices that were posted and not yet paid."""
        unpaid = [["type", "=", "out"], ["state", "=", "posted"]]
        order = [("invoice_date", "ASC"), ("id", "ASC")]
        fields = INVOICE_FIELDS + (DUE_FIELDS if LEDGER in self._opened().readable else ())
        return invoices_from(await self._of(customer, INVOICE, "party", unpaid, fields, order))

    async def cases(self, customer: CustomerId) -> Sequence[Case]:
        """Complaints that are not settled."""
        unsettled = [["state", "in", ["draft", "waiting", "approved"]]]
        order = [("date", "DESC"), ("id", "DESC")]
        return cases_from(await self._of(customer, COMPLAINT, "customer", unsettled, CASE_FIELDS, order))

    async def log_contact(self, note: ContactNote, customer: CustomerId) -> None:
        """Leave a note at the party; its last line holds the key by which the same note is known again."""
        client = self._opened().client
        resource = f"{PARTY},{_id(customer)}"
        like = [["resource", "=", resource], ["message", "like", f"%{note.key}"]]
        there = await client.search_read("ir.note", like, ["message"], limit=MOST)
        if not any(written["message"].endswith(note.key) for written in there):
            values = {"resource": resource, "message": note_text(note)}
            await client.call("model.ir.note.create", [values], repeatable=False)

    async def create_ticket(self, ticket: Ticket, customer: CustomerId | None) -> str:
        """Open a complaint; its reference is the key by which the same ticket is known again.

        Raises:
            ConnectorRefused: the module for complaints is not there, or nobody is known and `unknown_caller` not set.
        """
        tryton = self._opened()
        if tryton.complaint_type is None:
            raise ConnectorRefused(
                f"to open tickets, activate the module sale_complaint, make a type of complaint, and let "
                f"{self._settings.login} read and create complaints"
            )
        same = [["reference", "=", ticket.key]]
        there = await tryton.client.search_read(COMPLAINT, same, CASE_FIELDS, limit=1)
        if not there:
            values = {
                "customer": _id(customer) if customer else await self._unknown_caller(tryton.client),
                "type": tryton.complaint_type,
                "reference": ticket.key,
                "description": f"{ticket.subject}\n\n{ticket.text}",
            }
            await tryton.client.call(f"model.{COMPLAINT}.create", [values], repeatable=False)
            there = await tryton.client.search_read(COMPLAINT, same, CASE_FIELDS, limit=1)
        if not there:
            raise ConnectorRefused("the complaint was made, but cannot be read")
        return cases_from(there)[0].number

    async def _with_address(self, address: str) -> Sequence[Customer]:
        """Every customer with an e-mail address, in capitals or not. Tryton takes its `%` and `_` for any letters."""
        like = [["type", "=", "email"], ["value", "ilike", address]]
        rows = await self._opened().client.search_read(
            PARTY, [["contact_mechanisms", "where", like]], PARTY_FIELDS, limit=MOST
        )
        same = address.casefold()
        return [
            customer_from(row, self._surroundings.country)
            for row in rows
            if any((each["value"] or "").casefold() == same for each in row["contact_mechanisms."])
        ]

    async def _customers(self, domain: Domain) -> Sequence[Customer]:
        rows = await self._opened().client.search_read(PARTY, domain, PARTY_FIELDS, limit=MOST)
        return [customer_from(row, self._surroundings.country) for row in rows]

    async def _of(
        self,
        customer: CustomerId,
        model: str,
        party: str,
        domain: Domain,
        fields: Sequence[str],
        order: Sequence[tuple[str, str]],
    ) -> Sequence[Row]:
        """A party's records of a model."""
        tryton = self._opened()
        if model not in tryton.readable:
            return ()
        return await tryton.client.search_read(
            model, [[party, "=", _id(customer)], *domain], fields, order=order, limit=MOST
        )

    async def _readable(self, client: TrytonClient, version: str) -> frozenset[str]:
        name = "model" if int(version.partition(".")[0]) < 7 else "name"
        domain = [[name, "in", [PARTY, SALE, COMPLAINT, INVOICE, LEDGER]]]
        there = [row[name] for row in await client.search_read("ir.model", domain, [name], limit=10)]
        access = await client.call("model.ir.model.access.get_access", there)
        readable = frozenset(model for model in there if access[model]["read"])
        if PARTY not in readable:
            raise ConnectorRefused(f"the user {self._settings.login} may not read parties; give a group that right")
        for model in set(there) - readable:
            log.warning("tryton.not_readable", model=model, login=self._settings.login)
        return readable

    async def _complaint_type(self, client: TrytonClient) -> int | None:
        """The type of the complaints that we open: the one in the settings, else the first."""
        types = await client.search_read(f"{COMPLAINT}.type", [], ["name"], order=[("id", "ASC")], limit=1000)
        wanted = self._settings.complaint_type
        found = [row["id"] for row in types if wanted in (None, row["name"])]
        if wanted is not None and not found:
            names = ", ".join(row["name"] for row in types)
            raise ConnectorRefused(f"there is no type of complaint '{wanted}'; there are: {names or 'none'}")
        return next(iter(found), None)

    async def _unknown_caller(self, client: TrytonClient) -> int:
        code = self._settings.unknown_caller
        if code is None:
            raise ConnectorRefused(
                "a complaint belongs to a party; set unknown_caller to the code of one for the others"
            )
        parties = await client.search_read(PARTY, [["code", "=", code]], ["id"], limit=1)
        if not parties:
            raise ConnectorRefused(f"unknown_caller: there is no party with the code {code}")
        return int(parties[0]["id"])

    def _opened(self) -> Opened:
        if self._tryton is None:
            raise ConnectorRefused("the connector has not been opened")
        return self._tryton


def note_text(note: ContactNote) -> str:
    """A note as agents read it."""
    span = f"{note.started_at:%Y-%m-%d %H:%M}\N{EN DASH}{note.ended_at:%H:%M} UTC"
    about = " · ".join(part for part in (span, note.direction, note.reason, note.outcome) if part)
    return f"{about}\n{note.text}\n\n{note.key}"


def digits_of(number: PhoneNumber) -> str:
    """A pattern for `like`: what is behind the country code, with anything between the digits."""
    return "".join(f"%{digit}" for digit in phonenumbers.national_significant_number(phonenumbers.parse(number)))


def _id(customer: CustomerId) -> int:
    if not customer.isdecimal():
        raise ConnectorRefused("a customer of another system was asked for")
    return int(customer)
