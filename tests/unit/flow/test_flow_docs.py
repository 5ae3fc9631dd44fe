"""`docs/flows.md` says everything there is to know about flows."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from ivr.flow.filters import FILTERS
from ivr.flow.inspection import CONTEXT
from ivr.flow.kinds import fields_of
from ivr.flow.step import Step
from ivr.flow.steps import STEPS

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.kind)
def test_every_step_is_described_in_the_words_of_its_own_file(step: type[Step]) -> None:
    section = DOCS.split(f"### {step.kind}\n")[1].split("\n### ")[0]
    assert inspect.cleandoc(step.__doc__ or "") in section
    for prompt in step.own_texts:
        assert f"`{prompt}`" in section
    for name, field in step.model_fields.items():
        assert name == step.shorthand or re.search(rf"\b{field.alias or name}\b", section), name


def test_every_name_and_field_and_filter_is_described() -> None:
    for name, kind in CONTEXT.items():
        row = next(line for line in DOCS.splitlines() if line.startswith(f"| `{name}` |"))
        for known in fields_of(kind):
            assert f"`{known}`" in row
    for name in FILTERS:
        assert re.search(rf"^\| .*`{name}\b", DOCS, re.MULTILINE), name


def test_every_page_that_a_problem_points_to_is_there() -> None:
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in DOCS.splitlines() if line.startswith("#")}
    headings |= set(re.findall(r'<a id="(\w+)">', DOCS))
    assert {"yaml", "texts", "expressions", "on_error", "blocks", "flows", "queues"} <= headings
