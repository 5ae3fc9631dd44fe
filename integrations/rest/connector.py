"""The connector of any JSON-over-HTTP system: its settings, and each capability by what the recipe says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from pydantic import Field, ValidationInfo, field_validator

from integrations.rest.asking import Asker
from integrations.rest.client import HttpClient, Manners, base_of
from integrations.rest.course import Course
from integrations.rest.credentials import credentials_of
from integrations.rest.loading import OF_A_FILE, bundled, load, mistakes_in, recipe_path
from integrations.rest.mapping import Mapper, Reading, merged
from integrations.rest.recipe import Question, Recipe, RefreshAuth
from ivr.connectors.connector import Changes, Surroundings
from ivr.connectors.settings import Settings, first_line
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.capability import Capability
from ivr.domain.dossier import Appointment, Case, Fault, Invoice, Order
from ivr.domain.errand import ContactNote, Message, Ticket
from ivr.domain.identity import Identity
from ivr.domain.line import PhoneNumber
from ivr.domain.spelling import spelled
from ivr.errors import ConnectorRefused, InvalidFiles, SetupError
from ivr.yamlfile.problem import did_you_mean

T = TypeVar("T")


class RestSettings(Settings):
    """What `connectors.<name>.settings` may say for `integration: rest`; see this folder's README.md.

    `recipe` is the name of one that comes with Klantlijn, or the path of a file; `values` are what it needs.
    """

    recipe: Annotated[str, Field(min_length=1)]
    values: Mapping[str, str] = Field(default_factory=dict, validate_default=True)
    time_zone: str = "Europe/Amsterdam"
    plain_http: bool = False

    @field_validator("recipe")
    @classmethod
    def _is_there(cls, name: str) -> str:
        if name.endswith((".yaml", ".yml")) or name in bundled():
            return name
        raise ValueError(f"there is no recipe of this name; {did_you_mean(name, bundled())}")

    @field_validator("values")
    @classmethod
    def _are_those_of_the_recipe(cls, values: Mapping[str, str], known: ValidationInfo) -> Mapping[str, str]:
        name = known.data.get("recipe")
        if name in bundled():
            wrong = mistakes_in(values, load(recipe_path(name, Path())))
            if wrong:
                raise ValueError("; ".join(wrong))
        return values

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("there is no such time zone; write such as Europe/Amsterdam") from error
        return name


class RestConnector:
    """One system, as a recipe describes it (`ivr.connectors.connector.ChoosesCapabilities`).

    Raises:
        SetupError: the recipe or the values for it are wrong; the message has every problem.
    """

    def __init__(
        self, settings: RestSettings, surroundings: Surroundings, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._now = now
        self._asker: Asker | None = None
        try:
            self._recipe = load(recipe_path(settings.recipe, surroundings.folder))
        except InvalidFiles as error:
            raise SetupError(f"the recipe has mistakes:\n{error}") from error
        wrong = mistakes_in(settings.values, self._recipe)
        if wrong:
            raise SetupError("; ".join(f"settings.values: {mistake}" for mistake in wrong))
        zone = ZoneInfo(settings.time_zone)
        self._reading = Reading(surroundings.country, zone, lambda: datetime.now(zone).date())

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the recipe says how to do."""
        return self._recipe.capabilities

    async def open(self) -> None:
        """Read the secrets; nothing is asked yet. Raises ConnectorRefused when a file or an address is wrong."""
        await self.close()
        recipe = self._recipe
        constants, secrets = await self._values(recipe)
        base = base_of(str(recipe.base_url.value(constants)), plain_http=self._settings.plain_http)
        manners = Manners(recipe.error_code, recipe.overloaded, recipe.limit_resets)
        client = HttpClient(self._surroundings, manners, self._now)
        try:
            credentials = await credentials_of(
                recipe.auth,
                {**constants, **secrets},
                client,
                self._surroundings.folder,
                lambda text: base_of(text, plain_http=self._settings.plain_http),
            )
        except BaseException:
            await client.close()
            raise
        self._asker = Asker(client, credentials, base, recipe.headers, constants)

    async def close(self) -> None:
        """Close every connection."""
        asker, self._asker = self._asker, None
        if asker:
            await asker.close()

    async def check(self) -> None:
        """Ask what the recipe has for a sign of life. Raises ConnectorError."""
        await self._opened().do((self._recipe.check,), {})

    async def find_caller(self, number: PhoneNumber) -> Sequence[Customer]:
        """Every customer with this number, as far as the system selects by it. Raises ConnectorError."""
        question = self._said(self._recipe.find_caller)
        context = {
            "number": number,
            "numbers": list(spelled(number, question.spellings)),
            "significant": phonenumbers.national_significant_number(phonenumbers.parse(number)),
        }
        return merged(self._customers(question).all_of(await self._opened().records(question, context)))

    async def find_customer(self, identity: Identity) -> Sequence[Customer]:
        """Every customer with this identity; empty for a kind that the recipe does not ask for."""
        question = self._recipe.find_customer.get(identity.kind)
        if question is None:
            return []
        records = await self._opened().records(question, {"value": identity.value})
        return merged(self._customers(question).all_of(records))

    async def changes(self, since: str | None, limit: int) -> Changes:
        """One page of what changed after a cursor of an earlier page; None: of everything."""
        question = self._said(self._recipe.changes)
        course = Course.read(since)
        page = await self._opened().page(question, {"since": course.since, "limit": limit}, course.at)
        found = question.gone.find(page.answer) if question.gone and page.answer is not None else None
        gone = {str(each) for each in found or []}
        customers = merged(self._customers(question).all_of(page.records))
        return Changes(
            customers=[customer for customer in customers if customer.id not in gone],
            cursor=course.after(question, page).written,
            more=page.more is not None,
            gone=[CustomerId(each) for each in sorted(gone)],
        )

    async def orders(self, customer: CustomerId) -> Sequence[Order]:
        """A customer's orders. Raises ConnectorError, as do the following."""
        return await self._dossier(self._recipe.orders, Order, customer)

    async def invoices(self, customer: CustomerId) -> Sequence[Invoice]:
        """A customer's invoices; one that is open past its day is overdue."""
        return await self._dossier(self._recipe.invoices, Invoice, customer)

    async def cases(self, customer: CustomerId) -> Sequence[Case]:
        """A customer's cases."""
        return await self._dossier(self._recipe.cases, Case, customer)

    async def faults(self, customer: CustomerId) -> Sequence[Fault]:
        """The faults at a customer's."""
        return await self._dossier(self._recipe.faults, Fault, customer)

    async def appointments(self, customer: CustomerId) -> Sequence[Appointment]:
        """The visits to a customer."""
        return await self._dossier(self._recipe.appointments, Appointment, customer)

    async def log_contact(self, note: ContactNote, customer: CustomerId) -> None:
        """Write a contact in a customer's record."""
        await self._opened().do(self._said(self._recipe.log_contact).requests, {"note": note, "customer": customer})

    async def create_ticket(self, ticket: Ticket, customer: CustomerId | None) -> str:
        """Open a case; returns its number."""
        deed = self._said(self._recipe.create_ticket)
        answer = await self._opened().do(deed.requests, {"ticket": ticket, "customer": customer})
        number = deed.number.find(answer)
        if not isinstance(number, str | int) or isinstance(number, bool):
            raise ConnectorRefused("the ticket may have been made, but the answer has no number of it")
        return str(number)

    async def send_message(self, message: Message) -> None:
        """Send a message, if the recipe says how to send one of its kind."""
        deed = self._said(self._recipe.send_message)
        if message.kind not in deed.kinds:
            raise ConnectorRefused(f"the recipe '{self._recipe.title}' sends no {message.kind}")
        await self._opened().do(deed.requests, {"message": message})

    async def _dossier(self, question: Question | None, kind: type[T], customer: CustomerId) -> Sequence[T]:
        asked = self._said(question)
        records = await self._opened().records(asked, {"customer": customer})
        return Mapper(kind, asked.fields, self._reading).all_of(records)

    def _customers(self, question: Question) -> Mapper[Customer]:
        return Mapper(Customer, {**self._recipe.customer, **question.fields}, self._reading)

    def _opened(self) -> Asker:
        if self._asker is None:
            raise ConnectorRefused("the connector has not been opened")
        return self._asker

    def _said(self, part: T | None) -> T:
        if part is None:
            raise ConnectorRefused(f"the recipe '{self._recipe.title}' does not say how")
        return part

    async def _values(self, recipe: Recipe) -> tuple[dict[str, Any], dict[str, Any]]:
        """The values that templates may name, and the secrets, which only `auth` may."""
        given = {name: self._settings.values.get(name, value.default or "") for name, value in recipe.values.items()}
        kept = recipe.auth.keep if isinstance(recipe.auth, RefreshAuth) else None
        secrets: dict[str, Any] = {kept: given[kept]} if kept else {}
        for name, file in given.items():
            if name.endswith(OF_A_FILE) and name != kept:
                secret = await first_line(self._surroundings, self._surroundings.folder / file) if file else ""
                secrets[name.removesuffix(OF_A_FILE)] = secret
        return {name: value for name, value in given.items() if not name.endswith(OF_A_FILE)}, secrets
