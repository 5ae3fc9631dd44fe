"""Facts about comparing what was heard with what was expected."""

from __future__ import annotations

import pytest

from ivr.domain.language import Language
from ivr.domain.speech import Utterance
from ivr.simulation.scenario import Hears
from ivr.simulation.scripted_channel import Heard
from ivr.simulation.trial import first_unheard


def parted(expected: str, heard: str) -> tuple[int, int] | None:
    wanted = tuple(Hears.model_validate(item) for item in expected.split())
    sounded = [Heard(0.0, Utterance(name, Language.NL, f"words of {name}, said."), 1.0) for name in heard.split()]
    return first_unheard(wanted, sounded)


@pytest.mark.parametrize(
    ("expected", "heard"),
    [
        ("a b", "a b"),
        ("…", ""),
        ("…", "a b c"),
        ("a …", "a"),
        ("a …", "a b"),
        ("… c", "a b c"),
        ("a … c", "a c"),
        ("a … c", "a b b c"),
        ("… a b …", "a c a b c"),
        ("a … b", "a b b"),
        ("… …", "a"),
        ("a ... b … c", "a x b y z c"),
    ],
)
def test_what_fits(expected: str, heard: str) -> None:
    assert parted(expected, heard) is None


@pytest.mark.parametrize(
    ("expected", "heard", "where"),
    [
        ("a b", "a", (1, 1)),
        ("a b", "a c", (1, 1)),
        ("a", "a b", (1, 1)),
        ("b", "a b", (0, 0)),
        ("a … c", "a b", (2, 1)),
        ("… a b …", "a c a", (2, 1)),
        ("… a", "a b", (1, 1)),
        ("a", "", (0, 0)),
        ("a … c d e", "a b c d x y", (4, 4)),
        ("a … c d e", "a b c d", (4, 4)),
    ],
)
def test_where_they_part(expected: str, heard: str, where: tuple[int, int]) -> None:
    assert parted(expected, heard) == where


def test_words_are_looked_for_in_what_is_said_and_a_word_is_a_name() -> None:
    heard = [Heard(0.0, Utterance("welcome", Language.NL, "Welkom bij Lijnnet."), 1.0)]
    for fits in ("welcome", "bij lijnnet.", {"prompt": "welcome", "says": "welkom"}):
        assert first_unheard([Hears.model_validate(fits)], heard) is None
    for differs in ("goodbye", "bij ons", {"prompt": "goodbye", "says": "welkom"}):
        assert first_unheard([Hears.model_validate(differs)], heard) == (0, 0)
