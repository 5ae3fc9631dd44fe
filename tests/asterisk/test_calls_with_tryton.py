"""A telephone, a real Asterisk, a real engine, and a real Tryton that knows who calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from yarl import URL

from deploy.crm.people import ANNA, EMILY
from deploy.crm.tryton import PASSWORD, Tryton, tryton
from integrations.tryton.client import TrytonClient
from ivr.connectors.connector import Surroundings
from ivr.domain.line import PhoneNumber
from ivr.robot.call import Call
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.callers import QUICK, Callers, callers_of, heard
from tests.asterisk.door import Door, door_to
from tests.asterisk.engine_under_test import ROOT, EngineUnderTest

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

NEWS = "Dag Anna de Vries. We hebben uw bestelling ontvangen en gaan ermee aan de slag."
TEXTS = {"nl/order_news": NEWS, "en/order_news": "Hello Emily Clarke."}
ANNAS_LINE, EMILYS_LINE = PhoneNumber("+31300000101"), PhoneNumber("+31400000103")
FLOW = """
flow: lijnnet
languages: [nl, en]
start: welcome
otherwise: person
blocks:
  welcome:
    - say: welcome
    - branch: [{ when: caller.open_orders, goto: news }]
    - goto: person
  news:
    - say: { prompt: order_news, with: { order: caller.open_orders | first } }
    - reason: order
    - ticket: "Vraag over bestelling {{ (caller.open_orders | first).number }}"
    - say: goodbye
    - hang_up:
  person:
    - ticket: Onbekende beller
    - say: goodbye
    - hang_up:
"""
LIMIT = 20.0


@pytest.fixture(scope="module")
def erp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    """A Tryton with customers, orders and invoices."""
    with tryton(ROOT / "var" / "crm", tmp_path_factory.mktemp("tryton"), print, version="8.2") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def door(erp: Tryton) -> AsyncIterator[Door]:
    """The way from the engine to Tryton."""
    async with door_to(URL(erp.url).port or 0) as door:
        yield door


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def clerk(erp: Tryton) -> AsyncIterator[TrytonClient]:
    """Somebody who looks what stands in Tryton."""
    client = TrytonClient(URL(erp.url), erp.database, "admin", PASSWORD, Surroundings(timeout=20.0))
    await client.open()
    yield client
    await client.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def callers(
    running_asterisk: AsteriskUnderTest, tmp_path_factory: pytest.TempPathFactory, erp: Tryton, door: Door
) -> AsyncIterator[Callers]:
    """Callers of an engine whose only customer system is that Tryton."""
    if not running_asterisk.private.is_running():
        running_asterisk.private.restart()
    home = tmp_path_factory.mktemp("engine")
    flows = home / "flows"
    flows.mkdir()
    for name in ("callback", "outage_over"):
        (flows / f"{name}.yaml").write_text((ROOT / "dialplans" / f"{name}.yaml").read_text())
    (flows / "lijnnet.yaml").write_text(FLOW)
    (home / "tryton.password").write_text(f"{erp.password}\n")
    settings: dict[str, dict[str, Any]] = {
        "speech": QUICK,
        "flows": {"path": str(flows)},
        "connectors": {
            "erp": {
                "integration": "tryton",
                "settings": {
                    "url": f"http://127.0.0.1:{door.port}",
                    "database": erp.database,
                    "login": erp.login,
                    "password_file": "tryton.password",
                },
                "guard": {"failures_to_open": 2, "open_for": "1s"},
            }
        },
        "identify": {"connectors": ["erp"], "budget": "2s"},
        "errands": {"tickets": "erp", "contacts": ["erp"]},
    }
    engine = EngineUnderTest(running_asterisk, home, settings)
    try:
        await engine.start()
        async with callers_of(engine, TEXTS) as callers:
            yield callers
    finally:
        await engine.kill()


async def whole(callers: Callers, number: str) -> Call:
    """A call to its goodbye."""
    call = await callers.ring(number)
    await call.hears("nl/goodbye", LIMIT)
    await call.ended(LIMIT)
    return call


async def written(callers: Callers, clerk: TrytonClient, model: str, domain: list[Any], fields: list[str]) -> Any:
    """What stands in Tryton, as soon as it does."""

    async def found() -> Any:
        return await clerk.search_read(model, domain, fields, limit=5)

    return await callers.engine.until(found, LIMIT, f"a {model} in Tryton")


async def test_a_customer_hears_their_name_and_order_and_the_contact_and_a_ticket_stand_in_tryton(
    callers: Callers, clerk: TrytonClient
) -> None:
    call = await whole(callers, ANNAS_LINE)
    assert heard(call) == ["nl/welcome", "nl/order_news", "nl/goodbye"]
    (ticket,) = await written(
        callers, clerk, "sale.complaint", [["customer.code", "=", ANNA.code]], ["description", "number"]
    )
    assert ticket["description"].startswith("Vraag over bestelling ")
    (party,) = await clerk.search_read("party.party", [["code", "=", ANNA.code]], ["name"], limit=2)
    about_anna = [["resource", "=", f"party.party,{party['id']}"]]
    (note,) = await written(callers, clerk, "ir.note", about_anna, ["message"])
    contact = await callers.contact(call)
    assert "order" in note["message"]
    assert contact["id"] in note["message"]
    assert (contact["customer"], contact["reason"]) == (str(party["id"]), "order")


async def test_killing_tryton_costs_a_caller_the_news_of_their_order_and_nothing_else(
    callers: Callers, clerk: TrytonClient, door: Door
) -> None:
    """Who she is and that she speaks English is in the index; what she calls about only Tryton knows."""
    (emily,) = await clerk.search_read("party.party", [["code", "=", EMILY.code]], ["name"], limit=2)
    opened = len(await clerk.search_read("sale.complaint", [], ["number"], limit=50))
    await door.shut()
    call = await callers.ring(EMILYS_LINE)
    await call.hears("en/goodbye", LIMIT)
    await call.ended(LIMIT)
    journey = await callers.leave(call)
    assert heard(journey) == ["en/welcome", "en/goodbye"]
    assert journey.dead_air == ()
    contact = await callers.contact(call)
    assert (contact["customer"], contact["outcome"]) == (str(emily["id"]), "self_served")
    assert len(await clerk.search_read("sale.complaint", [], ["number"], limit=50)) == opened
    await door.open()

    async def later() -> bool:
        return len(await clerk.search_read("sale.complaint", [], ["number"], limit=50)) == opened + 1

    await callers.engine.until(later, 60, f"the ticket of {EMILY.name}'s call in Tryton")
