"""Fills a new Tryton with a company, products, people, orders and invoices; runs in Tryton's own environment.

    TRYTOND_CONFIG=trytond.conf python tryton_seed.py DATABASE < people.json

The people are those of `deploy/crm/people.py`. It works by Tryton's own client library, and makes
everything as a clerk would: what is confirmed is confirmed by its button. It also makes
the user and the group that `integrations/tryton/README.md` tells an administrator to make.
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from proteus import Model, config
from trytond import __version__
from trytond.exceptions import UserWarning
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts
from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
from trytond.modules.company.tests.tools import create_company, get_company
from trytond.modules.currency.tests.tools import get_currency

TODAY = date.today()  # noqa: DTZ011 - the server's own day, as its clerks see it
AT_ONCE = 1000
DAYS_TO_PAY = 60
OLD = int(__version__.partition(".")[0]) < 7
"""Whether it is a Tryton of before 2023, which names some things otherwise."""

READ, READ_AND_CREATE = ("read",), ("read", "create")
RIGHTS = {
    "sale.sale": READ,
    "sale.line": READ,
    "stock.shipment.out": READ,
    "account.invoice": READ,
    "account.move.line": READ,
    "sale.complaint": READ_AND_CREATE,
}
"""What the connector's group may do; parties and notes are open to every user of Tryton."""


def main(database: str) -> None:
    """Fill `database` with what stands on standard input."""
    told = json.load(sys.stdin)
    configured = config.set_trytond(database, user="admin")
    company = set_up_company(configured)
    make_user(told["login"], told["password"])
    make_complaint_types()
    parties = make_parties(told["people"], configured.context)
    product, term = make_product(company), make_term()
    buyers = [person for person in told["people"] if person["purchase"]]
    for person in sorted(buyers, key=lambda buyer: buyer["invoice_due_in"] or 0):  # invoices go by date
        sell(Model.get("party.party")(parties[person["code"]]), person, product, term)


def set_up_company(configured: Any) -> Any:
    """A company in euros with a chart of accounts and its fiscal years, and the admin at work in it."""
    create_company(currency=get_currency("EUR"))
    company = get_company()
    admin = Model.get("res.user")(configured.user)
    admin.companies.append(company)
    admin.company = company
    admin.save()
    configured._context = Model.get("res.user").get_preferences(True, {})
    create_chart(company)
    year = create_fiscalyear(company)
    year.start_date, year.end_date = date(TODAY.year - 1, 1, 1), date(TODAY.year + 1, 12, 31)
    set_fiscalyear_invoice_sequences(year).click("create_period")
    return company


def make_user(login: str, password: str) -> None:
    """The connector's user, who may do what RIGHTS says."""
    Access, Group, User = (Model.get(name) for name in ("ir.model.access", "res.group", "res.user"))
    group = Group(name="Klantlijn")
    group.save()
    for name, allowed in RIGHTS.items():
        access = Access(group=group, description="Klantlijn")
        access.model = model_called(name) if OLD else name
        for right in ("read", "write", "create", "delete"):
            setattr(access, f"perm_{right}", right in allowed)
        access.save()
    user = User(name="Klantlijn", login=login, password=password)
    user.groups.append(group)
    company = get_company()
    user.companies.append(company)
    user.company = company
    user.save()


def make_complaint_types() -> None:
    """Two kinds of complaints."""
    ComplaintType = Model.get("sale.complaint.type")
    for each in ("Levering", "Telefoon"):
        ComplaintType(name=each, origin=model_called("sale.sale")).save()


def model_called(name: str) -> Any:
    """The record that stands for a model."""
    (found,) = Model.get("ir.model").find([("model" if OLD else "name", "=", name)])
    return found


def make_parties(people: list[dict[str, Any]], context: dict[str, Any]) -> dict[str, int]:
    """Every person as a party; returns their ids by code."""
    Party = Model.get("party.party")
    languages = {each.code: each.id for each in Model.get("ir.lang").find([("code", "in", ["en", "nl"])])}
    Country = Model.get("country.country")
    for code, name in (("NL", "Nederland"), ("BE", "België")):
        if not Country.find([("code", "=", code)]):
            Country(code=code, name=name).save()
    countries = {each.code: each.id for each in Country.find([])}
    ids: dict[str, int] = {}
    for start in range(0, len(people), AT_ONCE):
        part = people[start : start + AT_ONCE]
        made = Party._proxy.create([party(each, languages, countries) for each in part], context)
        ids |= zip((each["code"] for each in part), made, strict=True)
    return ids


def party(person: dict[str, Any], languages: dict[str, int], countries: dict[str, int]) -> dict[str, Any]:
    """What Tryton is to make of a person."""
    address = {"postal_code": person["postcode"], "city": person["city"], "country": countries[person["country"]]}
    mechanisms = [{"type": "phone", "value": number} for number in person["numbers"]]
    if person["email"]:
        mechanisms.append({"type": "email", "value": person["email"]})
    return {
        "name": person["name"],
        "code": person["code"],
        "lang": languages[person["language"]],
        "addresses": [("create", [address])],
        "contact_mechanisms": [("create", mechanisms)],
    }


def make_product(company: Any) -> Any:
    """A modem, to be sold and sent."""
    accounts = get_accounts(company)
    category = Model.get("product.category")(name="Glasvezel", accounting=True)
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.save()
    (unit,) = Model.get("product.uom").find([("symbol", "=", "u")])
    template = Model.get("product.template")(
        name="Modem", default_uom=unit, type="goods", salable=True, list_price=Decimal("49.95"),
        account_category=category,
    )  # fmt: skip
    template.save()
    return template.products[0]


def make_term() -> Any:
    """Payment within DAYS_TO_PAY."""
    term = Model.get("account.invoice.payment_term")(name="Later")
    term.lines.new(type="remainder").relativedeltas.new(days=DAYS_TO_PAY)
    term.save()
    return term


def sell(party: Any, person: dict[str, Any], product: Any, term: Any) -> None:
    """Sell a modem: offered, ordered, ordered and late, on its way, or delivered; with an invoice if one is wanted."""
    purchase, due_in = person["purchase"], person["invoice_due_in"]
    sale = Model.get("sale.sale")(party=party, payment_term=term)
    sale.invoice_method = "manual" if due_in is None else "order"
    line = sale.lines.new()
    line.product = product
    line.quantity = 1.0
    line.unit_price = Decimal("49.95")
    sale.sale_date = TODAY - timedelta(days=14)
    sale.shipping_date = TODAY + timedelta(days=-3 if purchase == "late" else 60)
    sale.click("quote")
    if purchase == "offered":
        return
    sale.click("confirm")
    if sale.state == "confirmed":
        sale.click("process")
    for invoice in sale.invoices:
        invoice.invoice_date = TODAY + timedelta(days=due_in - DAYS_TO_PAY)
        invoice.save()
        post(invoice)
    if purchase in ("left", "delivered"):
        (shipment,) = sale.shipments
        steps = ["assign_force", "pick", "pack", *(["done"] if OLD else ["ship", "do"])]
        for step in steps[: -1 if purchase == "left" else None]:
            shipment.click(step)


def post(invoice: Any) -> None:
    """Post an invoice, and say yes when Tryton wonders that it is overdue at once."""
    try:
        invoice.click("post")
    except UserWarning as warning:
        Model.get("res.user.warning")(user=config.get_config().user, name=warning.name).save()
        invoice.click("post")


if __name__ == "__main__":
    main(sys.argv[1])
