"""Following changes leaves nobody out: not where many changed at once, nor when records move between pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integrations.rest.connector import RestConnector
from ivr.errors import ConnectorRefused
from tests.integrations.rest.conftest import Connect
from tests.integrations.rest.contract_server import Ask, Route, Vendor

RECIPE = """\
title: Many
values: {base_url: its address}
base_url: "{{ base_url }}"
check: {path: /people}
customer: {id: id, name: name, numbers: phone}
changes:
  requests:
    - path: /people
      query: {since: "{{ since }}", skip: "{{ offset }}", take: "3"}
  mark: changed
  oldest_first: true
  paging: {page_size: 3}
"""


class Crm:
    """People with the moment they changed, given oldest first, three at most."""

    def __init__(self, *changed: str) -> None:
        self.people = [
            {"id": place, "name": f"P{place}", "phone": "", "changed": at} for place, at in enumerate(changed)
        ]

    def answer(self, ask: Ask) -> Any:
        """The page that is asked for."""
        found = [each for each in self.people if str(each["changed"]) >= ask.query.get("since", "")]
        found.sort(key=lambda each: (str(each["changed"]), str(each["id"])))
        skip = int(ask.query["skip"])
        return found[skip : skip + 3]


@pytest.fixture
def many(tmp_path: Path) -> str:
    """The recipe's file."""
    (tmp_path / "many.yaml").write_text(RECIPE)
    return "many.yaml"


def vendor(recipe: str, crm: Crm) -> Vendor:
    """A server for it."""
    asked = frozenset({"since", "skip", "take"})
    return Vendor(
        recipe, {"base_url": "{base}"}, {}, ("Host", ""), [Route("GET", "/people", crm.answer, asked, open_to_all=True)]
    )


async def read(crm: RestConnector, cursor: str | None) -> tuple[set[str], str]:
    """Everybody who is told from a cursor on, and where that ends."""
    seen: set[str] = set()
    for _ in range(50):
        page = await crm.changes(cursor, 3)
        seen |= {each.id for each in page.customers}
        cursor = page.cursor
        if not page.more:
            return seen, cursor
    raise AssertionError("it never ends")


@pytest.mark.parametrize(
    "changed",
    [
        (),
        ("10",),
        tuple(f"{place:02}" for place in range(10)),
        ("10",) * 8,
        ("10", "11", "11", "11", "11", "11", "11", "12"),
        ("10", "10", "10"),
    ],
)
async def test_everybody_is_told(connect: Connect, many: str, changed: tuple[str, ...]) -> None:
    crm = (await connect(vendor(many, Crm(*changed)))).connector
    seen, cursor = await read(crm, None)
    assert seen == {str(place) for place in range(len(changed))}
    again, _ = await read(crm, cursor)
    latest = max(changed, default="")
    assert again == {str(place) for place, at in enumerate(changed) if at == latest}


async def test_who_changes_meanwhile_pushes_nobody_out(connect: Connect, many: str) -> None:
    people = Crm(*(f"{place:02}" for place in range(9)))
    crm = (await connect(vendor(many, people))).connector
    page = await crm.changes(None, 3)
    seen = {each.id for each in page.customers}
    people.people[0]["changed"] = "99"  # and so the fourth of the list becomes the third
    rest, _ = await read(crm, page.cursor)
    assert seen | rest == {str(place) for place in range(9)}


async def test_a_change_after_the_end_is_told_next_time(connect: Connect, many: str) -> None:
    people = Crm("10", "11")
    crm = (await connect(vendor(many, people))).connector
    _, cursor = await read(crm, None)
    people.people.append({"id": 7, "name": "New", "phone": "", "changed": "12"})
    seen, _ = await read(crm, cursor)
    assert "7" in seen
    assert "0" not in seen


async def test_numbers_as_marks_are_numbers(connect: Connect, many: str) -> None:
    crm = (await connect(vendor(many, Crm("9", "10")))).connector
    _, cursor = await read(crm, None)
    assert '"10"' in cursor


async def test_a_cursor_of_something_else_is_refused(connect: Connect, many: str) -> None:
    crm = (await connect(vendor(many, Crm("10")))).connector
    with pytest.raises(ConnectorRefused, match="another kind of recipe"):
        await crm.changes("2026-11-22", 3)
