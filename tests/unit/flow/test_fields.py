"""What a step reads of a customer's dossier is what it waits for, and what connected systems are asked for."""

from __future__ import annotations

import pytest

from ivr.flow.fields import fields_used
from ivr.flow.model import Prompts
from ivr.flow.steps.branch import Branch


@pytest.mark.parametrize(
    ("when", "fields"),
    [
        ("caller.open_orders", {"open_orders"}),
        ("not caller.open_orders", {"open_orders"}),
        ("caller.open_orders | first", {"open_orders"}),
        ("caller.invoices and caller.cases", {"invoices", "cases"}),
        ("caller.orders[0].state == 'delayed'", {"orders"}),
        ("caller.name", set()),
        ("call.language == 'nl'", set()),
    ],
)
def test_a_branch_waits_for_what_its_conditions_read(when: str, fields: set[str]) -> None:
    step = Branch.model_validate({"ways": [{"when": when, "goto": "there"}]})
    assert fields_used(step, Prompts({})) == fields
