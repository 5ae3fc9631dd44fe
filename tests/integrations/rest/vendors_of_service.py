"""The contracts of Zendesk, Freshdesk and Open Klant, with a few people in them whose numbers clerks typed."""

from __future__ import annotations

import base64
import re
from typing import Any

from tests.integrations.rest.contract_server import NUMBER, TRUTH, Ask, Refused, Route, Vendor, listed, shape


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def zendesk() -> Vendor:
    """Zendesk's Search, Incremental Exports and Tickets."""
    users = [
        _user(361, "Anna de Vries", "+31 (6) 1234.5678", "anna@example.nl"),
        _user(362, "Bram", "050-3123456", "bram@example.nl"),
        {**_user(363, "Gone", "+31612345678", "gone@example.nl"), "active": False},
    ]
    tickets = [
        {"id": 35436, "status": "pending", "subject": "Help", "created_at": "2026-11-19T08:00:00Z"},
        {"id": 35000, "status": "closed", "subject": "Old", "created_at": "2026-10-19T08:00:00Z"},
    ]
    made: dict[str, int] = {}

    def search(ask: Ask) -> Any:
        said = re.fullmatch(r'role:end-user (?:phone:\*(\d+)|email:"([^"]*)")', ask.query["query"])
        if not said:
            raise Refused(422, {"error": "invalid", "description": "Invalid search"})
        tail, email = said.groups()
        found = [
            each
            for each in users
            if (tail and re.sub(r"\D", "", str(each["phone"])).endswith(tail)) or (email and each["email"] == email)
        ]
        return {"count": len(found), "results": [{**each, "result_type": "user"} for each in found]}

    def export(ask: Ask) -> Any:
        if ("start_time" in ask.query) == ("cursor" in ask.query):
            raise Refused(400, {"error": "InvalidParameter", "description": "start_time or cursor"})
        rest = {"first": users[2:], "second": []}.get(ask.query.get("cursor", ""), users[:2])
        after = {"first": "second", "second": "second"}.get(ask.query.get("cursor", ""), "first")
        return {"users": rest, "after_cursor": after, "end_of_stream": after == "second"}

    def make(ask: Ask) -> Any:
        number = made.setdefault(ask.headers["Idempotency-Key"], 35500 + len(made))
        return {"ticket": {"id": number}}

    ticket = shape(
        "subject comment",
        "requester_id external_id tags status",
        comment=shape("body public", public=TRUTH),
        requester_id=NUMBER,
        tags=listed({"type": "string"}),
    )
    return Vendor(
        recipe="zendesk",
        values={"base_url": "{base}", "user": "agent@example.nl"},
        secrets={"token_file": "zd-secret"},
        key=("Authorization", _basic("agent@example.nl/token", "zd-secret")),
        error=lambda status, message: {"error": "InvalidEndpoint", "description": message},
        limited=Refused(429, {"description": "Rate limit"}, {"Retry-After": "7"}),
        routes=[
            Route("GET", "/api/v2/users/me.json", lambda ask: {"user": {"id": 1}}),
            Route("GET", "/api/v2/search.json", search, needs=frozenset({"query"})),
            Route(
                "GET", "/api/v2/incremental/users/cursor.json", export, frozenset({"start_time", "cursor", "per_page"})
            ),
            Route(
                "GET",
                r"/api/v2/users/(\d+)/tickets/requested.json",
                lambda ask: {"tickets": tickets if ask.parts == ("361",) else []},
                frozenset({"sort_by", "sort_order", "per_page"}),
            ),
            Route(
                "POST",
                "/api/v2/tickets.json",
                make,
                headers={"Idempotency-Key": ".+"},
                body=shape("ticket", ticket=ticket),
            ),
        ],
    )


def _user(id_: int, name: str, phone: str, email: str) -> dict[str, Any]:
    person = {"id": id_, "name": name, "phone": phone, "email": email, "role": "end-user", "active": True}
    return {**person, "locale": "nl-NL"}


