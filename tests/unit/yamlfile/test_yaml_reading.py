"""Facts about reading YAML with places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.errors import InvalidFiles
from ivr.yamlfile.nodes import Scalar, Table, place_of
from ivr.yamlfile.reading import MAX_BYTES, MAX_DEPTH, parse, read, read_text


@pytest.mark.parametrize("text", ["12:30", "010", "no", "yes", "+4930123456", "1e3", "~", "2026-12-25", "0x10", ".5"])
def test_every_scalar_is_the_text_that_was_written(text: str) -> None:
    assert read_text(f"a: {text}", "f.yaml").plain == {"a": text}


def test_a_value_that_was_left_empty_is_none_and_empty_quotes_are_not() -> None:
    assert read_text('a:\nb: ""\n', "f.yaml").plain == {"a": None, "b": ""}


def test_every_value_knows_its_place() -> None:
    root = read_text("a:\n  - x\n  - key: value\n", "f.yaml")
    place = place_of(root, ("a", 1, "key"))
    assert (place.line, place.column, place.end_line, place.end_column) == (3, 10, 3, 15)
    assert place_of(root, ("a", 1, "key"), key=True).column == 5


def test_parts_of_a_loc_that_are_not_in_the_file_are_passed_over() -> None:
    root = read_text("steps:\n  - say: welcome\n", "f.yaml")
    assert place_of(root, ("steps", 0, "a-tag", "say", "prompt", 3)).column == 10


def test_a_place_of_a_table_is_its_key() -> None:
    root = read_text("a:\n  b: { c: d }\n", "f.yaml")
    assert (place_of(root, ("a", "b")).line, place_of(root, ("a", "b")).column) == (2, 3)


def test_foreign_line_ends_are_read() -> None:
    root = parse("a: x\r\nb: y\rc: z", "f.yaml").root
    assert isinstance(root, Table)
    assert place_of(root, ("c",)).line == 3


def test_text_of_several_lines_keeps_its_hash_signs(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: |\n  #: not a key\n  x\n")
    assert read(path).plain == {"a": "#: not a key\nx\n"}


@pytest.mark.parametrize(
    ("text", "line", "column", "rule", "says"),
    [
        ("a: 1\na: 2\n", 2, 1, "duplicate-key", "first on line 1"),
        ("{a: 1, a: 2}", 1, 8, "duplicate-key", "written twice"),
        ("*: back\n", 1, 1, "syntax", 'in quotes: "*"'),
        ("a: *\n", 1, 4, "syntax", 'in quotes: "*"'),
        ("a: *b\n", 1, 4, "alias", 'in quotes: "*b"'),
        ("a: &b c\n", 1, 4, "anchor", 'in quotes: "&b"'),
        ("a: !b c\n", 1, 4, "tag", "in quotes"),
        ("a: #\n", 1, 3, "comment", 'in quotes: "#"'),
        ("a: #1\n", 1, 3, "comment", 'in quotes: "#1"'),
        ("a: 1\n#: { goto: x }\n", 2, 1, "comment", 'in quotes: "#"'),
        ("a:\n\t- b\n", 2, 1, "tab", "use spaces"),
        ("a: b: c\n", 1, 5, "syntax", "second value"),
        ("a: {{ b }}\n", 1, 5, "key", "put an expression in quotes"),
        ("a: [1\nb: 2\n", 1, 4, "syntax", "never closed"),
        ("a: 'x\nb: 2\n", 1, 4, "syntax", "never closed"),
        ("a: %x\n", 1, 4, "syntax", "cannot start with '%'"),
        ("---\na\n---\nb\n", 3, 1, "document", "second document"),
        ("a: \x07", 1, 4, "character", "U+0007"),
        ("a: 1\nb: \x00", 2, 4, "character", "U+0000"),
        ("# only a comment", 1, 1, "empty", "empty"),
        ("? \n: x", 1, 2, "key", "missing"),
        ("a:\n  - b\n - c\n", 3, 2, "syntax", "indented"),
    ],
)
def test_a_mistake_has_a_place_and_help(text: str, line: int, column: int, rule: str, says: str) -> None:
    problem = parse(text, "f.yaml").problems[0]
    assert (problem.line, problem.column, problem.rule) == (line, column, rule)
    assert says in str(problem)


def test_all_mistakes_are_told_and_the_rest_is_still_read() -> None:
    document = parse("a: &x 1\nb: 2\nb: 3\n", "f.yaml")
    assert [problem.rule for problem in document.problems] == ["anchor", "duplicate-key"]
    assert document.root is not None
    assert document.root.plain == {"a": "1", "b": "2"}


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000])
def test_bottomless_nesting_is_refused_at_once(text: str) -> None:
    assert [problem.rule for problem in parse(text, "f.yaml").problems] == ["too-deep"]


def test_nesting_up_to_the_limit_is_read() -> None:
    assert not parse("[" * MAX_DEPTH + "]" * MAX_DEPTH, "f.yaml").problems


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"a" * (MAX_BYTES + 1))
    with pytest.raises(InvalidFiles, match=r"larger than 2 MB[\s\S]*#too-large"):
        read(path)


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(InvalidFiles, match=r"f\.yaml:2:1: the file is not UTF-8"):
        read(path)


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(InvalidFiles, match=r"flows/x\.yaml:1:1: cannot be read: No such file"):
        read(tmp_path / "x.yaml", shown="flows/x.yaml")


@given(st.text(max_size=200))
def test_no_text_raises_anything(text: str) -> None:
    document = parse(text, "f.yaml")
    assert document.root is not None or document.problems
    for problem in document.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert str(problem)


@given(st.text(alphabet="ab:-#*&!|>'\"{}[],%@?\\ \n\t0", max_size=60))
def test_no_yaml_like_text_raises_anything(text: str) -> None:
    document = parse(text, "f.yaml")
    for problem in document.problems:
        assert 1 <= problem.line <= text.count("\n") + 1
        assert str(problem)


PRINTABLE = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=8)


@given(st.dictionaries(PRINTABLE, PRINTABLE, max_size=4))
def test_quoted_text_comes_back_as_it_was(values: dict[str, str]) -> None:
    root = parse(json.dumps(values, ensure_ascii=False), "f.yaml").root
    assert isinstance(root, Table)
    assert root.plain == values
    assert all(isinstance(value, Scalar) for _, value in root.entries.values())
