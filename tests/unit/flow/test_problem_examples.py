"""`docs/problems.md` tells the truth: each example there has the problem it stands under, and its cure has none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import indent

import pytest

from ivr.cli.check import examined
from ivr.domain.language import Language
from ivr.yamlfile.problem import Problem
from tests.unit.flow.test_loader import mutations, places_are_real

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/problems.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^(Wrong|Right|With):\n\n```yaml\n# (\S+)\n(.*?)```$", re.MULTILINE | re.DOTALL)

CONFIG = {
    "organisation": "organisation:\n  name: Lijnnet\n  opening_hours:\n"
    + "".join(f'    {day}: ["00:00-24:00"]\n' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")),
    "entries": 'entries: [{ dialled: "*", flow: main }]\n',
    "sites": "sites: { own: { queues: { support: support-own } } }\n",
    "queues": "queues: { support: { split: { own: 100 } } }\n",
    "fallback_queue": "fallback_queue: support\n",
    "callbacks": "callbacks: { flow: main }\n",
}
MAIN = "welcome:\n  - say: welcome\n  - queue: support\n"
TEXTS = {"welcome": "Welkom.", "goodbye": "Tot ziens.", "asked": "Waarmee kunnen we u helpen?"}


def examples() -> Iterator[tuple[str, Mapping[str, str], Mapping[str, str]]]:
    """Each rule with an example, the files as they are wrong, and as they are right."""
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        rule, files = section.split("\n", 1)[0], {"Wrong": {}, "Right": {}, "With": dict[str, str]()}
        for word, path, text in BLOCK.findall(section.split("\n## ")[0]):
            files[word][path] = text
        if files["Wrong"]:
            yield rule, files["Wrong"] | files["With"], files["Right"] | files["With"]


def problems_in(folder: Path, files: Mapping[str, str]) -> list[Problem]:
    """What is wrong with a project that has these files."""
    config = dict(CONFIG)
    own = files.get("config.yaml", "")
    config |= {re.split(":", part)[0]: part for part in re.findall(r"^\w.*\n(?: .*\n)*", own, re.MULTILINE)}
    (folder / "config.yaml").write_text("".join(config.values()), encoding="utf-8")
    (folder / "dialplans" / "triage").mkdir(parents=True, exist_ok=True)
    for name, text in {"dialplans/main.yaml": MAIN, **files}.items():
        if name.startswith("dialplans/"):
            start = f"flow: main\nstart: {text.split(':')[0]}\nblocks:\n"
            whole = text if re.match("flow:|triage:", text) else start + indent(text, "  ")
            (folder / name).write_text(whole, encoding="utf-8")
    for language in Language:
        added = files.get(f"prompts/{language}/texts.yaml", "")
        said = "".join([files.get("dialplans/main.yaml", MAIN), *files.values()])
        base = [name for name in TEXTS if name in said and not re.search(f"^{name}:", added, re.MULTILINE)]
        written = "".join(f'{name}: "{TEXTS[name]}"\n' for name in base)
        (folder / "prompts" / language).mkdir(parents=True, exist_ok=True)
        # A list cannot follow a table, so an example of one stands alone.
        whole = added if added.startswith("- ") else written + added
        (folder / "prompts" / language / "texts.yaml").write_text(whole, encoding="utf-8")
    return examined(folder / "config.yaml", ())[0]


@pytest.mark.parametrize(("rule", "wrong", "right"), [pytest.param(*one, id=one[0]) for one in examples()])
def test_an_example_is_wrong_as_it_says_and_its_cure_is_right(
    rule: str, wrong: Mapping[str, str], right: Mapping[str, str], tmp_path: Path
) -> None:
    found = problems_in(tmp_path, wrong)
    assert rule in {problem.rule for problem in found}, "\n".join(map(str, found))
    section = PAGE.split(f"### {rule}\n")[1].split("\n### ")[0]
    if "**Warning.**" in section:
        assert not any(problem.is_error for problem in found), "\n".join(map(str, found))
    left = [problem for problem in problems_in(tmp_path, right) if problem.rule == rule or problem.is_error]
    assert not left, "\n".join(map(str, left))


def test_mistakes_in_any_file_of_an_example_are_told_with_a_place_and_a_rule_that_is_explained(tmp_path: Path) -> None:
    told: set[str] = set()
    cures = [right for _, _, right in examples() if right]
    for seed in range(600):
        files = dict(cures[seed % len(cures)])
        name = sorted(files)[seed % len(files)]
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = problems_in(folder, {**files, name: mutations(files[name], seed)})
        assert not list(places_are_real(found, folder))
        told |= {problem.rule for problem in found}
    assert {f"### {rule}\n" in PAGE for rule in told} == {True}
    assert len(told) > 12
