"""Facts about what is found in menus: keys that are told and not there, keys that are there and not told, too many."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ivr.domain.language import Language
from ivr.flow.loader import examine
from ivr.flow.sources import Sources

ENDS = "there:\n  - hang_up:\nperson:\n  - queue: support\n"


def found(examine_flow: Any, menu: str, texts: Mapping[str, str], **more: Any) -> list[str]:
    """The problems of a flow with this menu."""
    flows, problems = examine_flow(f"here:\n  - menu: {menu}\n{ENDS}", texts, **more)
    assert (flows is None) == any(problem.is_error for problem in problems)
    return [f"{p.severity} {p.rule}: {p.message}" for p in problems]


def test_a_prompt_that_tells_a_key_that_is_not_there_is_refused_in_the_text(examine_flow: Any) -> None:
    texts = {"one": "Kies één of twee. Voor een medewerker, kies nul."}
    _, problems = examine_flow(
        f'here:\n  - menu: {{ prompt: one, options: {{ "1": there, "0": person }} }}\n{ENDS}', texts
    )
    (problem,) = problems
    assert problem.message == "'one' tells callers to press 2, and flows/case.yaml:5 has no such option"
    assert (problem.file, problem.hint) == ("prompts/nl/texts.yaml", "its keys: 0, 1")
    assert problem.excerpt[problem.column - 1 : problem.end_column - 1] == "twee"


def test_an_option_that_no_text_tells_is_a_warning_at_the_option(examine_flow: Any) -> None:
    texts = {"one": "Voor een medewerker, kies nul."}
    _, problems = examine_flow(
        f'here:\n  - menu: {{ prompt: one, options: {{ "1": there, "0": person }} }}\n{ENDS}', texts
    )
    (problem,) = problems
    assert str(problem).startswith("flows/case.yaml:5:39: warning: no text in NL tells callers to press 1")


@pytest.mark.parametrize(
    ("menu", "texts"),
    [
        ('{ prompt: one, options: { "1": there, "0": person } }', {"one": "Waarmee kunnen we u helpen?"}),
        ('{ prompt: one, options: { "1": there, "0": person } }', {"one": "Kies 1. Dag {{ caller.name }}."}),
        ('{ prompt: one, options: { "1": there, "#": person } }', {"one": "Kies één."}),
        ('{ prompt: one, options: { "1": there, "2": { goto: person, when: caller.known } } }', {"one": "Kies één."}),
        ('{ prompt: one, options: { "1": there, "2": person } }', {"one": "Voor dit kiest u één, en voor dat 2."}),
        (
            '{ prompt: one, options: { "1": there, "2": { goto: person, say: two } } }',
            {"one": "Kies één.", "two": "Druk op {{ key }}."},
        ),
        (
            "{ prompt: one, options: [{ goto: there, say: two }, { goto: person, say: three, key: '0' }] }",
            {"one": "Hallo.", "two": "Kies {{ key }}.", "three": "Kies nul."},
        ),
        ("{ prompt: [one, two], options: { '1': there, '2': person } }", {"one": "Kies één.", "two": "Kies twee."}),
    ],
)
def test_what_may_well_be_meant_is_no_problem(examine_flow: Any, menu: str, texts: Mapping[str, str]) -> None:
    assert found(examine_flow, menu, texts) == []


def test_an_option_whose_own_text_tells_another_one_s_key_is_refused(examine_flow: Any) -> None:
    menu = '{ prompt: one, options: { "1": { goto: there, say: two }, "2": { goto: person, say: three } } }'
    texts = {"one": "Hallo.", "two": "Kies twee.", "three": "Kies twee."}
    assert found(examine_flow, menu, texts) == [
        "error told-key: 'two' tells callers to press 2, and its option at flows/case.yaml:5 has key 1"
    ]


def test_keys_that_are_given_out_are_known(examine_flow: Any) -> None:
    menu = "{ prompt: one, options: [{ goto: there, say: two }, { goto: person, say: two }] }"
    texts = {"one": "Kies straks 1 of 3.", "two": "Kies {{ key }}."}
    assert found(examine_flow, menu, texts) == [
        "error told-key: 'one' tells callers to press 3, and flows/case.yaml:5 has no such option"
    ]


def test_every_language_is_read(examine_flow: Any, tmp_path: Path) -> None:
    menu = '{ prompt: one, options: { "1": there, "2": person } }'
    problems = found(examine_flow, menu, {"one": "Kies 1 of 3."}, head="start: here\nlanguages: [nl, en]")
    assert [problem.split(":")[0] for problem in problems] == ["warning untold-key"] * 2 + ["error told-key"] * 2


def test_what_a_recording_says_is_not_known(examine_flow: Any, tmp_path: Path) -> None:
    menu = '{ prompt: one, options: { "1": there, "2": { goto: person, say: two } } }'
    texts = {"one": "Kies drie.", "two": "Kies twee."}
    assert len(found(examine_flow, menu, texts)) == 2
    for language in Language:
        (tmp_path / "prompts" / language / "one.wav").write_bytes(b"")
    assert found(examine_flow, menu, texts) == []


def test_more_than_five_options_are_a_warning(examine_flow: Any) -> None:
    five, six = ("{ " + ", ".join(f"'{key}': there" for key in range(1, last)) + " }" for last in (6, 7))
    rest = "here: [{ menu: { prompt: welcome, options: %s, no_input: person } }]\n" + ENDS
    assert examine_flow(rest % five)[1] == []
    flows, problems = examine_flow(rest % six)
    assert flows is not None
    assert [problem.message for problem in problems] == ["6 options are more than callers remember; 5 are the most"]


TRIAGE = """triage: case
start: lights
questions:
  lights:
    ask: one
    choices: { "1": solved, "2": agent }
"""


def test_questions_of_a_triage_are_read_too_even_if_no_flow_asks_them(examine_flow: Any, tmp_path: Path) -> None:
    blocks = "here:\n  - queue: support\n"
    assert examine_flow(blocks, {"one": "Kies één of twee."}, triage=TRIAGE)[1] == []
    problems = examine_flow(blocks, {"one": "Kies één of drie."}, triage=TRIAGE)[1]
    assert [(p.file, p.rule) for p in problems] == [
        ("flows/triage/case.yaml", "untold-key"),
        ("prompts/nl/texts.yaml", "told-key"),
    ]
    problems = examine_flow(blocks, {}, triage=TRIAGE)[1]
    assert [(p.file, p.line, p.rule) for p in problems] == [("flows/triage/case.yaml", 5, "unknown-prompt")]


def test_our_own_texts_raise_no_false_alarm() -> None:
    root = Path(__file__).parents[3]
    assert examine(Sources(root / "dialplans", root / "prompts", {"support"}))[1] == []
