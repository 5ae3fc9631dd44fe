"""The demo's CRM is repeatable, quick to make again, and its numbers belong to nobody."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import phonenumbers
import pytest

from deploy.demo.crm import CUSTOMERS, NAMED, NOBODYS_NUMBER, make_crm
from ivr.domain.line import parse_number

TODAY = date(2026, 11, 23)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "demo" / "crm.db"


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as crm:
        return crm.execute(query).fetchall()


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as crm:
        return list(crm.iterdump())


def test_the_same_day_gives_the_same_customers(path: Path, tmp_path: Path) -> None:
    assert make_crm(path, TODAY)
    assert make_crm(tmp_path / "again.db", TODAY)
    assert dump(path) == dump(tmp_path / "again.db")
    assert rows(path, "SELECT count(*) FROM customers") == [(CUSTOMERS,)]


def test_the_next_day_only_dates_the_named_orders(path: Path) -> None:
    make_crm(path, TODAY)
    with closing(sqlite3.connect(path)) as crm, crm:
        crm.execute("UPDATE customers SET name = 'Anna Jansen' WHERE id = 1")
    assert not make_crm(path, date(2026, 11, 24))
    assert rows(path, "SELECT name FROM customers WHERE id = 1") == [("Anna Jansen",)]
    assert rows(path, "SELECT expected_on FROM orders WHERE number = 'B200001'") == [("2026-11-24",)]


@pytest.mark.parametrize("content", [b"", b"half a file that is no database"])
def test_what_is_not_a_crm_is_made_anew(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert make_crm(path, TODAY)
    assert rows(path, "SELECT count(*) FROM customers") == [(CUSTOMERS,)]


def test_every_number_is_valid_and_can_belong_to_nobody(path: Path) -> None:
    """A Dutch subscriber's part never begins with the trunk prefix 0, though the library takes it for valid."""
    make_crm(path, TODAY)
    numbers = [parse_number(str(typed)) for (typed,) in rows(path, "SELECT number FROM phones")]
    assert len(numbers) > CUSTOMERS
    for number in numbers:
        assert number is not None
        parsed = phonenumbers.parse(number)
        area = phonenumbers.length_of_geographical_area_code(parsed)
        assert area == 2
        assert phonenumbers.national_significant_number(parsed)[area] == "0"


def test_only_the_two_of_the_demonstration_share_a_number(path: Path) -> None:
    make_crm(path, TODAY)
    numbers = [parse_number(str(typed)) for (typed,) in rows(path, "SELECT number FROM phones")]
    shared = {number for number in numbers if numbers.count(number) > 1}
    assert shared == {NAMED[3].number} == {NAMED[4].number}
    assert NOBODYS_NUMBER not in numbers