def freshdesk() -> Vendor:
    """Freshdesk's API v2: contacts and tickets."""
    contacts = [
        {"id": 11, "name": "Anna de Vries", "phone": None, "mobile": "06 12345678", "email": "anna@example.nl"},
        {"id": 12, "name": "Bram", "phone": "+31503123456", "mobile": None, "email": "bram@example.nl"},
    ]
    for place, each in enumerate(contacts):
        each.update(language="nl", updated_at=f"2026-11-2{place}T10:00:00Z", active=True)
    tickets = [
        {"id": 1, "status": 3, "subject": "Help", "created_at": "2026-11-19T08:00:00Z"},
        {"id": 2, "status": 5, "subject": "Old", "created_at": "2026-10-19T08:00:00Z"},
        {"id": 3, "status": 9, "subject": "Own", "created_at": "2026-10-18T08:00:00Z"},
    ]

    def search(ask: Ask) -> Any:
        said = re.fullmatch(r'"(.+)"', ask.query["query"], re.DOTALL)
        if not said or len(ask.query["query"]) > 512:
            raise Refused(
                400, {"description": "Validation failed", "errors": [{"field": "query", "code": "invalid_value"}]}
            )
        clauses = [re.fullmatch(r"(phone|mobile):'([^'\"]*)'", each.strip()) for each in re.split(r"\bOR\b", said[1])]
        if not all(clauses):
            raise Refused(
                400, {"description": "Validation failed", "errors": [{"field": "query", "code": "invalid_value"}]}
            )
        hits = [each for each in contacts if any(clause and each[clause[1]] == clause[2] for clause in clauses)]
        return {"total": len(hits), "results": hits}

    def listing(ask: Ask) -> Any:
        since, page = ask.query.get("_updated_since", ""), int(ask.query.get("page", "1"))
        found = [each for each in contacts if str(each["updated_at"]) >= since]
        if "email" in ask.query:
            found = [each for each in contacts if each["email"] == ask.query["email"]]
        return found if page == 1 else []

    ticket = shape(
        "subject description status priority source",
        "requester_id unique_external_id name tags",
        status=NUMBER,
        priority=NUMBER,
        source=NUMBER,
        requester_id=NUMBER,
        tags=listed({"type": "string"}),
    )
    ticket["anyOf"] = [{"required": ["requester_id"]}, {"required": ["unique_external_id", "name"]}]
    return Vendor(
        recipe="freshdesk",
        values={"base_url": "{base}"},
        secrets={"key_file": "fd-secret"},
        key=("Authorization", _basic("fd-secret", "X")),
        error=lambda status, message: {"code": "invalid_credentials", "message": message},
        limited=Refused(429, {"message": "You have exceeded the limit"}, {"Retry-After": "7"}),
        routes=[
            Route("GET", "/api/v2/agents/me", lambda ask: {"id": 5}),
            Route("GET", "/api/v2/search/contacts", search, frozenset({"page"}), frozenset({"query"})),
            Route("GET", "/api/v2/contacts", listing, frozenset({"email", "_updated_since", "page", "per_page"})),
            Route(
                "GET",
                "/api/v2/tickets",
                lambda ask: tickets if ask.query["requester_id"] == "11" else [],
                frozenset({"order_by", "order_type", "per_page"}),
                frozenset({"requester_id", "updated_since"}),
            ),
            Route("POST", "/api/v2/tickets", lambda ask: {"id": 4}, body=ticket),
        ],
    )


ANNA = "b0000000-0000-4000-8000-000000000001"
BRAM = "b0000000-0000-4000-8000-000000000002"
SECRET = "b0000000-0000-4000-8000-000000000003"


