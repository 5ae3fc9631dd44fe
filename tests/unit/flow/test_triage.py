"""Facts about triage: every way through it ends, and what we ship can be spoken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.domain.language import Language
from ivr.flow.loader import load
from ivr.flow.sources import Sources
from ivr.flow.triage import Ask, Solution, Triage, Walk
from ivr.yamlfile.reading import read

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "dialplans" / "triage").glob("*.yaml"))
MODEM = Triage.model_validate(read(ROOT / "dialplans" / "triage" / "modem.yaml").plain)


def ways(triage: Triage, taken: tuple[str, ...] = ()) -> Iterator[Walk]:
    """Every way through a triage, ended."""
    walk = Walk(triage)
    for key in taken:
        if isinstance(walk.question, Ask):
            walk.choose(key)
        else:
            walk.tried(helped=key == "1")
    if walk.question is None:
        yield walk
        return
    keys = walk.question.choices if isinstance(walk.question, Ask) else ("1", "2")
    for key in keys:
        yield from ways(triage, (*taken, key))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_way_through_what_we_ship_ends_in_each_result_and_with_an_answer_to_each_question(path: Path) -> None:
    triage = Triage.model_validate(read(path).plain)
    ended = list(ways(triage))
    assert {walk.result.result for walk in ended if walk.result} == set(Solution)
    assert all(walk.result is not None and walk.answers for walk in ended)
    assert {answer.question for walk in ended for answer in walk.answers} == set(triage.questions)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_we_ship_can_be_said_in_every_language(path: Path) -> None:
    prompts = load(Sources(ROOT / "dialplans", ROOT / "prompts")).prompts
    for question in Triage.model_validate(read(path).plain).questions.values():
        name = question.ask if isinstance(question, Ask) else question.prompt
        assert [language for language in Language if not prompts.has(language, name)] == [], name


def test_answers_are_kept_in_their_order_with_what_each_one_was() -> None:
    walk = Walk(MODEM)
    walk.choose("1")
    walk.tried(helped=False)
    assert [(given.question, given.answer) for given in walk.answers] == [
        ("lights", "no_light"),
        ("power", "did_not_help"),
    ]
    assert walk.result is not None
    assert (walk.result.result, walk.result.parts) == (Solution.VISIT, ["modem", "adapter"])


def test_who_gives_up_comes_to_an_agent() -> None:
    walk = Walk(MODEM)
    walk.give_up()
    assert walk.result is not None
    assert (walk.result.result, walk.answers) == (Solution.AGENT, [])


def test_a_changed_triage_changes_the_version_of_the_flows_that_use_it_and_of_no_others(tmp_path: Path) -> None:
    for folder in (ROOT / "dialplans", ROOT / "dialplans" / "triage"):
        here = tmp_path / folder.relative_to(ROOT / "dialplans")
        here.mkdir(exist_ok=True)
        for path in folder.glob("*.yaml"):
            (here / path.name).write_bytes(path.read_bytes())
    sources = Sources(tmp_path, ROOT / "prompts")
    before, state = load(sources), sources.state()
    modem = tmp_path / "triage" / "modem.yaml"
    modem.write_text(modem.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    after = load(sources)
    changed = [name for name, version in before.versions().items() if after.versions()[name] != version]
    assert (changed, sources.state() != state) == (["lijnnet"], True)
    assert "triage/modem.yaml" in after.files
    again = load(Sources(tmp_path / "gone", ROOT / "prompts", given=before.files))
    assert (again.id, again.versions()) == (before.id, before.versions())
