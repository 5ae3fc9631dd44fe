"""Every kind of problem is explained on its page, and shown or tried."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ivr.flow.names import BlockName, FlowName, QueueName, TriageName

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/problems.md").read_text(encoding="utf-8")
MAKERS = re.compile(r"(problem|warning|Problem|_only|_refuse)$")
"""How the functions are named that make problems."""
NAMED = (BlockName, FlowName, QueueName, TriageName)
BY_NAME = {f"unknown-{kind.what}" for kind in NAMED} | {"unknown-region", "unknown-hours"}
"""Rules whose names are put together."""


def rules() -> set[str]:
    """The rules that the code knows: what a maker of problems is given first, but for where it is and of what."""
    found = set(BY_NAME)
    for path in [path for folder in ("yamlfile", "flow", "cli") for path in (ROOT / "ivr" / folder).glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "targets", [None])[0]
            if isinstance(name, ast.Name) and name.id == "UNUSED":
                found.add(ast.literal_eval(node.value))  # type: ignore[attr-defined]
            if isinstance(node, ast.Call):
                made_by = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                words = [argument.value for argument in node.args[:5] if isinstance(argument, ast.Constant)]
                named = [word for word in words if isinstance(word, str) and re.fullmatch(r"[a-z]+(-[a-z]+)*", word)]
                if MAKERS.search(made_by) and named:
                    found.add(named[0])
    return found


HEADINGS = re.findall(r"^### (\S+)$", PAGE, re.MULTILINE)
TESTS = "".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path.name != Path(__file__).name
)


def test_rules_are_found() -> None:
    assert {"endless", "tab", "unused-prompt", "unknown-key", "before-verify", "unreadable", "anchor"} <= rules()


@pytest.mark.parametrize("rule", sorted(rules() | set(HEADINGS)))
def test_every_rule_is_explained_once_and_every_explanation_is_of_a_rule(rule: str) -> None:
    assert HEADINGS.count(rule) == 1, f"docs/problems.md has to have one '### {rule}', with an example"
    assert rule in rules()


@pytest.mark.parametrize("rule", sorted(rules()))
def test_every_rule_has_an_example_that_is_checked_or_a_test(rule: str) -> None:
    section = PAGE.split(f"### {rule}\n")[-1].split("\n### ")[0]
    assert ("\nWrong:\n" in section and "\nRight:\n" in section) or re.search(rf"[\"'#]{rule}[\"']", TESTS)
