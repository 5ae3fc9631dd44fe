"""Facts about `ivr schema`: what an editor with a YAML language server says of files is what is so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from ivr.cli.main import main
from ivr.cli.schema import SCHEMAS, text_of
from ivr.flow.steps import KINDS
from ivr.yamlfile.nodes import Listing, Node, Scalar
from ivr.yamlfile.reading import read, read_text

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "dialplans" / "schema"
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")
SHIPPED = [
    ROOT / "config.yaml",
    *sorted(path for path in (ROOT / "dialplans").rglob("*.yaml") if path.parent.name != "recipes"),  # no schema yet
    *sorted((ROOT / "prompts").glob("*/texts.yaml")),
    *sorted((ROOT / "ivr" / "prompts").glob("*/texts.yaml")),
]


def as_an_editor_sees(node: Node) -> Any:
    """What is written, with the types that YAML 1.2 gives it."""
    if isinstance(node, Listing):
        return [as_an_editor_sees(item) for item in node.items]
    if not isinstance(node, Scalar):
        return {key: as_an_editor_sees(value) for key, (_, value) in node.entries.items()}
    if node.quoted:
        return node.text
    if node.text in ("", "~", "null"):
        return None
    if node.text in ("true", "false"):
        return node.text == "true"
    if re.fullmatch(r"[-+]?\d+", node.text):
        return int(node.text)
    if re.fullmatch(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?", node.text):
        return float(node.text)
    return node.text


def complaints(kind: str, node: Node) -> list[str]:
    schema = json.loads(text_of(kind))
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(as_an_editor_sees(node))]


def ivr(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(ivr("schema", kind).stdout))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_schemas_beside_the_flows_are_those_of_this_version(kind: str) -> None:
    stored = (FOLDER / f"{kind}.json").read_text(encoding="utf-8")
    assert stored == text_of(kind), "run: ivr schema --write"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_shipped_file_names_its_schema_and_fits_it(path: Path) -> None:
    named = MODELINE.match(path.read_text(encoding="utf-8"))
    assert named, "the first line names the schema"
    schema = (path.parent / named[1]).resolve()
    assert schema.parent == FOLDER
    assert complaints(schema.stem, read(path)) == []


def steps() -> Iterator[Any]:
    for path in sorted((ROOT / "tests" / "steps").glob("*.yaml")):
        cases = read(path).plain
        assert isinstance(cases, list)
        for case in cases:
            assert isinstance(case, dict)
            if "problems" not in case:
                yield pytest.param(case["blocks"], id=f"{path.stem}: {case['case']}")


@pytest.mark.parametrize("blocks", list(steps()))
def test_every_step_that_works_fits(blocks: str) -> None:
    indented = "".join(f"  {line}\n" for line in blocks.splitlines())
    assert complaints("flow", read_text(f"flow: case\nstart: here\nblocks:\n{indented}", "case.yaml")) == []


FLOW = "flow: case\nstart: here\nblocks:\n  here:\n"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("flow", FLOW + "    - sya: welcome"),
        ("flow", FLOW + "    - say: welcome\n      goto: here"),
        ("flow", FLOW + "    - say: two words"),
        ("flow", FLOW + "    - say: { prompt: welcome, whit: {} }"),
        ("flow", FLOW + "    - menu: { options: { '1': here } }"),
        ("flow", FLOW + "    - menu: { prompt: a, options: { '1': here }, tries: many }"),
        ("flow", FLOW + "    - menu: { prompt: a, options: { '1': here }, timeout: 5 }"),
        ("flow", FLOW + "    - menu: { prompt: a, options: { '1': { got: here } } }"),
        ("flow", FLOW + "    - hang_up: { outcome: tolt }"),
        ("flow", FLOW + "    - queue:"),
        ("flow", FLOW + "    - hang_up:\n  a block:\n    - hang_up:"),
        ("flow", FLOW.replace("start: here\n", "") + "    - hang_up:"),
        ("flow", FLOW.replace("start", "strat") + "    - hang_up:"),
        ("texts", "two words: Hallo."),
        ("texts", "welcome: [Hallo.]"),
        ("scenarios", "flow: a\nat: 2026-11-21T10:00\nscenarios: [{ name: it }]"),
        ("scenarios", "flow: a\nat: tomorrow\nscenarios: [{ name: it, expect: { outcome: told } }]"),
        ("scenarios", "flow: a\nat: 2026-11-21T10:00\nscenarios: [{ name: it, expect: { outcome: tolt } }]"),
        ("config", "organisation: { nme: Lijnnet }"),
        ("config", "organisation: { name: Lijnnet }\nhttp: { port: 99999 }"),
    ],
)
def test_what_is_wrong_is_refused(kind: str, text: str) -> None:
    assert complaints(kind, read_text(text, "wrong.yaml")) != []


def test_an_editor_can_offer_every_step_with_its_words() -> None:
    schema = json.loads(text_of("flow"))
    offered = schema["$defs"]["Step"]["properties"]
    assert set(offered) == {*KINDS, "on_error"}
    for kind in KINDS:
        assert offered[kind]["description"]


def test_schemas_are_written_where_the_flows_are(tmp_path: Path) -> None:
    config = (ROOT / "config.yaml").read_text(encoding="utf-8")
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    wrote = ivr("schema", "--write", "--config", str(tmp_path / "config.yaml"))
    assert wrote.exit_code == 0, wrote.output
    assert {path.stem for path in (tmp_path / "dialplans" / "schema").iterdir()} == set(SCHEMAS)
    assert "flow.json is as it was" in ivr("schema", "--write", "--config", str(tmp_path / "config.yaml")).stdout


def test_without_a_kind_the_kinds_are_told() -> None:
    refused = ivr("schema")
    assert refused.exit_code == 2
    assert "flow, triage, texts, scenarios, config" in refused.stderr
