"""Numbers, ranks, years and amounts, in words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.language import Language
from ivr.flow.spoken import cardinal, count, duration, money, ordinal, year

NL, EN = Language.NL, Language.EN


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "nul"),
        (1, "één"),
        (8, "acht"),
        (14, "veertien"),
        (20, "twintig"),
        (21, "eenentwintig"),
        (22, "tweeëntwintig"),
        (33, "drieëndertig"),
        (48, "achtenveertig"),
        (80, "tachtig"),
        (100, "honderd"),
        (101, "honderdeen"),
        (125, "honderdvijfentwintig"),
        (200, "tweehonderd"),
        (999, "negenhonderdnegenennegentig"),
        (1000, "duizend"),
        (1001, "duizend één"),
        (1100, "elfhonderd"),
        (1234, "duizend tweehonderdvierendertig"),
        (1500, "vijftienhonderd"),
        (2000, "tweeduizend"),
        (2100, "eenentwintighonderd"),
        (9900, "negenennegentighonderd"),
        (10_000, "tienduizend"),
        (11_500, "elfduizend vijfhonderd"),
        (21_001, "eenentwintigduizend één"),
        (123_456, "honderddrieëntwintigduizend vierhonderdzesenvijftig"),
        (1_000_000, "één miljoen"),
        (2_300_000, "twee miljoen driehonderdduizend"),
        (1_000_000_001, "één miljard één"),
        (-5, "min vijf"),
    ],
)
def test_dutch_cardinals(n: int, words: str) -> None:
    assert cardinal(n, NL) == words


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (105, "one hundred and five"),
        (1005, "one thousand and five"),
        (1234, "one thousand two hundred and thirty-four"),
        (1500, "one thousand five hundred"),
        (2_000_017, "two million and seventeen"),
        (-3, "minus three"),
    ],
)
def test_english_cardinals(n: int, words: str) -> None:
    assert cardinal(n, EN) == words


@pytest.mark.parametrize(
    ("n", "dutch", "english"),
    [
        (0, "nulde", "zeroth"),
        (1, "eerste", "first"),
        (2, "tweede", "second"),
        (3, "derde", "third"),
        (5, "vijfde", "fifth"),
        (8, "achtste", "eighth"),
        (9, "negende", "ninth"),
        (12, "twaalfde", "twelfth"),
        (18, "achttiende", "eighteenth"),
        (20, "twintigste", "twentieth"),
        (21, "eenentwintigste", "twenty-first"),
        (22, "tweeëntwintigste", "twenty-second"),
        (100, "honderdste", "one hundredth"),
        (101, "honderdeerste", "one hundred and first"),
        (103, "honderdderde", "one hundred and third"),
        (118, "honderdachttiende", "one hundred and eighteenth"),
        (1000, "duizendste", "one thousandth"),
        (1001, "duizend eerste", "one thousand and first"),
        (1500, "vijftienhonderdste", "one thousand five hundredth"),
    ],
)
def test_ranks(n: int, dutch: str, english: str) -> None:
    assert ordinal(n, NL) == dutch
    assert ordinal(n, EN) == english


@pytest.mark.parametrize(
    ("n", "dutch", "english"),
    [
        (1999, "negentienhonderdnegenennegentig", "nineteen ninety-nine"),
        (1900, "negentienhonderd", "nineteen hundred"),
        (1905, "negentienhonderdvijf", "nineteen oh five"),
        (2000, "tweeduizend", "two thousand"),
        (2005, "tweeduizend vijf", "two thousand and five"),
        (2025, "tweeduizend vijfentwintig", "twenty twenty-five"),
        (1066, "duizend zesenzestig", "one thousand and sixty-six"),
    ],
)
def test_years(n: int, dutch: str, english: str) -> None:
    assert year(n, NL) == dutch
    assert year(n, EN) == english


@pytest.mark.parametrize(
    ("amount", "dutch", "english"),
    [
        ("12.50", "twaalf euro vijftig", "twelve euros fifty"),
        ("1.00", "één euro", "one euro"),
        ("0.50", "vijftig cent", "fifty cents"),
        ("0.01", "één cent", "one cent"),
        ("12.05", "twaalf euro en vijf cent", "twelve euros and five cents"),
        ("1500", "vijftienhonderd euro", "one thousand five hundred euros"),
        ("19.995", "twintig euro", "twenty euros"),
        ("0", "nul euro", "zero euros"),
        ("-3.20", "min drie euro twintig", "minus three euros twenty"),
        ("-0.001", "nul euro", "zero euros"),
    ],
)
def test_money(amount: str, dutch: str, english: str) -> None:
    assert money(Decimal(amount), NL) == dutch
    assert money(Decimal(amount), EN) == english


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e12"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        money(Decimal(amount), NL)


def test_counting_uses_none_one_and_many() -> None:
    assert [count(n, "bestelling", "bestellingen", NL) for n in (0, 1, 3)] == [
        "geen bestellingen",
        "één bestelling",
        "drie bestellingen",
    ]
    assert [count(n, "order", "orders", EN) for n in (0, 1, 3)] == ["no orders", "one order", "three orders"]


@pytest.mark.parametrize(
    ("seconds", "dutch", "english"),
    [
        (0, "nul seconden", "zero seconds"),
        (1, "één seconde", "one second"),
        (59.7, "één minuut", "one minute"),
        (89, "één minuut", "one minute"),
        (300, "vijf minuten", "five minutes"),
        (900, "een kwartier", "a quarter of an hour"),
        (1800, "een half uur", "half an hour"),
        (3600, "één uur", "one hour"),
        (5400, "anderhalf uur", "an hour and a half"),
        (7260, "twee uur en één minuut", "two hours and one minute"),
        (86400, "één dag", "one day"),
        (2 * 86400 + 3 * 3600, "twee dagen en drie uur", "two days and three hours"),
    ],
)
def test_durations(seconds: float, dutch: str, english: str) -> None:
    assert duration(seconds, NL) == dutch
    assert duration(seconds, EN) == english


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        duration(-1, NL)


@pytest.mark.parametrize("language", list(Language))
def test_a_number_past_the_largest_is_refused(language: Language) -> None:
    with pytest.raises(ValueError, match="is not between"):
        cardinal(10**12, language)
    with pytest.raises(ValueError, match="is not between"):
        ordinal(-1, language)


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**12 - 1))
def test_different_numbers_sound_different(one: int, other: int) -> None:
    for language in Language:
        assert (cardinal(one, language) == cardinal(other, language)) == (one == other)
        assert (ordinal(one, language) == ordinal(other, language)) == (one == other)
