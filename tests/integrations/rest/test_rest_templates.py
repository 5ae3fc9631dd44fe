"""A value in a request stays one value, whatever is in it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from integrations.rest.client import address, linked
from integrations.rest.mapping import Mapper, Reading
from integrations.rest.quoting import odata, soql, sosl
from integrations.rest.recipe import Source
from integrations.rest.templates import Template
from ivr.domain.dossier import Appointment, Invoice, InvoiceState
from ivr.errors import ConnectorRefused
from tests.integrations.rest.odata_filter import ODataFilter

BASE = URL("https://crm.example/api")
printable = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


@given(printable)
def test_a_value_in_a_query_is_one_parameter(value: str) -> None:
    url = address(BASE, "/people", [("phone", value), ("limit", "2")])
    assert parse_qsl(url.raw_query_string, keep_blank_values=True) == [("phone", value), ("limit", "2")]


@given(printable.filter(lambda text: text not in ("", ".", "..")))
def test_a_value_in_a_path_is_one_segment(value: str) -> None:
    path = Template("/people/{{ x }}/orders", path=True).value({"x": value})
    assert path.count("/") == 3
    assert unquote(path.split("/")[2]) == value
    assert address(BASE, path, []).raw_path == "/api" + path


@pytest.mark.parametrize("value", ["", ".", "..", None])
def test_a_value_that_would_change_the_path_is_refused(value: str | None) -> None:
    with pytest.raises(ConnectorRefused):
        Template("/people/{{ x }}", path=True).value({"x": value})


@given(printable)
def test_a_value_in_odata_selects_itself_and_no_more(value: str) -> None:
    chosen = ODataFilter(f"name eq {odata(value)}", {"name"})
    assert chosen.selects({"name": value})
    assert not chosen.selects({"name": value + "x"})


@given(printable)
def test_a_value_in_soql_and_sosl_cannot_end_what_it_stands_in(value: str) -> None:
    assert not unescaped(soql(value)[1:-1], "'")
    assert not unescaped(sosl(value), "{}()\"'*?&|!")


def unescaped(text: str, letters: str) -> bool:
    """Whether one of these letters stands there without a backslash of its own before it."""
    place = 0
    while place < len(text):
        if text[place] == "\\":
            place += 2
        elif text[place] in letters:
            return True
        else:
            place += 1
    return place > len(text)


@pytest.mark.parametrize(
    ("source", "context", "value"),
    [
        ("{{ x }}", {"x": [1, 2]}, [1, 2]),
        ("{{ x }}", {"x": None}, None),
        ("{{- x -}}", {"x": 7}, 7),
        ("{{ 'y' if x }}", {"x": False}, None),
        ("plain", {}, "plain"),
        ("{% for n in x %}{{ '' if loop.first else ';' }}{{ n | digits }}{% endfor %}", {"x": ["+1-2", "3"]}, "12;3"),
        ("{{ x | iso }}", {"x": datetime(2026, 11, 22, 9, tzinfo=UTC)}, "2026-11-22T09:00:00Z"),
        ("{{ x | milliseconds }}", {"x": timedelta(seconds=1.5)}, 1500),
        ("{{ x | uuid }}", {"x": "a"}, "1ec19eee-5ff8-5a1e-8a9d-5e6bb5d42b9b"),
        ("a{{ x | html }}", {"x": "<b>\n"}, "a&lt;b&gt;<br>"),
        ("{{ x | cut(2) }}", {"x": "abc"}, "ab"),
    ],
)
def test_values_keep_their_types(source: str, context: dict[str, Any], value: Any) -> None:
    found = Template(source).value(context)
    if "uuid" in source:
        assert found == Template(source).value(context) != Template(source).value({"x": "b"})
    else:
        assert found == value
        assert type(found) is type(value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ x | word }}", "a b"),
        ("{{ x | zendesk }}", 'a"b'),
        ("{{ x | afas }}", "a;b"),
        ("{{ x | freshdesk }}", "a'b"),
    ],
)
def test_what_cannot_be_quoted_is_refused_and_not_shown(source: str, value: str) -> None:
    with pytest.raises(ConnectorRefused) as refused:
        Template(source).value({"x": value})
    assert value not in str(refused.value)


def test_the_sandbox_has_no_way_out() -> None:
    with pytest.raises(ConnectorRefused):
        Template("{{ x.__class__.__mro__ | plain }}.").value({"x": ""})


@pytest.mark.parametrize(
    "link", ["https://evil.example/", "//evil.example/x", "http://crm.example/x", "", "https://crm.example:8/", "/a b"]
)
def test_a_link_leads_nowhere_else(link: str) -> None:
    with pytest.raises(ConnectorRefused, match="another host"):
        linked(BASE, link, "GET /people")


def test_a_link_is_followed_as_it_was_written() -> None:
    assert str(linked(BASE, "/x?$a=b%27c%2B+d", "GET /")) == "https://crm.example/x?$a=b%27c%2B+d"
    assert str(linked(BASE, "https://crm.example:443/x", "GET /")) == "https://crm.example/x"


def reading() -> Reading:
    """Half past midnight in Amsterdam is the day before in UTC."""
    return Reading("NL", ZoneInfo("Europe/Amsterdam"), lambda: date(2026, 11, 22))


@pytest.mark.parametrize(
    ("due", "format", "day"),
    [
        ("2026-11-21", None, date(2026, 11, 21)),
        ("2026-11-21T23:30:00Z", None, date(2026, 11, 22)),
        ("2026-11-21T23:30:00", None, date(2026, 11, 21)),
        ("/Date(1763683200000)/", None, date(2025, 11, 21)),
        ("21-11-2026", "%d-%m-%Y", date(2026, 11, 21)),
        (1795303800, "seconds", date(2026, 11, 22)),
        ("1795303800000", "milliseconds", date(2026, 11, 22)),
        ("soon", None, None),
        (None, None, None),
        (10**30, "seconds", None),
        ({"a": 1}, None, None),
    ],
)
def test_days_are_those_of_the_organisation(due: object, format: str | None, day: date | None) -> None:
    sources = {name: Source.model_validate({"find": name}) for name in ("number", "state", "amount")}
    sources["due_on"] = Source.model_validate({"find": "due", "format": format})
    record = {"number": 1, "state": "open", "amount": Decimal("1.10"), "due": due}
    (invoice,) = Mapper(Invoice, sources, reading()).all_of([record])
    assert invoice.due_on == day
    late = day is not None and day < date(2026, 11, 22)
    assert invoice.state is (InvoiceState.OVERDUE if late else InvoiceState.OPEN)
    assert invoice.amount == Decimal("1.10")


@pytest.mark.parametrize("amount", ["much", None, "NaN", True, [1]])
def test_an_invoice_without_an_amount_is_left_out(amount: object) -> None:
    sources = {name: Source.model_validate({"find": name}) for name in ("number", "state", "amount")}
    assert Mapper(Invoice, sources, reading()).all_of([{"number": 1, "state": "open", "amount": amount}]) == []


def test_a_visit_without_a_zone_is_in_the_organisations() -> None:
    sources = {"number": Source.model_validate({"find": "id"}), "starts_at": Source.model_validate({"find": "at"})}
    (visit,) = Mapper(Appointment, sources, reading()).all_of([{"id": 1, "at": "2026-07-01T10:00:00"}])
    assert visit.starts_at.astimezone(UTC) == datetime(2026, 7, 1, 8, tzinfo=UTC)
