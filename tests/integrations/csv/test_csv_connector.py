"""A real file behind a guard: found, not found, slow, refused, and read again when it changes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from integrations.csv.connector import CsvConnector, CsvSettings
from ivr.clock import SystemClock
from ivr.config.model import Guard as Limits
from ivr.connectors.connector import Surroundings
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import Customer
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused, ConnectorTimeout, ConnectorUnavailable

ANNA, BRAM, NOBODY = map(PhoneNumber, ("+31300000101", "+31500000102", "+31300000199"))
TITLES = "customer_number,name,number,email,language,postcode\n"
ANNAS_LINE = "K100001,Anna de Vries,030-000 0101,Anna@example.nl,nl_NL,3511 AB\n"
BRAMS_LINE = "K100002,Bram Hoekstra,(050) 0000102,,,\n"
LOOK = 0.01
"""Seconds between two looks at the file, in tests where it changes."""
LIMIT = 10.0
"""Seconds until a test gives up waiting."""

Connect = Callable[..., CsvConnector]


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes a connector of `directory.csv`; closed afterwards."""
    made: list[CsvConnector] = []

    def connector(**settings: Any) -> CsvConnector:
        values = {"file": "directory.csv", "check_every": LOOK} | settings
        made.append(CsvConnector(CsvSettings(**values), Surroundings(folder=tmp_path)))
        return made[-1]

    yield connector
    for each in made:
        await each.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "directory.csv"
    path.write_text(TITLES + ANNAS_LINE + BRAMS_LINE)
    return path


def guarded(connector: CsvConnector, timeout: float = 5.0) -> ConnectedSystem:
    return ConnectedSystem("phone_list", connector, Limits(timeout=timeout), SystemClock())