def open_klant() -> Vendor:
    """Klantinteracties 0.9.0: the queries and bodies that its OpenAPI file allows."""
    addresses = [
        ("telefoonnummer", "0612345678", ANNA),
        ("telefoonnummer", "+31612345678", ANNA),
        ("email", "anna@example.nl", ANNA),
        ("telefoonnummer", "0031503123456", BRAM),
        ("telefoonnummer", "0205550000", SECRET),
        ("telefoonnummer", "0612345678", None),
    ]
    names = {ANNA: "Anna de Vries", BRAM: "Bram BV", SECRET: "Hidden"}

    def found(ask: Ask) -> Any:
        kind, exact, part = (ask.query.get(name) for name in ("soortDigitaalAdres", "adres", "adres__icontains"))
        hits = [
            {"adres": text, "soortDigitaalAdres": sort, "verstrektDoorPartij": {"uuid": whose} if whose else None}
            for sort, text, whose in addresses
            if sort == kind and (exact is None or text == exact) and (part is None or part in text)
        ]
        return {"count": len(hits), "next": None, "previous": None, "results": hits}

    def party(uuid: str, ask: Ask) -> Any:
        if uuid not in names:
            raise Refused(404, {"code": "not_found"})
        own = [{"adres": text, "soortDigitaalAdres": sort} for sort, text, whose in addresses if whose == uuid]
        identity = {"naam": names[uuid]} if uuid == BRAM else {"contactnaam": None, "volledigeNaam": names[uuid]}
        return {
            "uuid": uuid,
            "nummer": "0000000001",
            "voorkeurstaal": "nld",
            "indicatieActief": True,
            "indicatieGeheimhouding": uuid == SECRET,
            "bezoekadres": {"postcode": "3511AB", "huisnummer": 12, "huisnummertoevoeging": "A"},
            "partijIdentificatie": identity,
            **({"_expand": {"digitaleAdressen": own}} if ask.query.get("expand") == "digitaleAdressen" else {}),
        }

    def contact(ask: Ask) -> Any:
        return {"klantcontact": {**ask.body["klantcontact"], "uuid": "c-1"}}

    link = shape("uuid")
    klantcontact = shape(
        "kanaal onderwerp taal vertrouwelijk",
        "inhoud indicatieContactGelukt plaatsgevondenOp",
        onderwerp={"type": "string", "maxLength": 200},
        inhoud={"type": "string", "maxLength": 1000},
        taal={"type": "string", "maxLength": 3},
        vertrouwelijk=TRUTH,
        indicatieContactGelukt=TRUTH,
    )
    party_in = shape(
        "rol initiator", "wasPartij", rol={"enum": ["klant", "vertegenwoordiger"]}, initiator=TRUTH, wasPartij=link
    )
    task = shape(
        "gevraagdeHandeling aanleidinggevendKlantcontact status",
        "toelichting toegewezenAanActoren",
        gevraagdeHandeling={"type": "string", "maxLength": 200},
        aanleidinggevendKlantcontact=link,
        status={"enum": ["te_verwerken", "verwerkt"]},
        toegewezenAanActoren=listed(link),
    )
    base = "/klantinteracties/api/v1"
    return Vendor(
        recipe="open_klant",
        values={"base_url": "{base}"},
        secrets={"token_file": "ok-secret"},
        key=("Authorization", "Token ok-secret"),
        error=lambda status, message: {"code": "not_authenticated", "detail": message},
        routes=[
            Route(
                "GET",
                f"{base}/digitaleadressen",
                found,
                frozenset({"adres", "adres__icontains", "soortDigitaalAdres", "page", "pageSize", "expand"}),
            ),
            Route(
                "GET",
                f"{base}/partijen",
                lambda ask: {"results": [party(ANNA, ask)] if ask.query.get("nummer") == "0000000001" else []},
                frozenset({"nummer", "expand", "pageSize", "page"}),
            ),
            Route("GET", f"{base}/partijen/([0-9a-f-]+)", lambda ask: party(ask.parts[0], ask), frozenset({"expand"})),
            Route(
                "POST",
                f"{base}/maak-klantcontact",
                contact,
                body=shape("klantcontact", "betrokkene", klantcontact=klantcontact, betrokkene=party_in),
            ),
            Route(
                "POST", f"{base}/internetaken", lambda ask: {"uuid": "t-1", "referentienummer": "0000000007"}, body=task
            ),
        ],
    )
