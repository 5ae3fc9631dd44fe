"""Facts about how a problem is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr.errors import InvalidFiles
from ivr.yamlfile.problem import Problem, Severity, did_you_mean, errors_in, in_order, refuse

LINE = "    - plya: welcome"
PLYA = Problem(
    "d/m.yaml", 14, 7, 11, "unknown-step", "unknown step 'plya'", "did you mean 'play'?", "docs/s.md#play", LINE
)


def test_a_problem_shows_its_line_a_caret_and_the_suggestion() -> None:
    assert str(PLYA).splitlines() == [
        "d/m.yaml:14:7: unknown step 'plya'",
        "  14 |     - plya: welcome",
        "     |       ^^^^ did you mean 'play'?   docs/s.md#play   docs/problems.md#unknown-step",
    ]


def test_the_json_shape_is_stable() -> None:
    assert PLYA.as_json() == {
        "file": "d/m.yaml",
        "line": 14,
        "column": 7,
        "rule": "unknown-step",
        "message": "unknown step 'plya'",
        "hint": "did you mean 'play'?",
        "severity": "error",
    }


def test_a_long_line_is_cut_round_its_caret() -> None:
    line = "x" * 500 + "HERE" + "y" * 500
    shown = str(Problem("f", 1, 501, 505, "r", "m", excerpt=line)).splitlines()
    assert max(len(part) for part in shown) < 130
    assert shown[1][shown[2].index("^") :].startswith("HERE")


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in str(Problem("f", 1, 1, 2, "r", "m", excerpt="a\x1b[31m"))


def test_a_problem_without_a_line_shows_none() -> None:
    assert str(Problem("f", 1, 1, 2, "r", "cannot be read")) == "f:1:1: cannot be read\n    docs/problems.md#r"


def test_problems_sort_by_place_each_once() -> None:
    first, second = Problem("a", 1, 9, 10, "r", "m"), Problem("a", 10, 1, 2, "r", "m")
    assert in_order([second, first, second]) == [first, second]


def test_a_warning_says_that_it_is_one_and_is_no_reason_to_refuse() -> None:
    warning = replace(PLYA, severity=Severity.WARNING)
    assert str(warning).startswith("d/m.yaml:14:7: warning: unknown step 'plya'")
    assert warning.as_json()["severity"] == "warning"
    assert errors_in([PLYA, warning]) == [PLYA]
    refuse([warning])


def test_refuse_carries_every_problem_and_is_silent_without_one() -> None:
    refuse([])
    with pytest.raises(InvalidFiles) as refused:
        refuse([PLYA])
    assert refused.value.problems == (PLYA,)
    assert str(refused.value) == str(PLYA)


@pytest.mark.parametrize(
    ("word", "says"),
    [("welcom", "did you mean 'welcome'?"), ("MAIN", "did you mean 'main'?"), ("q", "known here: main, welcome")],
)
def test_a_misspelt_word_is_answered_with_the_nearest(word: str, says: str) -> None:
    assert did_you_mean(word, ["welcome", "main"]) == says
