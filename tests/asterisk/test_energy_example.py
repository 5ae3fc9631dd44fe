"""The energy company of `dialplans/examples` on a real Asterisk: whom it knows, asks, tells, helps and calls back."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from ivr.domain.language import Language
from ivr.flow import spoken
from tests.asterisk.asterisk_under_test import free_port
from tests.asterisk.callers import QUICK, Callers, callers_of, events, heard
from tests.asterisk.conftest import StartEngine
from tests.asterisk.engine_under_test import ROOT, EngineUnderTest, Json

pytestmark = pytest.mark.asterisk

ENERGY = ROOT / "dialplans" / "examples" / "energy"
FEMKE, JELLE, SARAH, NOBODY = "+31500000201", "+31580000202", "+31500000203", "+31500000299"
ALWAYS = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
NL = Language.NL


class Company:
    """`company.py` as its users start it: the customers, and a desk whose screen shows what arrived."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self.arrived: list[tuple[str, Json]] = []
        self._process = process
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            path, _, told = line.decode().strip().partition(" ")
            if path.startswith("/"):
                self.arrived.append((path, json.loads(told)))

    async def arrives(self, engine: EngineUnderTest, path: str, words: str) -> Json:
        """What arrived there and says this, as soon as it has."""

        async def found() -> Json:
            return next((told for at, told in self.arrived if at == path and words in json.dumps(told)), None)

        return await engine.until(found, 15, f"{words} at {path}")

    async def end(self) -> None:
        self._process.terminate()
        await self._process.wait()
        await self._reading


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    port = free_port(socket.SOCK_STREAM)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ENERGY / "company.py"), "--port", str(port)),
        *("--customers", str(tmp_path / "var" / "crm.db")),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b"listens" in await asyncio.wait_for(process.stdout.readline(), 20)
    company = Company(process, port)
    yield company
    await company.end()


@pytest.fixture
async def callers(company: Company, start_engine: StartEngine) -> AsyncIterator[Callers]:
    """Callers of an engine with the example's configuration, which is open, and has the queues of this Asterisk."""
    here = f"http://127.0.0.1:{company.port}"
    queues = dict.fromkeys(("service", "billing", "faults", "emergency"), "support-own")
    engine = await start_engine(
        project=ENERGY,
        organisation={"opening_hours": ALWAYS},
        connectors={
            "desk": {"settings": {"recipe": str(ENERGY / "recipes" / "desk.yaml"), "values": {"base_url": here}}},
            "messages": {"settings": {"values": {"base_url": f"{here}/messages"}}},
        },
        errands={"poll_interval": "200ms"},
        sites={"own": {"queues": queues}},
        speech=QUICK,
    )
    await engine.ivr("outage", "open", "--region", "Leeuwarden", "--nl", "Er is een storing in Leeuwarden.")
    async with callers_of(engine, texts()) as calling:
        yield calling


def texts() -> dict[str, str]:
    """What is said to one caller only."""
    today = date.today()  # noqa: DTZ011 - as the customers' dates are
    due = spoken.spoken_date(today - timedelta(days=12), NL, today)
    number, ticket = spoken.phone(JELLE, NL, "NL"), spoken.digits("T1001", NL)
    return {
        "nl/femke": "Dag Femke Hoekstra.",
        "nl/jelle": "Dag Jelle Dijkstra.",
        "en/sarah": "Hello Sarah Mitchell.",
        "nl/owes": "U heeft één openstaande rekening. De oudste is van honderdtweeënveertig euro vijftig,"
        f" en had betaald moeten zijn op {due}.",
        "nl/ticket": f"Ik heb het voor u doorgegeven, met nummer {ticket}. We bellen u vandaag nog.",
        "nl/outage": "Er is een storing in Leeuwarden.",
        "nl/number": f"We bellen u dan op {number}. Klopt dat? Kies één. Voor een ander nummer, kies twee.",
        "nl/promised": f"Dat is afgesproken. We bellen u op {number} zodra de storing is opgelost.",
    }


async def test_it_answers_known_and_unknown_callers_in_their_language_and_keeps_its_promises(
    company: Company, callers: Callers
) -> None:
    """All of them at once, as in life."""
    await asyncio.gather(
        pays_with_a_link_after_proving_who_she_is(company, callers),
        wants_to_hear_when_the_outage_is_over(callers),
        gets_a_ticket(company, callers),
        keys_who_she_is(callers),
        is_asked_in_english_what_she_thought_of_it(callers),
        smells_gas_and_runs(company, callers),
    )


