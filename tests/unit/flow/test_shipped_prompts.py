"""What steps say by themselves has words of its own, which an organisation's go before."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr.domain.language import Language
from ivr.flow.drafts import DraftTexts, read_texts
from ivr.flow.inspection import CONTEXT
from ivr.flow.loader import examine, load
from ivr.flow.sources import Sources
from ivr.flow.steps import STEPS
from ivr.flow.unused import OWN
from ivr.prompts import SHIPPED
from ivr.yamlfile.reading import read_document

FLOW = "flow: main\nlanguages: [nl, en]\nstart: a\nblocks: { a: [{ menu: { prompt: asked, options: { '1': a } } }] }\n"


def shipped(language: Language) -> DraftTexts:
    path = SHIPPED / language / "texts.yaml"
    return read_texts(read_document(path), SHIPPED, language, str(path))


@pytest.mark.parametrize("language", Language)
def test_every_prompt_that_steps_say_by_themselves_is_there_and_no_other(language: Language) -> None:
    found = shipped(language)
    assert not found.problems
    assert {*found.entries, *found.recordings} == OWN
    assert not found.entries.keys() & found.recordings.keys(), "a shipped recording has no text: see the prompt library"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.kind)
def test_they_say_nothing_that_the_step_does_not_have(step: type) -> None:
    for language in Language:
        texts = shipped(language).entries
        for prompt, own in step.own_texts.items():
            if prompt in texts:
                assert texts[prompt][0].examine({**CONTEXT, **own}).complaints == []


def project(folder: Path, texts: str) -> Sources:
    (folder / "d").mkdir()
    (folder / "d" / "main.yaml").write_text(FLOW)
    for language in Language:
        (folder / "p" / language).mkdir(parents=True)
        (folder / "p" / language / "texts.yaml").write_text(texts)
    return Sources(folder / "d", folder / "p", shown_from=folder)


def test_a_flow_needs_no_texts_but_its_own(tmp_path: Path) -> None:
    prompts = load(project(tmp_path, "asked: Toets één.\n")).prompts
    assert prompts.has(Language.EN, "apology")
    text = prompts.text(Language.NL, "menu_wrong_key")
    assert text is not None
    assert text.fixed == "Dat is geen keuze uit dit menu."


def test_a_text_of_an_organisation_goes_before(tmp_path: Path) -> None:
    prompts = load(project(tmp_path, "asked: Toets één.\nmenu_wrong_key: Nee.\nrecord_tone: Spreek nu.\n")).prompts
    texts = [prompts.text(Language.NL, name) for name in ("menu_wrong_key", "record_tone")]
    assert [text and text.fixed for text in texts] == ["Nee.", "Spreek nu."]


def test_a_mistake_in_a_text_that_goes_before_is_told(tmp_path: Path) -> None:
    (problem,) = examine(project(tmp_path, "asked: Toets één.\nmenu_wrong_key: '{{ caller.nam }}'\n"))[1][:1]
    assert (problem.file, problem.hint) == ("p/en/texts.yaml", "did you mean 'name'?")


def test_a_prompt_that_is_not_there_is_not_taken_for_one_of_them(tmp_path: Path) -> None:
    problems = examine(project(tmp_path, "ask: Toets één.\n"))[1]
    assert {(problem.rule, problem.hint) for problem in problems} == {("unknown-prompt", "did you mean 'ask'?")}
    (tmp_path / "p" / "nl" / "texts.yaml").write_text("other: Toets één.\n")
    assert {problem.hint for problem in examine(Sources(tmp_path / "d", tmp_path / "p"))[1]} >= {
        f"add it to {tmp_path / 'p' / 'nl' / 'texts.yaml'}"
    }
