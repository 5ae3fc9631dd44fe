"""Facts about expressions and texts: checked when they are loaded, harmless when they run."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.callback import Window
from ivr.domain.contact import Direction
from ivr.domain.language import Language
from ivr.domain.outage import Outage, OutageId
from ivr.errors import ExpressionFailed
from ivr.flow.expressions import MAX_SOURCE, Expression, Text
from ivr.flow.filters import SPEECH, Speech
from ivr.flow.inspection import CONTEXT
from ivr.flow.views import CallView, QueueView, WindowView, view_caller, view_moment, view_outage, view_window

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
END = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
NAMES = {**CONTEXT, "answers": {"main": str}, "window": WindowView, "visit": datetime}


@pytest.fixture
def values(world: Any) -> Any:
    def made(kind: str = "known", language: Language = Language.NL) -> dict[str, Any]:
        outage = Outage(OutageId("o"), NOW, "Groningen", expected_end=END)
        return {
            "caller": view_caller(world.caller(kind)),
            "call": CallView(language, "+31850001000", "", Direction.INBOUND),
            "outage": view_outage(outage, told=False, zone=ZONE),
            "queue": QueueView(True),
            "answers": {"main": "1"},
            "now": view_moment(NOW, ZONE),
            "window": view_window(Window(NOW, END), ZONE),
            "visit": END,
            SPEECH: Speech(language, date(2026, 11, 23), "NL", ZONE),
        }

    return made


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("caller.known", "known", True),
        ("caller.known", "unknown", False),
        ("visit | date == now.date", "known", True),
        ("visit > outage.expected_end", "known", False),
        ("none | date == now.date", "known", False),
        ("caller.known", "other_number", False),
        ("caller.name", "unknown", False),
        ("caller.open_orders | length > 0", "known", True),
        ("(caller.open_orders | first).state == 'on_the_way'", "known", True),
        ("caller.open_orders[0].number == 'LN-12'", "known", True),
        ("'glasvezel' in caller.products", "known", True),
        ("caller.withheld", "withheld", True),
        ("call.language == 'nl' and not call.reason", "known", True),
        ("outage.open and outage.region == caller.region", "known", True),
        ("answers.main == '1'", "known", True),
        ("now.hour >= 10 and now.weekday in ['mon', 'tue']", "known", True),
        ("queue.open", "known", True),
    ],
)
def test_a_condition_holds_or_not(source: str, kind: str, expected: bool, values: Any) -> None:
    assert Expression(source).examine(NAMES).complaints == []
    assert Expression(source).holds(values(kind)) is expected


@pytest.mark.parametrize(
    ("source", "nl"),
    [
        ("Dag {{ caller.name }}.", "Dag Anna de Vries."),
        ("{{ caller.number | phone }}", "nul zes, één twee, drie vier, vijf zes, zeven acht"),
        ("{{ caller.open_orders | count('bestelling', 'bestellingen') }}", "één bestelling"),
        ("{% for order in caller.orders %}{{ order.number | digits }}{% endfor %}", "L N, één twee"),
        ("{% if outage.expected_end %}{{ outage.expected_end | clock }}{% endif %}", "half drie"),
        ("{{ now.date | spoken_date }} {{ now.time | clock }}", "vandaag vijf over tien"),
        ("{{ visit | spoken_date }} {{ visit | clock }}", "vandaag half drie"),
        (
            "{{ visit | written }}, {{ now.date | written }}, {{ now.time | written }}",
            "23 november 2026 14:30, 23 november 2026, 10:05",
        ),
        ("{{ window | window }}", "vandaag tussen vijf over tien 's ochtends en half drie 's middags"),
        ("{{ now.hour | cardinal }}", "tien"),
        ("{{ caller.products | join(' en ') }}", "glasvezel"),
        ("{{ 12.5 | money }}", "twaalf euro vijftig"),
        ("a  b\n c", "a b c"),
        ("a {# a remark #}b", "a b"),
        ("{{ 'x' if caller.known else 'y' }}", "x"),
        ("{{ caller.region ~ '!' }}", "Groningen!"),
    ],
)
def test_a_text_is_spoken(source: str, nl: str, values: Any) -> None:
    assert Text(source).examine(NAMES).complaints == []
    assert Text(source).spoken(values()) == nl


def test_filters_speak_the_language_of_the_call(values: Any) -> None:
    assert Text("{{ window.end | clock }}").spoken(values(language=Language.EN)) == "half past two"


@pytest.mark.parametrize(
    ("source", "fixed", "personal"),
    [
        ("Hallo.", True, False),
        ("{# remark #}Hallo.", True, False),
        ("{{ now.hour }}", False, False),
        ("{{ outage.region }}", False, False),
        ("{{ caller.region }}", False, False),
        ("{{ caller.name }}", False, True),
        ("{% if caller.open_orders %}ja{% endif %}", False, True),
        ("{{ answers.main }}", False, True),
        ("{{ 'a' }}", False, False),
    ],
)
def test_a_text_knows_whether_it_is_always_the_same_and_whether_it_is_personal(
    source: str, fixed: bool, personal: bool
) -> None:
    text = Text(source)
    assert (text.fixed is not None, text.personal) == (fixed, personal)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("Dag {{ caller.name }}.", "unknown"),
        ("Dag {{ caller.name }}.", "other_number"),
        ("U belt met {{ caller.number | phone }}.", "withheld"),
        ("{{ caller.name | upper }}", "unknown"),
        ("{{ (caller.open_orders | first).number }}", "unknown"),
        ("{% if caller.known %}ja{% endif %}", "unknown"),
        ("{{ none }}", "known"),
        ("{{ 1 / 0 }}", "known"),
    ],
)
def test_half_a_sentence_is_never_said(source: str, kind: str, values: Any) -> None:
    with pytest.raises(ExpressionFailed):
        Text(source).spoken(values(kind))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("caller.oders", "'caller' has no 'oders'|did you mean 'orders'?"),
        ("caler.orders", "unknown name 'caler'|did you mean 'caller'?"),
        ("caller.orders.number", "is a list|use 'caller.orders | first'"),
        ("(caller.orders | first).numer", "has no 'numer'|did you mean 'number'?"),
        ("caller.name.upper", "is text; it has no 'upper'"),
        ("caller['name']", "square brackets only take an element of a list"),
        ("answers.man == '1'", "'answers' has no 'man'|did you mean 'main'?"),
        ("answers.main == 1", "is text, so it never equals 1"),
        ("call.language == 'de'", "'call.language' is never 'de'"),
        ("now.weekday == 'monday'", "is never 'monday'"),
        ("visit == now.date", "'visit' is a moment and 'now.date' a date|write moment | date"),
        ("outage.expected_end < now.time", "is a moment and 'now.time' a time"),
        ("answers.main > now.hour", "'answers.main' is text and 'now.hour' a number"),
        ("now.date | date", "filter 'date' cannot take a date"),
        ("caller.name | clock", "filter 'clock' cannot take text"),
        ("caller.orders | count", "filter 'count' takes 2 arguments, not 0"),
        ("caller.name * 3", "text cannot be reckoned with"),
        ("caller.orders + 1", "a list cannot be reckoned with"),
        ("range(9)", "an expression calls nothing"),
        ("caller.name.__class__", "has no '__class__'"),
        ("caller.__class__", "'caller' has no '__class__'"),
        ("2 ** 9", "'pow' has no place"),
        ("{'a': 1}", "'dict' has no place"),
        ("_speech.language", "unknown name '_speech'"),
    ],
)
def test_what_would_go_wrong_in_a_call_is_found_when_it_is_loaded(source: str, says: str) -> None:
    complaints = Expression(source).examine(NAMES).complaints
    told = " ".join(f"{complaint.message} {complaint.hint}" for complaint in complaints)
    for part in [says.split("|")[0]] if " | " in says else says.split("|"):
        assert part in told


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ caller.orders }}", "is a list; it cannot be spoken"),
        ("{{ caller }}", "as a whole cannot be spoken"),
        ("{{ answers }}", "as a whole cannot be spoken"),
        ("{{ now.date }}", "say how it is spoken"),
        ("{{ outage.expected_end | clock }}", "'outage.expected_end' may be empty"),
        ("{{ outage.expected_end }}", "may be empty"),
        ("{% for a, b in caller.orders %}{% endfor %}", "a loop takes one name"),
        ("{% for a in caller.name %}{{ a }}{% endfor %}", "not a list"),
        ("{% for a in caller.orders %}{% endfor %}{{ a.number }}", "unknown name 'a'"),
        ("{% set a = 1 %}", "'assign' has no place"),
        ("{% macro a() %}{% endmacro %}", "'macro' has no place"),
    ],
)
def test_what_cannot_be_spoken_is_found_when_it_is_loaded(source: str, says: str) -> None:
    assert says in " ".join(complaint.message for complaint in Text(source).examine(NAMES).complaints)


@pytest.mark.parametrize(
    "source",
    [
        "", "caller.known and", "caller.known caller.name", "{{ caller.known }}", "a" * (MAX_SOURCE + 1),
        "x is defined", "x | shout", "(" * 900, "not " * 400, "a" + ".a" * 100, "-" * 900 + "1", "'", "a b", "a, b",
    ],
)  # fmt: skip
def test_what_is_not_an_expression_is_refused_in_words(source: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Expression(source)


@pytest.mark.parametrize(
    "source", ["{{", "{% if a %}", "{% include 'x' %}{{", "{{ a | b }}", "{% if a %}" * 90, "{{ a is b }}"]
)
def test_what_is_not_a_text_is_refused_in_words(source: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Text(source)


def test_a_text_that_would_fill_the_memory_is_not_computed_when_it_is_loaded() -> None:
    complaints = Text("{{ 'a' * 99999999999 }}").examine(NAMES).complaints
    assert "text cannot be reckoned with" in complaints[0].message


@given(st.text(max_size=60))
def test_no_expression_does_more_than_be_refused(source: str) -> None:
    with suppress(ValueError):
        assert Expression(source).examine(NAMES)


@given(st.text(alphabet="{}%| 'abcifnor.()[]=+*~-1", max_size=40))
def test_no_text_does_more_than_be_refused(source: str) -> None:
    with suppress(ValueError):
        assert Text(source).examine(NAMES)
