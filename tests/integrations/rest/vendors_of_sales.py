"""The contracts of HubSpot, Salesforce and Dynamics 365, with a few people in them whose numbers clerks typed."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from tests.integrations.rest.contract_server import NUMBER, TRUTH, Ask, Refused, Route, Vendor, listed, names, shape
from tests.integrations.rest.odata_filter import BadFilter, ODataFilter


def hubspot() -> Vendor:
    """HubSpot's CRM API v3."""
    known = {
        *names("firstname lastname phone mobilephone email zip hs_language lastmodifieddate createdate subject"),
        *names("hs_pipeline_stage hs_pipeline content hs_object_id associations.contact"),
        "hs_searchable_calculated_phone_number",
        "hs_searchable_calculated_mobile_number",
    }
    people = [
        ("51", "Anna", "de Vries", "06 - 12 34 56 78", "anna@example.nl", "2026-11-20T10:00:00.123Z"),
        ("52", "Bram", None, "+31 50 312 3456", "bram@example.nl", "2026-11-21T10:00:00Z"),
        ("53", "Cas", "Smit", "050-3123456", "cas@example.nl", "2026-11-21T10:00:00Z"),
    ]
    contacts = [
        {
            "id": id_,
            "properties": {
                "firstname": first,
                "lastname": last,
                "phone": phone,
                "mobilephone": None,
                "email": email,
                "zip": "3511 AB",
                "hs_language": "nl-nl",
                "lastmodifieddate": changed,
                "hs_searchable_calculated_phone_number": re.sub(r"\D", "", phone).removeprefix("31").removeprefix("0"),
            },
        }
        for id_, first, last, phone, email, changed in people
    ]
    tickets = [
        {"id": "900", "properties": _ticket("Late delivery", "2", "2026-11-19T08:00:00.000Z", "51")},
        {"id": "901", "properties": _ticket("Old", "4", "2026-11-01T08:00:00.000Z", "51")},
    ]

    def search(records: list[dict[str, Any]], ask: Ask) -> Any:
        groups = ask.body.get("filterGroups", [])
        wanted = set(ask.body["properties"])
        named = {each["propertyName"] for group in groups for each in group["filters"]}
        if not named | wanted <= known:
            raise Refused(400, {"category": "VALIDATION_ERROR", "message": f"{named | wanted} not known"})
        found = [
            {"id": each["id"], "properties": {name: each["properties"].get(name) for name in wanted}}
            for each in records
            if any(all(_passes(each["properties"], one) for one in group["filters"]) for group in groups)
        ]
        sorts = ask.body.get("sorts", [])
        for sort in sorts:
            found.sort(
                key=lambda each: str(each["properties"][sort["propertyName"]]), reverse="DESC" in sort["direction"]
            )
        start, limit = int(ask.body.get("after", "0")), ask.body["limit"]
        page: dict[str, Any] = {"total": len(found), "results": found[start : start + limit]}
        if start + limit < len(found):
            page["paging"] = {"next": {"after": str(start + limit)}}
        return page

    one = shape("propertyName operator value", operator={"enum": ["EQ", "NEQ", "GTE", "GT"]})
    body = shape(
        "properties limit",
        "filterGroups sorts after",
        properties=listed({"type": "string"}),
        limit={"type": "integer", "maximum": 200},
        filterGroups=listed(shape("filters", filters=listed(one, 6)), 5),
        sorts=listed(shape("propertyName direction", direction={"enum": ["ASCENDING", "DESCENDING"]}), 1),
    )
    tie = shape("associationCategory associationTypeId", associationTypeId={"enum": [16, 194]})
    links = listed(shape("to types", to=shape("id"), types=listed(tie)))
    ticket = shape("hs_pipeline hs_pipeline_stage subject", "content")
    call = shape(
        "hs_timestamp",
        "hs_call_title hs_call_body hs_call_direction hs_call_duration hs_call_status",
        hs_call_direction={"enum": ["INBOUND", "OUTBOUND"]},
        hs_call_duration={"type": "string", "pattern": r"^\d+$"},
        hs_call_status={"enum": ["COMPLETED", "MISSED"]},
    )
    made = shape("properties", "associations", properties=ticket, associations=links)
    logged = shape("properties associations", properties=call, associations=links)
    return Vendor(
        recipe="hubspot",
        values={"base_url": "{base}"},
        secrets={"token_file": "pat-eu1-secret"},
        key=("Authorization", "Bearer pat-eu1-secret"),
        error=lambda status, message: {"status": "error", "category": "VALIDATION_ERROR", "message": message},
        limited=Refused(429, {"category": "RATE_LIMITS", "policyName": "SECONDLY"}, {"Retry-After": "7"}),
        routes=[
            Route("GET", "/crm/v3/objects/contacts", lambda ask: {"results": []}, frozenset({"limit"})),
            Route("POST", "/crm/v3/objects/contacts/search", lambda ask: search(contacts, ask), body=body),
            Route("POST", "/crm/v3/objects/tickets/search", lambda ask: search(tickets, ask), body=body),
            Route("POST", "/crm/v3/objects/tickets", lambda ask: {"id": "902"}, body=made),
            Route("POST", "/crm/v3/objects/calls", lambda ask: {"id": "77"}, body=logged),
        ],
    )


