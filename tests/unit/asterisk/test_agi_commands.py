"""AGI commands: whatever is in a value, it stays a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.asterisk import agi_commands as commands
from ivr.errors import UnsafeValue


def parse_args(line: bytes) -> list[bytes]:
    """Split a command as `parse_args()` of Asterisk's res/res_agi.c does."""
    arguments: list[bytes] = []
    current = bytearray()
    quoted = escaped = False
    blank = True
    for value in line:
        char = bytes([value])
        if escaped:
            current += char
            escaped = blank = False
        elif char == b"\\":
            escaped = True
        elif char == b'"':
            if quoted:
                arguments.append(bytes(current))
                current.clear()
            quoted = not quoted
            blank = True
        elif char in b" \t" and not quoted:
            if not blank:
                arguments.append(bytes(current))
                current.clear()
            blank = True
        else:
            current += char
            blank = False
    if not blank:
        arguments.append(bytes(current))
    return arguments


@given(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=300))
def test_asterisk_reads_back_exactly_the_value_that_was_sent(value: str) -> None:
    line = commands.set_variable("X", value)
    assert line.count(b"\n") == 1
    assert parse_args(line[:-1]) == [b"SET", b"VARIABLE", b"X", value.encode()]


@pytest.mark.parametrize("evil", ["a\nEXEC System rm", "a\rb", "a\0b"])
def test_a_value_with_a_line_break_or_nul_is_refused(evil: str) -> None:
    with pytest.raises(UnsafeValue):
        commands.set_variable("X", evil)
    with pytest.raises(UnsafeValue):
        commands.stream_file(evil, "")
    with pytest.raises(UnsafeValue):
        commands.stream_file("a", evil)


@pytest.mark.parametrize("name", ["", "A B", "${X}", "X}${SHELL(id)", "SHELL(id)", "X\n", "1X", "x" * 81, "é"])
def test_the_name_of_a_variable_is_never_an_expression(name: str) -> None:
    for command in (commands.get_variable, commands.echo):
        with pytest.raises(UnsafeValue):
            command(name)
    with pytest.raises(UnsafeValue):
        commands.set_variable(name, "")
    with pytest.raises(UnsafeValue):
        commands.get_full_variable(name, "end")
    with pytest.raises(UnsafeValue):
        commands.get_full_variable("X", name)


def test_a_line_that_asterisk_would_cut_in_two_commands_is_refused() -> None:
    fits = 2046 - len('SET VARIABLE X ""')
    assert len(commands.set_variable("X", "a" * fits)) == 2047
    with pytest.raises(UnsafeValue, match="2047 bytes"):
        commands.set_variable("X", "a" * (fits + 1))


def test_bytes_that_are_not_utf_8_go_out_as_they_came_in() -> None:
    assert commands.set_variable("X", b"Andr\xe9".decode("utf-8", "surrogateescape")) == b'SET VARIABLE X "Andr\xe9"\n'


def test_asterisk_is_never_asked_to_wait_for_ever() -> None:
    assert commands.wait_for_digit(2.5) == b"WAIT FOR DIGIT 2500\n"
    assert commands.wait_for_digit(-1) == b"WAIT FOR DIGIT 1\n"


def test_a_full_variable_is_read_up_to_a_mark_behind_it() -> None:
    assert commands.get_full_variable("NAME", "end7") == b'GET FULL VARIABLE "${NAME}end7"\n'