async def pays_with_a_link_after_proving_who_she_is(company: Company, callers: Callers) -> None:
    call = await callers.talk(
        FEMKE,
        ("nl/main_menu", "1"),
        ("nl/verify_house_number", "12#"),
        ("nl/verify_birth_date", "12041985"),
        ("nl/invoice_menu", "1"),
        until="nl/pay_link_sent",
    )
    await call.hang_up()
    contact = await callers.contact(call)
    assert heard(call) == [
        "nl/welcome", "nl/femke", "nl/main_menu", "nl/prove_why", "nl/verify_house_number", "nl/verify_birth_date",
        "nl/owes", "nl/invoice_menu", "nl/pay_link_sent",
    ]  # fmt: skip
    assert (contact["reason"], contact["outcome"], contact["flow"]) == ("invoice", "self_served", "energy")
    sms = await company.arrives(callers.engine, "/messages", "betalen.noorderlicht.example")
    assert (sms["to"], sms["text"]) == (FEMKE, "Betaal uw rekening op https://betalen.noorderlicht.example/F260117")


async def wants_to_hear_when_the_outage_is_over(callers: Callers) -> None:
    call = await callers.talk(JELLE, ("nl/after_outage", "1"), ("nl/number", "1"), until="nl/promised")
    await call.hang_up()
    contact = await callers.contact(call)
    assert heard(call)[:4] == ["nl/welcome", "nl/jelle", "nl/outage", "nl/after_outage"]
    assert (contact["reason"], contact["outcome"]) == ("outage", "callback_booked")
    assert len(events(contact, "notice_promised")) == 1


async def gets_a_ticket(company: Company, callers: Callers) -> None:
    call = await callers.talk(
        FEMKE, ("nl/main_menu", "2"), ("nl/boiler_display", "3"), ("nl/boiler_pressure", "2"), until="nl/ticket"
    )
    await call.hang_up()
    ticket = await company.arrives(callers.engine, "/tickets", "No heat: Femke Hoekstra")
    assert (ticket["subject"], ticket["number"]) == (f"No heat: Femke Hoekstra 501001 {FEMKE}", "T1001")
    assert "display: looks normal\npressure: pressure right" in ticket["text"]
    contact = await callers.contact(call)
    assert (contact["reason"], contact["outcome"]) == ("heating", "self_served")


async def keys_who_she_is(callers: Callers) -> None:
    call = await callers.talk(
        NOBODY,
        ("nl/main_menu", "2"),
        ("nl/identify_number", "501001#"),
        ("nl/identify_postcode", "9712"),
        ("nl/verify_house_number", "12#"),
        ("nl/verify_birth_date", "12041985"),
        until="nl/owes",
    )
    await call.hang_up()
    contact = await callers.contact(call)
    assert heard(call)[:3] == ["nl/welcome", "nl/choose_language", "nl/main_menu"]
    assert (contact["customer"], events(contact, "verified")[0]["passed"]) == ("501001", True)


async def is_asked_in_english_what_she_thought_of_it(callers: Callers) -> None:
    call = await callers.talk(
        SARAH, ("en/main_menu", "1"), ("en/survey_helped", "5"), ("en/survey_recommend", "9"), until="en/goodbye"
    )
    assert (await call.ended(20)).by == "them"
    contact = await callers.contact(call)
    assert heard(call)[:2] == ["en/welcome", "en/sarah"]
    assert contact["outcome"] == "self_served"
    assert [(each["question"], each["answer"]) for each in events(contact, "survey_answer")] == [
        ("helped", 5), ("recommend", 9),
    ]  # fmt: skip


async def smells_gas_and_runs(company: Company, callers: Callers) -> None:
    call = await callers.talk("", ("nl/choose_language", "9"), until="nl/gas_safety", privacy=True)
    await call.hang_up()
    contact = await callers.contact(call)
    assert (contact["reason"], contact["outcome"]) == ("gas_smell", "abandoned")
    warning = await company.arrives(callers.engine, "/messages", "noorderlicht.example/gas")
    assert warning["text"] == "A caller who withholds their number smells gas and hung up"
