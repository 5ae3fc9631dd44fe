"""Fills a new Odoo with products, people, orders and invoices; runs inside `odoo shell`, which gives it `env`.

`PEOPLE` in the environment names the file that says whom (`deploy/crm/people.py`), `KEYS` the file
for the users' API keys. What is confirmed is confirmed as a clerk would. It also makes the
user that `integrations/odoo/README.md` tells an administrator to make.
"""

from __future__ import annotations

import json
import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

TODAY = date.today()  # noqa: DTZ011 - the server's own day, as its clerks see it
AT_ONCE = 1000
GROUPS = (
    "base.group_user",
    "base.group_partner_manager",
    "sales_team.group_sale_salesman_all_leads",
    "account.group_account_readonly",
    "project.group_project_user",
)
"""What the connector's user may do: also in the page of the integration."""


def main(env: Any) -> None:
    """Fill the database of `env`."""
    told = json.loads(Path(os.environ["PEOPLE"]).read_text())
    env = env(context={**env.context, "tracking_disable": True, "mail_create_nosubscribe": True})
    euro = env.ref("base.EUR")
    euro.active = True
    env.company.currency_id = euro
    env["product.pricelist"].search([]).currency_id = euro
    user = make_user(env, told["login"], told["password"])
    env["project.project"].create({"name": told["project"]})
    for language in ("nl_NL", "en_US"):
        env["res.lang"]._activate_lang(language)
    partners = make_partners(env, told["people"])
    product = env["product.product"].create(
        {"name": "Modem", "type": "consu", "is_storable": True, "list_price": 49.95}
    )
    product.taxes_id = False
    product.invoice_policy = "order"
    warehouse = env["stock.warehouse"].search([], limit=1)
    env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, 1_000_000)
    for person in told["people"]:
        if person["purchase"]:
            sell(env, partners[person["code"]], person, product)
    env.cr.commit()
    keys = {"klantlijn": key_of(env, user), "admin": key_of(env, env.ref("base.user_admin"))}
    env.cr.commit()
    Path(os.environ["KEYS"]).write_text(json.dumps(keys))


def make_user(env: Any, login: str, password: str) -> Any:
    """The connector's user, in GROUPS and no others."""
    groups = [env.ref(name).id for name in GROUPS]
    values = {"name": "Klantlijn", "login": login, "password": password, "group_ids": [(6, 0, groups)]}
    return env["res.users"].create(values)


def key_of(env: Any, user: Any) -> str:
    """A new API key of a user, without an end."""
    made: str = env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "Klantlijn", None)
    return made


def make_partners(env: Any, people: list[dict[str, Any]]) -> dict[str, Any]:
    """Every person as a partner; returns them by code."""
    countries = {code: env.ref(f"base.{code.lower()}").id for code in ("NL", "BE")}
    partners: dict[str, Any] = {}
    for start in range(0, len(people), AT_ONCE):
        part = people[start : start + AT_ONCE]
        made = env["res.partner"].create(
            [
                {
                    "name": each["name"],
                    "ref": each["code"],
                    "lang": {"nl": "nl_NL", "en": "en_US"}[each["language"]],
                    "phone": each["numbers"][0],
                    "email": each["email"],
                    "street": "Kerkstraat 12 A",
                    "zip": each["postcode"],
                    "city": each["city"],
                    "country_id": countries[each["country"]],
                    "is_company": each["is_company"],
                }
                for each in part
            ]
        )
        partners |= zip((each["code"] for each in part), made, strict=True)
        env.cr.commit()
    for each in people:
        if each["company"]:
            partners[each["code"]].parent_id = partners[each["company"]]
    return partners


def sell(env: Any, partner: Any, person: dict[str, Any], product: Any) -> None:
    """Sell two modems: offered, ordered, ordered and late, one on its way, or delivered; with an invoice if wanted."""
    purchase, due_in = person["purchase"], person["invoice_due_in"]
    order = env["sale.order"].create(
        {
            "partner_id": partner.id,
            "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 2, "price_unit": 49.95})],
        }
    )
    if purchase == "offered":
        order.action_quotation_sent()
        return
    order.action_confirm()
    order.commitment_date = datetime.combine(TODAY, datetime.min.time()) + timedelta(
        days=-3 if purchase == "late" else 60
    )
    if due_in is not None:
        invoice = order._create_invoices()
        invoice.invoice_date = TODAY - timedelta(days=10)
        invoice.invoice_payment_term_id = False
        invoice.invoice_date_due = TODAY + timedelta(days=due_in)
        invoice.action_post()
    if purchase in ("left", "delivered"):
        picking = order.picking_ids
        picking.move_ids.quantity = 1 if purchase == "left" else 2
        picking.move_ids.picked = True
        picking.with_context(skip_backorder=True, skip_sms=True).button_validate()


main(globals()["env"])
