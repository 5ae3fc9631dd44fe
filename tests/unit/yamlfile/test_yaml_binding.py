"""Facts about binding a file to a model."""

from __future__ import annotations

from datetime import date
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ivr.yamlfile.binding import bind, place_problem
from ivr.yamlfile.problem import Problem
from ivr.yamlfile.reading import parse, read_text


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(1, ge=1, le=9)
    colour: Literal["red", "green"] = "red"
    word: str = Field("abc", pattern="^[a-z]+$", alias="with")
    either: int | list[str] = 1


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    on: bool = False
    day: date = date(2026, 1, 1)
    parts: list[Part] = []
    named: dict[Literal["one", "two"], Part] = {}
    first: str = ""

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        if len(name) > 9:
            raise ValueError(f"'{name}' is too long; nine letters are enough")
        return name

    @model_validator(mode="after")
    def _first_is_named(self) -> Whole:
        if self.first and self.first not in self.named:
            raise PydanticCustomError(
                "value", "'{first}' is not there; name it", {"at": ("first",), "first": self.first}
            )
        return self


def problems(text: str) -> list[Problem]:
    found, told = bind(read_text(text, "f.yaml"), Whole, docs="docs/whole.md")
    assert (found is None) == bool(told)
    return told


def test_text_becomes_what_the_schema_says() -> None:
    root = read_text("name: 010\non: yes\nday: 2026-12-25\nparts: [{ size: 3, with: x }]", "f.yaml")
    whole, told = bind(root, Whole)
    assert told == []
    assert whole is not None
    assert (whole.name, whole.on, whole.day, whole.parts[0].size) == ("010", True, date(2026, 12, 25), 3)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("nmae: x", (1, 1), "unknown key 'nmae'"),
        ("name: x\nparts:\n  - szie: 1", (3, 5), "did you mean 'size'?"),
        ("name: x\nparts:\n  - wiht: a", (3, 5), "did you mean 'with'?"),
        ("name: x\nnamed: { one: { clour: red } }", (2, 17), "did you mean 'colour'?"),
        ("name: x\nnamed: { on: { size: 1 } }", (2, 10), "did you mean 'one'?"),
        ("on: true", (1, 1), "'name' is missing here"),
        ("name: x\nparts:\n  - size: many", (3, 11), "'many' is not a whole number"),
        ("name: x\nparts:\n  - size: 99", (3, 11), "9 is the most"),
        ("name: x\nparts:\n  - colour: gren", (3, 13), "did you mean 'green'?"),
        ("name: x\nparts:\n  - with: ABC", (3, 11), "it must look like ^[a-z]+$"),
        ("name: x\nparts:\n  - either: abc", (3, 13), "'abc' is not a whole number or a list"),
        ("name: x\nparts: abc", (2, 8), "'abc' is not a list"),
        ("name: x\nparts:", (2, 1), "nothing is written here; it must be a list"),
        ("name: x\non: maybe", (2, 5), "'maybe' is not true or false"),
        ("name: x\nday: tomorrow", (2, 6), "a date such as 2026-12-25"),
        ("name: [x]", (1, 1), "a list is not a text"),
        ("name: abcdefghijkl", (1, 7), "nine letters are enough"),
        ("- name: x", (1, 1), "a list is not a table of keys and values"),
        ("name: x\nfirst: one", (2, 8), "'one' is not there"),
    ],
)
def test_a_mistake_is_told_plainly_at_its_place(text: str, place: tuple[int, int], says: str) -> None:
    (problem,) = problems(text)
    assert (problem.line, problem.column) == place
    assert says in str(problem)
    assert "docs/whole.md" in str(problem)


def test_all_mistakes_are_told_in_order() -> None:
    told = problems("on: maybe\nparts: [{ size: x }, { clour: red }]\n")
    assert [(problem.line, problem.rule) for problem in told] == [
        (1, "missing-key"),
        (1, "type"),
        (2, "type"),
        (2, "unknown-key"),
    ]


def test_later_checks_can_point_at_a_value() -> None:
    root = read_text("parts:\n  - size: 3\n", "f.yaml")
    problem = place_problem(root, ("parts", 0, "size"), "rule", "three is one too many", "take two")
    assert str(problem).startswith("f.yaml:2:11: three is one too many")


@given(st.text(alphabet="name:prts-[]{},x1 \n", max_size=80))
def test_binding_never_raises_and_always_has_a_place(text: str) -> None:
    document = parse(text, "f.yaml")
    if document.root is not None:
        for problem in bind(document.root, Whole)[1]:
            assert problem.line >= 1
            assert "pydantic" not in str(problem)
