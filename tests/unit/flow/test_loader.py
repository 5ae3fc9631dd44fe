"""Facts about loading flows: every mistake has a place, whatever was written."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.domain.language import Language
from ivr.errors import InvalidFiles
from ivr.flow.loader import examine, load
from ivr.flow.sources import Sources
from ivr.yamlfile.problem import Problem, errors_in

ROOT = Path(__file__).parents[3]
OURS = Sources(ROOT / "dialplans", ROOT / "prompts", {"support"}, shown_from=ROOT)
DEMO = (ROOT / "dialplans" / "lijnnet.yaml").read_text(encoding="utf-8")
WORDS = ["on_error: x", "say", "menu:", "goto: main", "null", "<<: x", "---", "{{", "}}", "- ", ": ", "&a", "!t", "  "]
PIECES = [*"*#{}[]'|>?%é1~", '"', "\t", "\x00", *WORDS]


def test_our_own_flows_have_no_problems() -> None:
    flows, problems = examine(OURS)
    assert problems == []
    assert flows is not None
    assert set(flows.flows) == {"lijnnet", "callback", "outage_over", "shortest"}


def test_every_text_of_ours_is_said_by_a_flow_or_a_step() -> None:
    flows = load(OURS)
    written = "".join(path.read_text(encoding="utf-8") for path in [*OURS.flow_files(), *OURS.triage_files()])
    steps = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "ivr" / "flow").rglob("*.py"))
    for name in flows.prompts.texts[Language.NL]:
        assert re.search(rf"\b{name}\b", written) or f'"{name}"' in steps, name


def test_both_languages_say_the_same_prompts() -> None:
    texts = load(OURS).prompts.texts
    assert texts[Language.NL].keys() == texts[Language.EN].keys()


def test_a_version_changes_with_the_flow_and_with_the_texts(tmp_path: Path) -> None:
    shutil.copytree(OURS.flows, tmp_path / "d")
    shutil.copytree(OURS.prompts, tmp_path / "p")
    here = Sources(tmp_path / "d", tmp_path / "p")
    versions = {flow.version for flow in load(here).flows.values()}
    assert versions == {flow.version for flow in load(OURS).flows.values()}
    with (tmp_path / "d" / "shortest.yaml").open("a") as file:
        file.write("# changed\n")
    after = load(here).flows
    assert len(versions - {flow.version for flow in after.values()}) == 1
    with (tmp_path / "p" / "nl" / "texts.yaml").open("a") as file:
        file.write("another: Nog een.\n")
    assert not {flow.version for flow in load(here).flows.values()} & {flow.version for flow in after.values()}


def test_everything_that_is_always_the_same_can_be_made_beforehand() -> None:
    utterances = list(load(OURS).fixed_utterances())
    names = {(utterance.language, utterance.name) for utterance in utterances}
    assert (Language.NL, "welcome") in names
    assert (Language.NL, "order_news") not in names
    assert not any(utterance.personal for utterance in utterances)


def test_a_recording_without_a_text_is_a_prompt(tmp_path: Path) -> None:
    shutil.copytree(OURS.prompts, tmp_path / "p")
    for language in Language:
        (tmp_path / "p" / language / "jingle.wav").write_bytes(b"")
    (tmp_path / "d").mkdir()
    text = "flow: a\nlanguages: [nl, en]\nstart: s\nblocks: { s: [{ say: jingle }, { hang_up: }] }"
    (tmp_path / "d" / "a.yaml").write_text(text)
    flows = load(Sources(tmp_path / "d", tmp_path / "p"))
    assert ("jingle", "") in {(u.name, u.text) for u in flows.fixed_utterances()}


def test_all_problems_of_all_files_are_told_in_order(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("b", "a"):
        (tmp_path / "d" / f"{name}.yaml").write_text(f"flow: {name}\nstart: x\nblocks:\n  s:\n    - sya: welcome\n")
    with pytest.raises(InvalidFiles) as refused:
        load(Sources(tmp_path / "d", OURS.prompts, shown_from=tmp_path))
    shown = [(p.file, p.line, p.message) for p in refused.value.problems if isinstance(p, Problem)]
    assert shown == [
        ("d/a.yaml", 2, "unknown block 'x'"),
        ("d/a.yaml", 5, "unknown step 'sya'"),
        ("d/b.yaml", 2, "unknown block 'x'"),
        ("d/b.yaml", 5, "unknown step 'sya'"),
    ]


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert [p.rule for p in examine(Sources(tmp_path / "none", tmp_path))[1]] == ["unreadable"]


def test_two_files_cannot_hold_the_same_flow(tmp_path: Path) -> None:
    shutil.copytree(OURS.flows, tmp_path / "d")
    shutil.copy(tmp_path / "d" / "shortest.yaml", tmp_path / "d" / "shortest2.yaml")
    problems = examine(Sources(tmp_path / "d", OURS.prompts, shown_from=tmp_path))[1]
    assert [(p.file, p.message) for p in problems] == [
        ("d/shortest2.yaml", "flow 'shortest' is also written in d/shortest.yaml")
    ]


def test_a_missing_text_is_told_where_it_is_needed_and_where_it_belongs(tmp_path: Path) -> None:
    shutil.copytree(OURS.prompts, tmp_path / "p")
    texts = tmp_path / "p" / "en" / "texts.yaml"
    kept = [line for line in texts.read_text().splitlines() if not line.startswith("goodbye:")]
    texts.write_text("\n".join(kept))
    problems = examine(Sources(OURS.flows, tmp_path / "p", shown_from=tmp_path))[1]
    assert {p.message for p in problems} == {"prompt 'goodbye' is not there in EN"}
    assert problems[0].hint == "add it to p/en/texts.yaml"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("x: [a]", "a text belongs here"),
        ("x:", "a text belongs here"),
        ("x: '{{ caller.name'", "this text cannot be read"),
        ("x: '{% for a in %}'", "this text cannot be read"),
        ("x: '{{ caller.name | shout }}'", "unknown filter 'shout'"),
        ("x y: a", "'x y' is not a name"),
        ("- x", "here stand names and their texts"),
    ],
)
def test_a_text_that_cannot_be_is_refused(tmp_path: Path, written: str, says: str) -> None:
    (tmp_path / "nl").mkdir()
    (tmp_path / "nl" / "texts.yaml").write_text(written)
    problems = examine(Sources(OURS.flows, tmp_path))[1]
    assert any(says in p.message and p.line == 1 for p in problems)


def mutations(text: str, seed: int) -> str:
    """A text with one to three mistakes of the kinds that hands make."""
    chance = random.Random(seed)
    lines = text.splitlines()
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(lines))
        line, column = lines[at], chance.randrange(len(lines[at]) + 1)
        match chance.randrange(8):
            case 0:
                lines[at : at + 1] = []
            case 1:
                lines.insert(at, line)
            case 2:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at] = " " * chance.randint(0, 6) + line.lstrip()
            case 4:
                lines[at] = line[:column] + chance.choice(PIECES) + line[column:]
            case 5:
                lines[at] = line[:column] + line[column + chance.randint(1, 4) :]
            case 6:
                words = re.findall(r"\w+", line)
                if words:
                    word = chance.choice(words)
                    lines[at] = line.replace(word, word[::-1] or "x", 1)
            case _:
                lines[at] = line[:column]
        lines = lines or [""]
    return "\n".join(lines)


def places_are_real(problems: list[Problem], root: Path) -> Iterator[str]:
    for problem in problems:
        lines = (root / problem.file).read_text(encoding="utf-8").split("\n")
        if not 1 <= problem.line <= len(lines) + 1 or problem.column < 1 or not str(problem):
            yield f"{problem}"


def test_a_thousand_mutated_flows_are_loaded_or_refused_with_places(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    shutil.copytree(OURS.prompts, tmp_path / "prompts")
    sources, refused = Sources(tmp_path / "d", tmp_path / "prompts", {"support"}, shown_from=tmp_path), 0
    for seed in range(1000):
        text = mutations(DEMO, seed)
        (tmp_path / "d" / "lijnnet.yaml").write_text(text, encoding="utf-8")
        flows, problems = examine(sources)
        assert (flows is None) == bool(errors_in(problems))
        assert not list(places_are_real(problems, tmp_path)), text
        refused += flows is None
    assert refused > 500


def test_mutated_texts_are_loaded_or_refused_with_places(tmp_path: Path) -> None:
    (tmp_path / "prompts" / "en").mkdir(parents=True)
    (tmp_path / "prompts" / "nl").mkdir()
    shutil.copy(OURS.prompts / "en" / "texts.yaml", tmp_path / "prompts" / "en")
    ours = (OURS.prompts / "nl" / "texts.yaml").read_text(encoding="utf-8")
    shutil.copytree(OURS.flows, tmp_path / "dialplans")
    sources = Sources(tmp_path / "dialplans", tmp_path / "prompts", {"support"}, shown_from=tmp_path)
    for seed in range(200):
        (tmp_path / "prompts" / "nl" / "texts.yaml").write_text(mutations(ours, seed), encoding="utf-8")
        flows, problems = examine(sources)
        assert (flows is None) == bool(errors_in(problems))
        assert not list(places_are_real(problems, tmp_path))


@given(blocks=st.text(alphabet="saymenu goto:hr{}[]-'\"\n|&*#%1_", max_size=120))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_flow_raises_anything_but_problems(blocks: str, examine_flow: Any) -> None:
    flows, problems = examine_flow(blocks)
    assert (flows is None) == bool(errors_in(problems))


def test_a_version_covers_the_flows_that_a_call_may_go_on_in(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name, leads_to in (("first", "second"), ("second", "third"), ("third", ""), ("apart", "")):
        last = f"goto: {{ flow: {leads_to} }}" if leads_to else "hang_up:"
        (tmp_path / "d" / f"{name}.yaml").write_text(f"flow: {name}\nstart: a\nblocks:\n  a:\n    - {last}\n")
    here = Sources(tmp_path / "d", ROOT / "prompts")
    before = load(here).versions()
    third = tmp_path / "d" / "third.yaml"
    third.write_text(third.read_text().replace("hang_up:", "hang_up: { outcome: told }"))
    after = load(here).versions()
    assert {name for name in before if before[name] != after[name]} == {"first", "second", "third"}


def test_flows_that_were_loaded_can_be_loaded_again_from_their_files_contents_alone(tmp_path: Path) -> None:
    flows = load(OURS)
    again = load(Sources(tmp_path / "gone", OURS.prompts, {"support"}, given=flows.files))
    assert again.versions() == flows.versions()
    assert (again.files, again.id) == (flows.files, flows.id)
    changed = {**flows.files, "flows/lijnnet.yaml": flows.files["flows/lijnnet.yaml"] + b"# more\n"}
    assert load(Sources(tmp_path / "gone", OURS.prompts, given=changed)).id != flows.id


def test_problems_in_given_files_have_the_place_they_would_have_on_disk() -> None:
    given = {**load(OURS).files, "flows/lijnnet.yaml": b"flow: lijnnet\nstart: nowhere\nblocks: {}\n"}
    flows, problems = examine(Sources(OURS.flows, OURS.prompts, given=given, shown_from=ROOT))
    assert flows is None
    assert {problem.file for problem in problems} == {"dialplans/lijnnet.yaml"}