def put(path: Path, text: str) -> None:
    """Write a file as careful programs do: beside it, then in its place."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110  # nothing tells that a file was read
            await asyncio.sleep(LOOK)


async def names(connector: CsvConnector, number: PhoneNumber = ANNA) -> list[str]:
    return [customer.name for customer in await connector.find_caller(number)]


async def test_found_by_the_titles_of_the_first_line(connect: Connect, file: Path) -> None:
    (anna,) = await guarded(connect()).find_caller(ANNA)
    assert anna == Customer(
        id=anna.id,
        name="Anna de Vries",
        numbers=(ANNA,),
        language=Language.NL,
        postcode="3511 AB",
        customer_number="K100001",
        email="Anna@example.nl",
    )
    assert anna.id == "K100001"


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        (IdentityKind.EMAIL, "anna@EXAMPLE.nl", ["Anna de Vries"]),
        (IdentityKind.CUSTOMER_NUMBER, "k100002", ["Bram Hoekstra"]),
        (IdentityKind.PHONE, BRAM, ["Bram Hoekstra"]),
        (IdentityKind.EMAIL, "", []),
        (IdentityKind.HANDLE, "x:@anna", []),
    ],
)
async def test_found_by_identity(
    connect: Connect, file: Path, kind: IdentityKind, value: str, found: list[str]
) -> None:
    customers = await guarded(connect()).find_customer(Identity(kind, value))
    assert [customer.name for customer in customers] == found


async def test_not_found(connect: Connect, file: Path) -> None:
    assert list(await guarded(connect()).find_caller(NOBODY)) == []


async def test_slow_reading_goes_on_when_nobody_waits_for_it_any_more(connect: Connect, tmp_path: Path) -> None:
    """A pipe gives its lines when its writer comes; the next one who asks finds the file read."""
    path = tmp_path / "directory.csv"
    os.mkfifo(path)
    connector = connect()
    try:
        with pytest.raises(ConnectorTimeout):
            await guarded(connector, timeout=0.05).find_caller(ANNA)
    finally:  # or the thread would wait for ever
        await asyncio.to_thread(path.write_text, TITLES + ANNAS_LINE)
    await guarded(connector).open()
    assert await names(connector) == ["Anna de Vries"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "nobody in the file"),
        (b"name,number\n", "nobody in the file"),
        (b"name;phone\nAnna;030-0000101\n", "no title in line 1 is 'number'; set columns"),
        (b"name,number\nAnna,030-0000101\n\nBram\n", "line 4 has 1 columns, but the first has 2"),
        (b'name,number\n"Anna,030-0000101\nBram,2\n', "line 3: unexpected end of data"),
        (b"name,number\nAnna,030-0000101\n\xe9\x81,2\n", "line 3: this is not cp1252"),
        (b"name,number\nAnna,12\n", "line 2 and all others have no name, or nothing to find it by"),
    ],
)
async def test_refused_a_file_that_is_no_directory(connect: Connect, tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "directory.csv").write_bytes(content)
    with pytest.raises(ConnectorRefused, match=told):
        await guarded(connect()).open()


async def test_a_missing_file_is_read_once_it_is_there(connect: Connect, tmp_path: Path) -> None:
    system = guarded(connect())
    with pytest.raises(ConnectorUnavailable, match=r"directory\.csv: No such file"):
        await system.find_caller(ANNA)
    put(tmp_path / "directory.csv", TITLES + ANNAS_LINE)
    assert [customer.name for customer in await system.find_caller(ANNA)] == ["Anna de Vries"]


async def test_columns_by_the_titles_that_the_file_has(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "directory.csv").write_bytes(
        "Naam;Vast;Mobiel;Klantnr\nAnaïs;030 0000101;050-0000102;7\n".encode("cp1252")
    )
    connector = connect(columns={"name": "naam", "number": ["Vast", "Mobiel"], "customer_id": "Klantnr"})
    await connector.open()
    (anais,) = await connector.find_caller(BRAM)
    assert (anais.id, anais.name, anais.numbers) == ("7", "Anaïs", (ANNA, BRAM))


async def test_columns_by_place_in_a_file_without_titles(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "directory.csv").write_bytes("\ufeffAnaïs\t030 0000101\n".encode())
    connector = connect(columns={"name": 1, "number": 2})
    await connector.open()
    assert await names(connector) == ["Anaïs"]


async def test_a_column_that_is_not_there_is_named_with_the_nearest(connect: Connect, file: Path) -> None:
    with pytest.raises(ConnectorRefused, match=r"no title in line 1 is 'nummer'; did you mean 'number'\?"):
        await connect(columns={"name": "name", "number": "nummer"}).open()


async def test_lines_of_one_customer_are_one_and_two_on_one_number_stay_two(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "directory.csv").write_text(
        "customer_id,name,number,birth_date,products\n"
        '1,Youssef,030-0000101,12-4-1985,tv\n1,Youssef,050-0000102,,"internet, tv"\n2,Samira,030-0000101,1987-01-02,\n'
        "3,,030-0000101,,\n"
    )
    connector = connect()
    await connector.open()
    youssef, samira = await connector.find_caller(ANNA)
    assert (youssef.numbers, set(youssef.products)) == ((ANNA, BRAM), {"tv", "internet"})
    assert [str(customer.birth_date) for customer in (youssef, samira)] == ["1985-04-12", "1987-01-02"]


async def test_a_changed_file_takes_the_place_of_the_old(connect: Connect, file: Path) -> None:
    connector = connect()
    await connector.open()
    put(file, TITLES + ANNAS_LINE.replace("de Vries", "Bakker"))
    await until(lambda: [each.name for each in connector._held().by_number(ANNA)] == ["Anna Bakker"])
    assert await names(connector, BRAM) == []


async def test_a_broken_new_file_leaves_the_old_in_use_and_says_so_with_its_line(connect: Connect, file: Path) -> None:
    connector = connect()
    await connector.open()
    await connector.check()
    with capture_logs() as logs:
        put(file, TITLES + "K1,Anna")
        await until(lambda: any(line["event"] == "csv.not_read_again" for line in logs))
    assert "line 2 has 2 columns, but the first has 6" in str(logs)
    assert await names(connector) == ["Anna de Vries"]
    with pytest.raises(ConnectorRefused, match=r"line 2 has 2 columns.*what was read before is still in use"):
        await connector.check()
    os.remove(file)
    with pytest.raises(ConnectorUnavailable, match="No such file"):
        await connector.check()
    put(file, TITLES + BRAMS_LINE)
    await until(lambda: connector._held().by_number(BRAM) and not connector._held().by_number(ANNA))
    await connector.check()


async def test_changes_give_everybody_once_then_only_what_changed(connect: Connect, file: Path) -> None:
    connector = connect()
    await connector.open()
    first = await connector.changes(None, 1)
    assert ([customer.id for customer in first.customers], first.more) == (["K100001"], True)
    second = await connector.changes(first.cursor, 1)
    assert ([customer.id for customer in second.customers], second.more) == (["K100002"], False)
    assert (await connector.changes(second.cursor, 1)).customers == ()
    put(file, TITLES + ANNAS_LINE + "K100003,Emily,040-0000103,,en,\n")
    await until(lambda: len(connector._held().by_number(BRAM)) == 0)
    third = await connector.changes(second.cursor, 10)
    assert ([customer.id for customer in third.customers], third.gone, third.more) == (["K100003"], ["K100002"], False)


async def test_a_cursor_is_good_after_a_restart_while_the_file_is_the_same(connect: Connect, file: Path) -> None:
    before, after, otherwise = connect(), connect(), connect(columns={"name": "email", "number": "number"})
    for connector in (before, after, otherwise):
        await connector.open()
    cursor = (await before.changes(None, 10)).cursor
    assert (await after.changes(cursor, 10)).customers == ()
    assert [customer.name for customer in (await otherwise.changes(cursor, 10)).customers] == ["Anna@example.nl"]


async def test_a_hundred_thousand_lines_are_read_beside_the_calls(connect: Connect, tmp_path: Path) -> None:
    lines = (f"K{number},Customer {number},+3120{number:07}\n" for number in range(2_000_000, 2_100_000))
    (tmp_path / "directory.csv").write_text("customer_number,name,number\n" + "".join(lines))
    connector = connect()
    opening = asyncio.create_task(connector.open())
    loop, longest = asyncio.get_running_loop(), 0.0
    while not opening.done():
        began = loop.time()
        await asyncio.sleep(0.001)
        longest = max(longest, loop.time() - began)
    await opening
    assert await names(connector, PhoneNumber("+31202099999")) == ["Customer 2099999"]
    assert longest < 0.5


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"columns": {"name": "Naam"}}, "which column is the number"),
        ({"columns": {"name": "Naam", "number": 2}}, "not both"),
        ({"columns": {"name": 0, "number": 2}}, "counted from 1"),
        ({"columns": {"nmae": 1}}, "customer_number"),
        ({"delimiter": '"'}, "pattern"),
        ({"encoding": "ebcdic"}, "cp1252"),
        ({"check_every": "5"}, "did you mean '5s'"),
        ({"path": "x"}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_told(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        CsvSettings(**{"file": "x.csv"} | settings)
