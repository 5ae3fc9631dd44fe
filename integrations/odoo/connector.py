"""The connector of Odoo: callers, what they may call about, and what is written in their record."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import structlog

from integrations.odoo.changes import PARTNER, Following
from integrations.odoo.client import SINCE_SPECIFICATIONS, Domain, OdooClient
from integrations.odoo.mapping import (
    CASE_FIELDS,
    INVOICE_FIELDS,
    ORDER_SPECIFICATION,
    cases_from,
    customer_from,
    customers_from,
    invoices_from,
    orders_from,
    partner_specification,
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

ORDER, INVOICE, LEAD, TASK = "sale.order", "account.move", "crm.lead", "project.task"

Fields = frozenset[str]


class OdooSettings(ServiceSettings):
    """What `connectors.<name>.settings` may say for `integration: odoo`; see this folder's README.md.

    With a `project`, tickets are its tasks; without one they are leads.
    """

    database: str
    login: str | None = None
    key_file: Path
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """An Odoo that lets us in. `fields` are those of each model that is there and that the user may read."""

    client: OdooClient
    fields: Mapping[str, Fields]
    partner: Mapping[str, Any]
    project: int | None


class OdooConnector:
    """Every capability of the manifest, each in one round trip; a note takes two.

    Of an app that is not installed, or that the user may not read, there is nothing.
    """

    def __init__(self, settings: OdooSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._odoo: Opened | None = None

    async def open(self) -> None:
        """Find out by which door Odoo is asked, and what is there.

        Raises:
            ConnectorRefused: Odoo does not let us in, or a setting names what it has not.
            ConnectorUnavailable: it cannot be reached.
        """
        await self.close()
        key = await first_line(self._surroundings, self._settings.key_file)
        url = service_url(self._settings.url, plain_http=self._settings.plain_http)
        client = OdooClient(url, self._settings.database, self._settings.login, key, self._surroundings)
        try:
            await client.open()
            models = (PARTNER, ORDER, INVOICE, TASK if self._settings.project else LEAD)
            fields = dict(zip(models, await asyncio.gather(*(_fields(client, model) for model in models)), strict=True))
            if not fields[PARTNER]:
                raise ConnectorRefused("the key's user may not read contacts; see the page of this integration")
            project = await self._project(client) if self._settings.project else None
        except BaseException:
            await client.close()
            raise
        self._odoo = Opened(client, fields, partner_specification(fields[PARTNER]), project)

    async def close(self) -> None:
        """Close every connection."""
        odoo, self._odoo = self._odoo, None
        if odoo:
            await odoo.client.close()

    async def check(self) -> None:
        """Look for a contact that there is not. Raises ConnectorError."""
        await self._opened().client.search_read(PARTNER, [["id", "=", 0]], ["id"], limit=1)

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every contact with the number, as Odoo reads it or however it was typed."""
        there = self._opened().fields[PARTNER]
        read = [["phone_sanitized", "=", number]] if "phone_sanitized" in there else []
        # Of two numbers Odoo reads the first one only.
        others = [field for field in ("phone", "mobile") if field in there] if not read or "mobile" in there else []
        typed = [[field, "in", spelled(number, Spelling)] for field in others]
        partners = await self._partners(_any_of([*read, *typed]))
        return customers_from(partners, number, self._surroundings.country)

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """Every contact with this number, e-mail address or reference."""
        match identity.kind:
            case IdentityKind.PHONE:
                return await self.find_caller(PhoneNumber(identity.value))
            case IdentityKind.CUSTOMER_NUMBER:
                domain = [["ref", "=", identity.value]]
            case IdentityKind.EMAIL:
                domain = [["email_normalized", "=", identity.value.strip().lower()]]
            case _:
                return ()
        return [customer_from(row, self._surroundings.country) for row in await self._partners(domain)]

    async def changes(self, since: str | None, limit: int) -> Changes:
        """A page of contacts that were written."""
        odoo = self._opened()
        return await Following(odoo.client, odoo.partner, self._surroundings.country).page(since, limit)

    async def orders(self, customer: CustomerId) -> Sequence[Order]:
        """Confirmed orders that are to be delivered, and those on which something happened lately."""
        odoo = self._opened()
        fields = odoo.fields[ORDER]
        if not fields:
            return ()
        lately: list[Any] = [["write_date", ">", f"{datetime.now(UTC) - RECENTLY:%Y-%m-%d %H:%M:%S}"]]
        if "delivery_status" in fields:
            lately.append(["delivery_status", "in", ["pending", "started", "partial"]])
        id_ = _id(customer)
        whose = _any_of([["partner_id", "child_of", id_], ["partner_shipping_id", "=", id_]])
        rows = await odoo.client.web_read(
            ORDER,
            ["&", "&", ["state", "in", ["sale", "done"]], *whose, *_any_of(lately)],
            {name: asked for name, asked in ORDER_SPECIFICATION.items() if name in fields},
            limit=MOST,
            order="date_order desc, id desc",
        )
        return orders_from(rows, datetime.now(UTC).date())

    async def invoices(self, customer: CustomerId) -> Sequence[Invoice]:
        """Posted invoices that were not paid, or only in part."""
        odoo = self._opened()
        if not odoo.fields[INVOICE]:
            return ()
        unpaid = [["payment_state", "in", ["not_paid", "partial"]], ["amount_residual", ">", 0]]
        domain = [
            ["partner_id", "child_of", _id(customer)],
            ["move_type", "=", "out_invoice"],
            ["state", "=", "posted"],
            *unpaid,
        ]
        order = "invoice_date_due, id"
        rows = await odoo.client.search_read(INVOICE, domain, INVOICE_FIELDS, limit=MOST, order=order)
        return invoices_from(rows, datetime.now(UTC).date())

    async def cases(self, customer: CustomerId) -> Sequence[Case]:
        """Tasks of the project that are not closed, or leads that are neither won nor lost."""
        odoo = self._opened()
        model = TASK if self._settings.project else LEAD
        fields = odoo.fields[model]
        if not fields:
            return ()
        whose: Domain = [["partner_id", "child_of", _id(customer)]]
        if model == TASK:
            still_open = ["is_closed", "=", False] if "is_closed" in fields else ["stage_id.fold", "=", False]
            whose = [["project_id", "=", odoo.project], *whose]
        else:
            still_open = ["won_status", "=", "pending"] if "won_status" in fields else ["probability", "<", 100]
        order = "create_date desc, id desc"
        return cases_from(
            await odoo.client.search_read(model, [*whose, still_open], CASE_FIELDS, limit=MOST, order=order)
        )

    async def log_contact(self, note: ContactNote, customer: CustomerId) -> None:
        """Leave an internal note at the contact, under a message id by which the same note is known again."""
        client, id_ = self._opened().client, _id(customer)
        message = f"<{_word(note.key)}@klantlijn>"
        there = [["message_id", "=", message], ["model", "=", PARTNER], ["res_id", "=", id_]]
        if await client.search_read("mail.message", there, ["id"], limit=1):
            return
        as_html = {"body_is_html": True} if client.version >= SINCE_SPECIFICATIONS else {}
        await client.call(
            PARTNER, "message_post", repeatable=False, ids=[id_], body=note_html(note), message_id=message,
            message_type="comment", subtype_xmlid="mail.mt_note", **as_html,
        )  # fmt: skip

    async def create_ticket(self, ticket: Ticket, customer: CustomerId | None) -> str:
        """Open a task or a lead, under an external id: sent twice it is one.

        Raises:
            ConnectorRefused: the app is not there, or Odoo does not accept it.
        """
        odoo = self._opened()
        model = TASK if self._settings.project else LEAD
        if not odoo.fields[model]:
            raise ConnectorRefused(f"to open tickets, the key's user must be allowed to read and create {model}")
        values = {
            "id": f"klantlijn.{_word(ticket.key)}",
            "name": ticket.subject,
            "description": _paragraph(ticket.text),
            "partner_id/.id": str(_id(customer)) if customer else "",
        }
        if model == TASK:
            values["project_id/.id"] = str(odoo.project)
        else:
            values["user_id/.id"] = ""  # nobody's until somebody takes it
        # What Odoo imports under an external id that it knows is the same record again.
        made = await odoo.client.call(model, "load", fields=[*values], data=[[*values.values()]])
        ids = made.get("ids") if isinstance(made, dict) else None
        if not ids:
            raise ConnectorRefused(f"Odoo did not accept a {model}")
        return str(ids[0])

    async def _partners(self, domain: Domain) -> Sequence[Mapping[str, Any]]:
        odoo = self._opened()
        return await odoo.client.web_read(PARTNER, domain, odoo.partner, limit=MOST, order="id")

    async def _project(self, client: OdooClient) -> int:
        name = self._settings.project
        found = await client.search_read("project.project", [["name", "=", name]], ["id"], limit=2)
        if len(found) != 1:
            raise ConnectorRefused(f"there is {'no' if not found else 'more than one'} project '{name}'")
        return int(found[0]["id"])

    def _opened(self) -> Opened:
        if self._odoo is None:
            raise ConnectorRefused("the connector has not been opened")
        return self._odoo


