"""Facts about which entry answers what was dialled."""

from __future__ import annotations

import pytest

from ivr.config.model import Entry


@pytest.mark.parametrize(
    ("pattern", "answers", "others"),
    [
        ("100", ["100"], ["1000", "10", ""]),
        ("100*", ["100", "1007"], ["10", "2100"]),
        ("*", ["", "100", "+31850001000"], []),
        ("08500010??", ["0850001042"], ["085000104", "08500010421", "08500010a1"]),
        ("+31*99", ["+3199", "+3185000199"], ["3185000199"]),
        ("1.0", ["1.0"], ["100"]),
    ],
)
def test_a_pattern_answers_what_it_describes(pattern: str, answers: list[str], others: list[str]) -> None:
    entry = Entry(dialled=pattern, flow="main")
    assert [dialled for dialled in [*answers, *others] if entry.matches(dialled)] == answers


@pytest.mark.parametrize(
    ("first", "second", "covers"),
    [("*", "100", True), ("100*", "1007", True), ("10?", "107", True), ("10?", "10*", False), ("100", "100*", False)],
)
def test_a_pattern_that_answers_another_pattern_answers_all_of_it(first: str, second: str, covers: bool) -> None:
    assert Entry(dialled=first, flow="main").matches(second) == covers