def _ticket(subject: str, stage: str, created: str, contact: str) -> dict[str, Any]:
    return {"subject": subject, "hs_pipeline_stage": stage, "createdate": created, "associations.contact": contact}


def _passes(properties: dict[str, Any], one: dict[str, str]) -> bool:
    has, value = properties.get(one["propertyName"]), one["value"]
    if has is None:
        return False
    return {"EQ": has == value, "NEQ": has != value, "GTE": has >= value, "GT": has > value}[one["operator"]]


def salesforce() -> Vendor:
    """Salesforce's REST API: SOSL and SOQL as far as the recipe uses them."""
    fields = names("Id Name Phone MobilePhone HomePhone OtherPhone Email MailingPostalCode SystemModstamp")
    contacts = [
        _contact("003A", "Anna de Vries", "(06) 1234 5678", "anna@example.nl", "2026-11-20T10:00:00.000+0000"),
        _contact("003B", "Bram O'Neil", "+31 50 3123456", "bram@o'neil.example", "2026-11-21T10:00:00.000+0000"),
    ]
    cases = [
        {
            "CaseNumber": "00001026",
            "Status": "On Hold",
            "Subject": "Bill",
            "CreatedDate": "2026-11-19T23:30:00.000+0000",
        }
    ]
    made: dict[str, str] = {}

    def refuse(message: str, code: str = "MALFORMED_QUERY") -> Refused:
        return Refused(400, [{"message": message, "errorCode": code}])

    def search(ask: Ask) -> Any:
        said = re.fullmatch(
            r"FIND \{(.*)\}\s+IN PHONE FIELDS\s+RETURNING Contact\(([\w, ]+?) LIMIT \d+\)", ask.query["q"], re.DOTALL
        )
        if not said or re.search(r"(?<!\\)[&|!(){}\[\]^\"~*?:'+-]", said[1]):
            raise refuse("unexpected token", "MALFORMED_SEARCH")
        if not set(re.split(r",\s*", said[2])) <= fields:
            raise refuse(said[2], "INVALID_FIELD")
        terms = said[1].split(" OR ")
        hits = [each for each in contacts if any(re.sub(r"\D", "", each["Phone"]).endswith(term) for term in terms)]
        return {"searchRecords": hits}

    def query(ask: Ask) -> Any:
        said = re.fullmatch(
            r"SELECT ([\w, \n]+) FROM (\w+)\s+WHERE (.+?)( ORDER BY (\w+) (?:ASC|DESC))?( LIMIT \d+)?", ask.query["q"]
        )
        if not said:
            raise refuse("unexpected token")
        if said[2] == "Case":
            wanted = re.fullmatch(r"ContactId = '(\w+)' AND IsClosed = false", said[3])
            if not wanted:
                raise refuse(said[3])
            return _rows(cases if wanted[1] == "003A" else [])
        if not set(re.split(r",\s*", said[1])) <= fields:
            raise refuse(said[1], "INVALID_FIELD")
        if mail := re.fullmatch(r"Email = '((?:[^'\\]|\\.)*)'", said[3]):
            return _rows([each for each in contacts if each["Email"] == re.sub(r"\\(.)", r"\1", mail[1])])
        since = re.fullmatch(r"SystemModstamp >= (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+0000))", said[3])
        if not since:
            raise refuse(said[3])
        changed = [each for each in contacts if each["SystemModstamp"] >= since[1]]
        # A page of one, to have a second one.
        return {**_rows(changed[:1]), **({"nextRecordsUrl": "/services/data/v61.0/query/01g-2"} if changed[1:] else {})}

    def make(ask: Ask) -> Any:
        made["5003"] = "00001027"
        return {"id": "5003", "success": True, "errors": []}

    def token(ask: Ask) -> Any:
        if ask.body != {"grant_type": "client_credentials", "client_id": "app", "client_secret": "sf-secret"}:
            raise Refused(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        return {"access_token": "00D!token", "token_type": "Bearer", "instance_url": "https://elsewhere.example"}

    task = shape(
        "WhoId Subject Status",
        "Description TaskSubtype CallType CallDurationInSeconds CallObject ActivityDate",
        CallDurationInSeconds=NUMBER,
        CallType={"enum": ["Inbound", "Outbound", "Internal"]},
        ActivityDate={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    )
    case = shape("Subject", "Description Origin ContactId", Subject={"type": "string", "maxLength": 255})
    data = "/services/data/v61.0"
    return Vendor(
        recipe="salesforce",
        values={"base_url": "{base}", "client_id": "app"},
        secrets={"client_secret_file": "sf-secret"},
        key=("Authorization", "Bearer 00D!token"),
        error=lambda status, message: [{"message": message, "errorCode": "INVALID_SESSION_ID"}],
        limited=Refused(403, [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]),
        routes=[
            Route("POST", "/services/oauth2/token", token, open_to_all=True, form=True),
            Route("GET", f"{data}/limits", lambda ask: {}),
            Route("GET", f"{data}/search/", search, needs=frozenset("q")),
            Route("GET", f"{data}/query/", query, needs=frozenset("q")),
            Route("GET", f"{data}/query/01g-2", lambda ask: _rows(contacts[1:])),
            Route("POST", f"{data}/sobjects/Case/", make, body=case),
            Route(
                "GET",
                f"{data}/sobjects/Case/(\\w+)",
                lambda ask: {"CaseNumber": made[ask.parts[0]]},
                frozenset({"fields"}),
            ),
            Route("POST", f"{data}/sobjects/Task/", lambda ask: {"id": "00T1", "success": True}, body=task),
        ],
    )


def _contact(id_: str, name: str, phone: str, email: str, changed: str) -> dict[str, Any]:
    person = {"Id": id_, "Name": name, "Phone": phone, "Email": email, "MailingPostalCode": None}
    return {**person, "SystemModstamp": changed, "attributes": {"type": "Contact"}}


def _rows(records: list[Any]) -> dict[str, Any]:
    return {"totalSize": len(records), "done": True, "records": records}


ANNA = "a0000000-0000-4000-8000-000000000001"
BRAM = "a0000000-0000-4000-8000-000000000002"


def dynamics365() -> Vendor:
    """The Dataverse Web API: OData 4, change tracking, and upserts that only make."""
    columns = names("contactid fullname telephone1 mobilephone telephone2 emailaddress1 address1_postalcode birthdate")
    people = [
        _person(ANNA, "Anna de Vries", "06-12345678", "anna@example.nl"),
        _person(BRAM, "Bram O'Neil", "+31503123456", "bram@o'neil.example"),
    ]
    cases = [
        {
            "ticketnumber": "CAS-01",
            "title": "Line",
            "statecode": 0,
            "statuscode": 2,
            "createdon": "2026-11-20T09:00:00Z",
        }
    ]
    made: dict[str, Any] = {}

    def contacts(ask: Ask) -> Any:
        if not set(ask.query["$select"].split(",")) <= columns:
            raise Refused(400, {"error": {"code": "0x80060888", "message": "Could not find a property"}})
        if "$filter" in ask.query:
            return {
                "value": [each for each in people if _selected(ask.query["$filter"], each, columns | {"statecode"})]
            }
        if "odata.track-changes" not in ask.headers.get("Prefer", ""):
            raise Refused(400, {"error": {"code": "0x0", "message": "the whole table"}})
        here = f"http://{ask.headers['Host']}/api/data/v9.2/contacts"
        return {
            "value": people,
            "@odata.deltaLink": f"{here}?$select={ask.query['$select']}&$deltatoken=919042%2108%2f22",
        }

    def delta(ask: Ask) -> Any:
        gone = {"@odata.context": "$metadata#contacts/$deletedEntity", "id": BRAM, "reason": "deleted"}
        return {
            "value": [gone],
            "@odata.deltaLink": f"http://{ask.headers['Host']}/api/data/v9.2/contacts?$deltatoken=3",
        }

    def either(ask: Ask) -> Any:
        return delta(ask) if "$deltatoken" in ask.query else contacts(ask)

    def incidents(ask: Ask) -> Any:
        whose = {"_customerid_value": ANNA}
        chosen = [each for each in cases if _selected(ask.query["$filter"], {**each, **whose}, {*each, *whose})]
        return {"value": chosen}

    def make(ask: Ask) -> Any:
        UUID(ask.parts[0])
        if ask.path in made:
            raise Refused(
                412, {"error": {"code": "0x80040237", "message": "A record with matching key values exists."}}
            )
        made[ask.path] = ask.body

    def token(ask: Ask) -> Any:
        if ask.body.get("client_secret") != "dyn-secret" or not ask.body.get("scope", "").endswith("/.default"):
            raise Refused(401, {"error": "invalid_client"})
        return {"access_token": "eyJ0", "token_type": "Bearer", "expires_in": 3599}

    bound = {"type": "string", "pattern": r"^/contacts\([0-9a-f-]{36}\)$"}
    case = shape(
        "title customerid_contact@odata.bind",
        "description caseorigincode",
        caseorigincode=NUMBER,
        **{"customerid_contact@odata.bind": bound},
    )
    call = shape(
        "subject regardingobjectid_contact_phonecall@odata.bind",
        "description directioncode actualstart actualend",
        directioncode=TRUTH,
        **{"regardingobjectid_contact_phonecall@odata.bind": bound},
    )
    asked = frozenset({"$select", "$filter", "$top", "$orderby", "$deltatoken"})
    data, odata, once = "/api/data/v9.2", {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}, {"If-None-Match": r"\*"}
    return Vendor(
        recipe="dynamics365",
        values={"base_url": "{base}", "login_url": "{base}", "tenant": "t-1", "client_id": "app"},
        secrets={"client_secret_file": "dyn-secret"},
        key=("Authorization", "Bearer eyJ0"),
        error=lambda status, message: {"error": {"code": "0x80060888", "message": message}},
        limited=Refused(429, {"error": {"code": "0x80072322", "message": "Number of requests"}}, {"Retry-After": "7"}),
        routes=[
            Route("POST", "/t-1/oauth2/v2.0/token", token, open_to_all=True, form=True),
            Route("GET", f"{data}/WhoAmI", lambda ask: {"UserId": ANNA}, headers=odata),
            Route("GET", f"{data}/contacts", either, asked, headers=odata),
            Route("GET", f"{data}/incidents", incidents, asked, headers=odata),
            Route("PATCH", rf"{data}/incidents\((.+)\)", make, headers={**odata, **once}, body=case),
            Route("GET", rf"{data}/incidents\((.+)\)", lambda ask: {"ticketnumber": "CAS-02"}, asked, headers=odata),
            Route("PATCH", rf"{data}/phonecalls\((.+)\)", make, headers={**odata, **once}, body=call),
        ],
    )


def _person(id_: str, name: str, phone: str, email: str) -> dict[str, Any]:
    return {"contactid": id_, "fullname": name, "telephone1": phone, "emailaddress1": email, "statecode": 0}


def _selected(text: str, record: dict[str, Any], fields: set[str]) -> bool:
    try:
        return ODataFilter(text, fields).selects(record)
    except BadFilter as error:
        raise Refused(400, {"error": {"code": "0x80060888", "message": str(error)}}) from error
