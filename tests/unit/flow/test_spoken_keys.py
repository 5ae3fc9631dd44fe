"""Facts about the keys that texts tell: what is told is found, and a number that counts something is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flow.spoken_keys import named_keys, told_keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Voor een storing, kies één. Voor uw factuur, kies twee.", "12"),
        ("Kies één, dan verbind ik u door. Is het niet meer nodig? Kies dan twee.", "12"),
        ("Druk op 1.", "1"),
        ("Druk dan op de 3 voor een monteur", "3"),
        ("Toets een voor een storing, toets 2 voor de rest.", "12"),
        ("Kies nu uit 1, 2 of 3.", "123"),
        ("Kies één voor ja, of twee voor nee.", "12"),
        ("Voor een medewerker kiest u nul", "0"),
        ("Druk op het hekje. Of druk op sterretje.", "#*"),
        ("Press 1 for sales, 2 for support, or 3 for billing.", "123"),
        ("For English, press nine.", "9"),
        ("Press one or two.", "12"),
        ("Choose 1 if it works; press the star key to hear this again.", "1*"),
        ("Please press two now", "2"),
        ("KIES DRIE.", "3"),
    ],
)
def test_keys_that_are_told_are_found_in_their_order(text: str, keys: str) -> None:
    assert "".join(told.key for told in told_keys(text)) == keys


@pytest.mark.parametrize(
    "text",
    [
        "Toets een cijfer, dan gaan we verder.",
        "Press a key and we will go on.",
        "Toets de vier cijfers van uw postcode.",
        "Key in the four digits of your postcode.",
        "Toets uw geboortedatum in acht cijfers.",
        "Kies een ander moment.",
        "Kies één van de volgende mogelijkheden.",
        "Choose one of the following options.",
        "Kies een of meer producten.",
        "Houd de rode knop vijf tellen ingedrukt.",
        "Press the button for five seconds.",
        "Druk 2 keer op de knop.",
        "Bel 112 bij nood.",
        "Kies 10.",
        "Sluit af met een hekje.",
        "De dienst kost 2 euro, of 3 met btw.",
        "",
    ],
)
def test_a_number_that_counts_something_is_no_key(text: str) -> None:
    assert told_keys(text) == []


def test_the_word_that_tells_a_key_is_given_as_it_is_written() -> None:
    assert [told.word for told in told_keys("Kies Één. Press 2.")] == ["Één", "2"]


def test_every_way_to_name_a_key_counts_as_naming_it() -> None:
    assert named_keys("Voor facturen 2, en met drie komt u bij 45, of een hekje.") == set("2345#")
    assert named_keys("Voor een monteur toetst u een.") == {"1"}


@given(st.text(max_size=200))
def test_no_text_is_too_odd_and_what_is_told_is_named(text: str) -> None:
    assert {told.key for told in told_keys(text)} <= named_keys(text)
