"""The contracts of Exact Online and AFAS Profit, with a few customers in them whose numbers clerks typed."""

from __future__ import annotations

import base64
import time
from typing import Any

from tests.integrations.rest.contract_server import Ask, Refused, Route, Vendor, names
from tests.integrations.rest.odata_filter import BadFilter, ODataFilter

ANNA = "d0000000-0000-4000-8000-000000000001"
BRAM = "d0000000-0000-4000-8000-000000000002"


class Tokens:
    """Exact's OAuth: each refresh token works once, and not before the access token is nearly over."""

    def __init__(self) -> None:
        self.refresh = "refresh-0"
        self.given = 0
        self.too_early = False

    def give(self, ask: Ask) -> Any:
        """The token endpoint."""
        if (ask.body.get("client_id"), ask.body.get("client_secret")) != ("app", "ex-secret"):
            raise Refused(401, {"error": "invalid_client"})
        if ask.body.get("grant_type") != "refresh_token" or ask.body.get("refresh_token") != self.refresh:
            raise Refused(400, {"error": "invalid_grant"})
        if self.too_early and self.given:
            raise Refused(400, {"error": "access_denied", "error_description": "access_token not expired"})
        self.given += 1
        self.refresh = f"refresh-{self.given}"
        return {"access_token": "stamp", "token_type": "bearer", "expires_in": "600", "refresh_token": self.refresh}


def exact_online(tokens: Tokens | None = None) -> Vendor:
    """Exact's REST API: OData 2 with its own answers, sixty records a page."""
    tokens = tokens or Tokens()
    columns = names("ID Name Phone Email Postcode Code Language Timestamp")
    accounts = [
        _account(ANNA, "Anna de Vries", "06-12345678", "                25", "10"),
        _account(BRAM, "O'Neil BV", "+31 50 312 3456", "                 7", "9"),
    ]
    orders = [
        {"OrderNumber": 101, "Description": "Router", "DeliveryDate": "/Date(1764028800000)/", "DeliveryStatus": 20}
    ]
    owed = [
        {"InvoiceNumber": 5001, "Amount": 121.10, "CurrencyCode": "EUR", "DueDate": "/Date(1735689600000)/"},
        {"InvoiceNumber": 5002, "Amount": 50, "CurrencyCode": "EUR", "DueDate": "/Date(4102444800000)/"},
    ]
    for each in owed:
        each["Description"] = None

    def chosen(records: list[dict[str, Any]], ask: Ask, whose: dict[str, Any], fields: set[str]) -> Any:
        try:
            test = ODataFilter(ask.query["$filter"], fields | set(whose))
        except BadFilter as error:
            raise Refused(400, {"error": {"code": "", "message": {"value": str(error)}}}) from error
        return [each for each in records if test.selects({**each, **whose})]

    def find(ask: Ask) -> Any:
        if not set(ask.query["$select"].split(",")) <= columns:
            raise Refused(400, {"error": {"code": "", "message": {"value": "unknown property"}}})
        return {"d": {"results": chosen(accounts, ask, {}, columns)}}

    def sync(ask: Ask) -> Any:
        changed = sorted(chosen(accounts, ask, {}, columns), key=lambda each: int(each["Timestamp"]))
        skipped = "$skiptoken" in ask.query
        found: dict[str, Any] = {"results": changed[1:] if skipped else changed[:1]}
        if len(changed) > 1 and not skipped:
            asked = ask.query["$filter"].replace(" ", "%20")
            found["__next"] = (
                f"http://{ask.headers['Host']}{ask.path}?$filter={asked}&$select={ask.query['$select']}&$skiptoken=guid'1'"
            ).replace("'", "%27")
        return {"d": found}

    api = "/api/v1/123"
    asked = frozenset({"$top", "$orderby", "$skiptoken"})
    needed = frozenset({"$select", "$filter"})
    order_fields = {"OrderNumber", "DeliveryStatus", "OrderDate"}
    return Vendor(
        recipe="exact_online",
        values={"base_url": "{base}", "division": "123", "client_id": "app"},
        secrets={"client_secret_file": "ex-secret", "refresh_token_file": "refresh-0"},
        key=("Authorization", "Bearer stamp"),
        error=lambda status, message: {"error": {"code": "", "message": {"lang": "", "value": message}}},
        limited=Refused(429, {}, {"X-RateLimit-Minutely-Reset": str(int(time.time() * 1000) + 7_500)}),
        routes=[
            Route("POST", "/api/oauth2/token", tokens.give, open_to_all=True, form=True),
            Route("GET", "/api/v1/current/Me", lambda ask: {"d": {"results": []}}, frozenset({"$select"})),
            Route("GET", f"{api}/crm/Accounts", find, asked, needed),
            Route("GET", f"{api}/sync/CRM/Accounts", sync, asked, needed),
            Route(
                "GET",
                f"{api}/salesorder/SalesOrders",
                lambda ask: {"d": {"results": chosen(orders, ask, {"OrderedBy": ANNA}, order_fields)}},
                asked,
                needed,
            ),
            Route(
                "GET",
                f"{api}/read/financial/ReceivablesList",
                lambda ask: {"d": {"results": chosen(owed, ask, {"AccountId": ANNA}, {"HID"})}},
                asked,
                needed,
            ),
        ],
    )


