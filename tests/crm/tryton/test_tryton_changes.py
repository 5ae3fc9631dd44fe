"""A real Tryton tells everybody it has, and then whoever changed: nobody is left out, and who is gone is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from deploy.crm.people import ANNA, BRAM, PEOPLE
from integrations.tryton.client import TrytonClient
from integrations.tryton.connector import TrytonConnector
from ivr.connectors.connector import Changes
from ivr.domain.caller import Customer
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused

PAGE = 12
"""Two of each row of changes."""


async def pages(connector: TrytonConnector, since: str | None, limit: int = PAGE) -> Sequence[Changes]:
    """Pages until nothing more waits."""
    told = [await connector.changes(since, limit)]
    while told[-1].more:
        assert len(told) < 100
        told.append(await connector.changes(told[-1].cursor, limit))
    return told


def everybody(told: Sequence[Changes]) -> dict[str, Customer]:
    """The customers in pages, as they were told last, by their numbers."""
    return {customer.customer_number or "": customer for page in told for customer in page.customers}


async def new_party(clerk: TrytonClient, *codes: str) -> list[str]:
    values = [{"name": "Nieuw", "code": code, "addresses": []} for code in codes]
    return [str(id_) for id_ in await clerk.call("model.party.party.create", values)]


async def test_at_first_everybody_is_told_once(connector: TrytonConnector) -> None:
    told = await pages(connector, None, limit=3)
    codes = [customer.customer_number for page in told for customer in page.customers]
    assert len(codes) == len(set(codes))
    assert {person.code for person in PEOPLE} <= set(codes)
    assert all(len(page.customers) <= 3 for page in told)
    assert everybody(told)[ANNA.code].numbers == (PhoneNumber("+31300000101"),)


async def test_many_who_were_made_at_one_moment_are_all_told_in_small_pages(
    connector: TrytonConnector, clerk: TrytonClient
) -> None:
    cursor = (await pages(connector, None, limit=100))[-1].cursor
    codes = {f"T{place:03d}" for place in range(25)}
    await new_party(clerk, *sorted(codes))
    told = await pages(connector, cursor)
    assert codes <= everybody(told).keys()
    # Another transaction, begun as early, may be seen later only.
    assert codes <= everybody(await pages(connector, told[-1].cursor)).keys()
    assert len(told) > len(codes) / 2 / 6


async def test_a_name_a_number_and_an_address_that_change_are_told(
    connector: TrytonConnector, clerk: TrytonClient
) -> None:
    cursor = (await pages(connector, None, limit=100))[-1].cursor
    (bram,) = await clerk.search_read(
        "party.party", [["code", "=", BRAM.code]], ["contact_mechanisms", "addresses"], limit=1
    )
    await clerk.call("model.party.party.write", [bram["id"]], {"name": "Bram Hoekstra-Vos"})
    assert everybody(await pages(connector, cursor))[BRAM.code].name == "Bram Hoekstra-Vos"

    number = {"party": bram["id"], "type": "phone", "value": "+31 50 0000142"}
    await clerk.call("model.party.contact_mechanism.create", [number])
    assert PhoneNumber("+31500000142") in everybody(await pages(connector, cursor))[BRAM.code].numbers

    (mechanism,) = await clerk.search_read("party.contact_mechanism", [["value", "like", "%0142"]], ["id"], limit=1)
    await clerk.call("model.party.contact_mechanism.write", [mechanism["id"]], {"active": False})
    assert PhoneNumber("+31500000142") not in everybody(await pages(connector, cursor))[BRAM.code].numbers

    await clerk.call("model.party.address.write", bram["addresses"], {"street": "Kade 7 B", "postal_code": "9713 EF"})
    changed = everybody(await pages(connector, cursor))[BRAM.code]
    assert (changed.postcode, changed.house_number) == ("9713 EF", "7-B")


async def test_who_is_put_away_is_gone_and_can_come_back(connector: TrytonConnector, clerk: TrytonClient) -> None:
    (id_,) = await new_party(clerk, "T900")
    cursor = (await pages(connector, None, limit=100))[-1].cursor
    await clerk.call("model.party.party.write", [int(id_)], {"active": False})
    told = await pages(connector, cursor)
    assert id_ in {gone for page in told for gone in page.gone}
    assert "T900" not in everybody(told)
    await clerk.call("model.party.party.write", [int(id_)], {"active": True})
    assert "T900" in everybody(await pages(connector, cursor))


async def test_what_was_told_long_ago_is_not_told_again(connector: TrytonConnector, clerk: TrytonClient) -> None:
    later = await pages(connector, (await pages(connector, None, limit=100))[-1].cursor)
    aged = later[-1].cursor.replace("2026", "2999").replace("2027", "2999")
    assert everybody(await pages(connector, aged)) == {}


@pytest.mark.parametrize("cursor", ["", "{}", "[]", "null", '{"all_after": null, "began_at": "?", "places": {}}'])
async def test_a_cursor_of_another_connector_is_refused(connector: TrytonConnector, cursor: str) -> None:
    with pytest.raises(ConnectorRefused, match="built anew"):
        await connector.changes(cursor, PAGE)
