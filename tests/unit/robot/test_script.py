from __future__ import annotations

import pytest

from ivr.robot.script import HangUp, Moment, Press, Script, read_moment, read_press


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("3.5s", Moment(3.5)),
        ("500ms", Moment(0.5)),
        ("main_menu", Moment(0, "main_menu")),
        ("nl/main-menu.2", Moment(0, "nl/main-menu.2")),
        ("main_menu+500ms", Moment(0.5, "main_menu")),
        ("main_menu:end", Moment(0, "main_menu", at_end=True)),
        ("main_menu:end+1s", Moment(1, "main_menu", at_end=True)),
        ("2nd_menu", Moment(0, "2nd_menu")),
        ("7f3a", Moment(0, "7f3a")),
    ],
)
def test_a_moment_is_a_time_or_a_prompt(text: str, moment: Moment) -> None:
    assert read_moment(text) == moment
    assert read_moment(str(moment)) == moment


@pytest.mark.parametrize("text", ["", "3.5", "main menu", "+1s", "main_menu:start", "main_menu+soon", ":end"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write such as|did you mean '3.5s'"):
        read_moment(text)


def test_keys_are_pressed_at_a_moment() -> None:
    assert read_press("06*#@2s") == Press("06*#", Moment(2))
    assert read_press("1@main_menu") == Press("1", Moment(0, "main_menu"))


@pytest.mark.parametrize(("text", "why"), [("1", "1@main_menu"), ("@2s", "1@main_menu"), ("1x@2s", "'X' in '1x@2s'")])
def test_what_is_no_key_press_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_press(text)


def test_a_prompt_that_a_key_answers_is_a_menu() -> None:
    script = Script(
        (Press("1", Moment(0, "main_menu")), Press("2", Moment(3)), HangUp(Moment(0, "goodbye"))),
        menus=frozenset({"number"}),
    )
    assert script.waits_after == {"main_menu", "number"}
    assert script.prompts == {"main_menu", "number", "goodbye"}