def _account(id_: str, name: str, phone: str, code: str, stamp: str) -> dict[str, Any]:
    account = {"ID": id_, "Name": name, "Phone": phone, "Email": "info@example.nl", "Postcode": "3511 AB"}
    return {**account, "Code": code, "Language": "NL", "Timestamp": stamp}


AFAS_TOKEN = "<token><version>1</version><data>AF-SECRET</data></token>"


def afas() -> Vendor:
    """Profit's REST services: GetConnectors with their filters."""
    customers = [
        _customer("10001", "Anna de Vries", "06-12345678", "2026-11-20T10:00:00Z"),
        _customer("10002", "Bram", "0031503123456", "2026-11-21T10:00:00Z"),
    ]
    orders = [{"DebtorId": "10001", "OrderNumber": "V-1", "State": "Backorder", "DeliveryDate": "2026-12-01T00:00:00Z"}]
    owed = [
        {
            "DebtorId": "10001",
            "InvoiceNumber": "F-1",
            "OpenAmount": 12.5,
            "Currency": "EUR",
            "DueDate": "2026-01-31T00:00:00Z",
        }
    ]

    def rows(records: list[dict[str, Any]], ask: Ask) -> Any:
        groups = [
            [each.split(",") for each in ask.query.get(name, "").split(";") if each]
            for name in ("filterfieldids", "filtervalues", "operatortypes")
        ]
        if len({tuple(len(part) for part in group) for group in groups}) != 1:
            raise Refused(400, {"errorNumber": 30001, "externalMessage": "filters do not match"})
        if int(ask.query.get("take", "100")) > 500:
            raise Refused(400, {"errorNumber": 30002, "externalMessage": "take"})

        def passes(record: dict[str, Any], names: list[str], values: list[str], operators: list[str]) -> bool:
            for name, value, kind in zip(names, values, operators, strict=True):
                if name not in {*record, "Phone", "Mobile"}:
                    raise Refused(404, {"errorNumber": 30003, "externalMessage": f"no field {name}"})
                has = str(record.get(name) or "")
                if not (has == value if kind == "1" else has >= value):
                    return False
            return True

        found = [
            each
            for each in records
            if not groups[0] or any(passes(each, *group) for group in zip(*groups, strict=True))
        ]
        skip = int(ask.query["skip"])
        return {"skip": skip, "take": 500, "rows": found[skip : skip + int(ask.query["take"])]}

    asked = frozenset({"filterfieldids", "filtervalues", "operatortypes", "orderbyfieldids", "skip", "take"})
    base = "/ProfitRestServices"
    return Vendor(
        recipe="afas",
        values={"base_url": "{base}"},
        secrets={"token_file": AFAS_TOKEN},
        key=("Authorization", "AfasToken " + base64.b64encode(AFAS_TOKEN.encode()).decode()),
        error=lambda status, message: {"errorNumber": 30000, "externalMessage": message},
        routes=[
            Route("GET", f"{base}/profitversion", lambda ask: {"version": "7.1"}),
            Route("GET", f"{base}/connectors/Klantlijn_Klanten", lambda ask: rows(customers, ask), asked),
            Route("GET", f"{base}/connectors/Klantlijn_Orders", lambda ask: rows(orders, ask), asked),
            Route("GET", f"{base}/connectors/Klantlijn_Openstaand", lambda ask: rows(owed, ask), asked),
        ],
    )


def _customer(id_: str, name: str, phone: str, changed: str) -> dict[str, Any]:
    customer = {"DebtorId": id_, "Name": name, "Phone": phone, "Mobile": None, "Email": "a@example.nl"}
    return {**customer, "ZipCode": "3511AB", "HouseNumber": 12, "Modified": changed}
