"""A real Odoo tells everybody it has, and then whoever changed: nobody is left out, and who is put away is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from deploy.crm.people import ANNA, BAKER, BRAM, PEOPLE
from integrations.odoo.client import OdooClient
from integrations.odoo.connector import OdooConnector
from ivr.connectors.connector import Changes
from ivr.domain.caller import Customer
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused

pytestmark = pytest.mark.crm


async def pages(connector: OdooConnector, since: str | None, limit: int = 4) -> Sequence[Changes]:
    """Pages until nothing more waits."""
    told = [await connector.changes(since, limit)]
    while told[-1].more:
        assert len(told) < 200
        told.append(await connector.changes(told[-1].cursor, limit))
    return told


def everybody(told: Sequence[Changes]) -> dict[str, Customer]:
    """The customers in pages, as they were told last, by their numbers."""
    return {customer.customer_number or "": customer for page in told for customer in page.customers}


async def test_at_first_everybody_is_told_once(connector: OdooConnector) -> None:
    told = await pages(connector, None, limit=3)
    codes = [customer.customer_number for page in told for customer in page.customers if customer.customer_number]
    assert len(codes) == len(set(codes))
    assert {person.code for person in PEOPLE} <= set(codes)
    assert all(len(page.customers) <= 3 for page in told)
    assert everybody(told)[ANNA.code].numbers == (PhoneNumber("+31300000101"),)


async def test_the_company_s_number_is_not_its_people_s(connector: OdooConnector, door: str) -> None:
    numbers = everybody(await pages(connector, None, limit=100))[BAKER.code].numbers
    assert numbers == ((PhoneNumber("+31700000107"),) if door.endswith("17") else ())


async def test_many_who_were_written_in_one_transaction_are_all_told_in_small_pages(
    connector: OdooConnector, clerk: OdooClient
) -> None:
    cursor = (await pages(connector, None, limit=100))[-1].cursor
    codes = [f"T{place:03d}" for place in range(25)]
    ids = await clerk.call("res.partner", "create", vals_list=[{"name": "Nieuw", "ref": code} for code in codes])
    try:
        told = await pages(connector, cursor)
        assert set(codes) <= everybody(told).keys()
        assert all(len(page.customers) <= 4 for page in told)
        await clerk.call("res.partner", "write", ids=ids, vals={"city": "Zwolle"})
        assert set(codes) <= everybody(await pages(connector, told[-1].cursor)).keys()
    finally:
        await clerk.call("res.partner", "unlink", ids=ids)


async def test_a_name_and_a_number_that_change_are_told(connector: OdooConnector, clerk: OdooClient) -> None:
    cursor = (await pages(connector, None, limit=100))[-1].cursor
    (bram,) = await clerk.search_read("res.partner", [["ref", "=", BRAM.code]], ["name", "phone"], limit=1)
    changed = {"name": "Bram Hoekstra-Vos", "phone": "050 0000142"}
    await clerk.call("res.partner", "write", ids=[bram["id"]], vals=changed)
    customer = everybody(await pages(connector, cursor))[BRAM.code]
    assert (customer.name, customer.numbers) == ("Bram Hoekstra-Vos", (PhoneNumber("+31500000142"),))
    await clerk.call("res.partner", "write", ids=[bram["id"]], vals={"name": bram["name"], "phone": bram["phone"]})
    assert everybody(await pages(connector, cursor))[BRAM.code].numbers == (PhoneNumber("+31500000102"),)


async def test_who_is_put_away_is_gone_and_can_come_back(connector: OdooConnector, clerk: OdooClient) -> None:
    (id_,) = await clerk.call("res.partner", "create", vals_list=[{"name": "Nieuw", "ref": "T900"}])
    cursor = (await pages(connector, None, limit=100))[-1].cursor
    await clerk.call("res.partner", "write", ids=[id_], vals={"active": False})
    told = await pages(connector, cursor)
    assert str(id_) in {gone for page in told for gone in page.gone}
    assert "T900" not in everybody(told)
    await clerk.call("res.partner", "write", ids=[id_], vals={"active": True})
    assert "T900" in everybody(await pages(connector, cursor))
    await clerk.call("res.partner", "unlink", ids=[id_])


async def test_what_was_told_long_ago_is_not_told_again(connector: OdooConnector) -> None:
    aged = '{"at": "2999-01-01T00:00:00+00:00", "after": null, "everybody": false}'
    assert everybody(await pages(connector, aged)) == {}


@pytest.mark.parametrize("cursor", ["", "{}", "[]", "null", '{"at": "?", "after": null, "everybody": false}'])
async def test_a_cursor_of_another_connector_is_refused(connector: OdooConnector, cursor: str) -> None:
    with pytest.raises(ConnectorRefused, match="built anew"):
        await connector.changes(cursor, 10)