async def _fields(client: OdooClient, model: str) -> Fields:
    """The fields of a model; none when it is not there, or may not be read."""
    try:
        await client.search_read(model, [["id", "=", 0]], ["id"], limit=1)
        return frozenset(await client.call(model, "fields_get", attributes=["type"]))
    except ConnectorRefused as error:
        log.warning("odoo.not_readable", model=model, error=str(error))
        return frozenset()


def note_html(note: ContactNote) -> str:
    """A note as agents read it."""
    span = f"{note.started_at:%Y-%m-%d %H:%M}\N{EN DASH}{note.ended_at:%H:%M} UTC"
    about = " · ".join(part for part in (span, note.direction, note.reason, note.outcome) if part)
    return f"<p>{escape(about)}</p>{_paragraph(note.text)}"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text).replace(chr(10), '<br/>')}</p>"


def _any_of(terms: Sequence[Any]) -> Domain:
    """A domain of which one term is enough."""
    return [*(["|"] * (len(terms) - 1)), *terms]


def _id(customer: CustomerId) -> int:
    if not customer.isdecimal():
        raise ConnectorRefused("a customer of another system was asked for")
    return int(customer)


def _word(key: str) -> str:
    """A key without what Odoo's ids may not hold."""
    return re.sub(r"[^A-Za-z0-9-]", "_", key)
