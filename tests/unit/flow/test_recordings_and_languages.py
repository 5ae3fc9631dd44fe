"""Facts about recordings that cannot be heard or hide a text, prompts nobody says, and languages that get lost."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ivr.domain.language import Language
from ivr.flow.entrances import Entrance
from ivr.flow.loader import examine
from ivr.flow.sources import Sources
from ivr.simulation.scenario import scenarios_in
from ivr.speech.recordings import fault_of
from ivr.yamlfile.nodes import Place, Source
from ivr.yamlfile.problem import Problem
from ivr.yamlfile.reading import parse

SAY = "flow: a\nlanguages: [nl]\nstart: s\nblocks: { s: [{ say: said }, { hang_up: }] }\n"
OWN = "apology: Excuses.\n"


def wav(*, code: int = 1, channels: int = 1, rate: int = 48_000, bits: int = 16) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, code, channels, rate, rate * channels * bits // 8, 2, bits)
    return b"RIFF\x00\x00\x00\x00WAVE" + form + b"data\x04\x00\x00\x00\x00\x00\x00\x00"


class Project:
    """A flow that says one prompt, in Dutch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("d", "p/nl", "p/en"):
            (folder / name).mkdir(parents=True)
        (folder / "d" / "a.yaml").write_text(SAY)
        self.sources = Sources(folder / "d", folder / "p", shown_from=folder, listen=fault_of)

    def problems(self, texts: str, *, is_whole: bool = False) -> list[Problem]:
        (self.folder / "p" / "nl" / "texts.yaml").write_text(OWN + texts, encoding="utf-8")
        place = Place(Source("config.yaml", ("flow: a",)), 1, 7, 1, 8)
        sources = replace(self.sources, entrances=[Entrance("a", place)] if is_whole else None)
        return examine(sources)[1]

    def record(self, content: bytes, name: str = "said.wav") -> None:
        (self.folder / "p" / "nl" / name).write_bytes(content)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_what_a_studio_delivers_is_right_whatever_its_rate(project: Project) -> None:
    for form in ({}, {"rate": 8000}, {"channels": 2}, {"bits": 24}, {"code": 6, "bits": 8}):
        project.record(wav(**form))
        assert project.problems("") == []
    project.record(wav(), "SAID.WAV")
    assert project.problems("") == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a WAV file"),
        (b"ID3\x04" + bytes(50), "an MP3 file"),
        (b"\xff\xfb\x90\x00" + bytes(50), "an MP3 file"),
        (wav(rate=4000), "1 channels at 4000 Hz"),
        (wav(channels=12), "12 channels"),
        (wav(code=17, bits=4), "compressed or unknown format"),
        (wav()[:36], "no sound in it"),
    ],
)
def test_a_recording_that_cannot_be_heard_is_refused_with_what_to_do(
    project: Project, content: bytes, says: str
) -> None:
    project.record(content)
    (problem,) = project.problems("")
    assert (problem.rule, problem.is_error, problem.file) == ("recording", True, "p/nl/said.wav")
    assert says in problem.message
    assert "16-bit PCM, mono" in problem.message


def test_it_is_a_warning_where_a_text_is_spoken_instead(project: Project) -> None:
    project.record(b"")
    (problem,) = project.problems("said: Goedendag.\n")
    assert not problem.is_error
    assert problem.message.endswith("the text is spoken instead")


def test_a_recording_before_a_text_with_values_is_refused_in_the_text(project: Project) -> None:
    project.record(wav())
    (problem,) = project.problems("said: 'Dag {{ caller.name }}.'\n")
    assert (problem.file, problem.line, problem.rule) == ("p/nl/texts.yaml", 2, "recording")
    assert problem.message.startswith("p/nl/said.wav is heard instead of this text")


def test_only_the_head_of_a_recording_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.write(wav()[:-8] + struct.pack("<4sI", b"data", 40_000_000))
        file.truncate(40_000_000)
    assert fault_of(path) == ""
    with path.open("ab") as file:
        file.truncate(60_000_000)
    assert fault_of(path) == "this file is larger than 50 MB"
    assert fault_of(tmp_path / "none.wav") == "this file cannot be read (No such file or directory)"


def test_a_prompt_that_nothing_says_is_a_warning_in_a_whole_configuration_alone(project: Project) -> None:
    texts = "said: Goedendag.\nleft: Over.\n"
    project.record(wav(), "left_too.wav")
    assert project.problems(texts) == []
    problems = project.problems(texts, is_whole=True)
    assert [(p.file, p.line, str(p.severity), p.message) for p in problems] == [
        ("p/nl/left_too.wav", 1, "warning", "nothing says 'left_too'"),
        ("p/nl/texts.yaml", 3, "warning", "nothing says 'left'"),
    ]
    misspelt = project.problems(texts.replace("said", "sad"), is_whole=True)
    assert [p.rule for p in misspelt] == ["unknown-prompt"]


NL, EN = "languages: [nl]\n", "languages: [en]\n"
OTHER = "start: a\nblocks:\n  a:\n    - return:\n"


def rules(problems: list[Problem]) -> list[str]:
    return [f"{p.severity} {p.rule}: {p.message}" for p in problems]


def test_a_flow_that_is_called_speaks_the_languages_of_those_that_call_it(examine_flow: Any) -> None:
    blocks = "here:\n  - call: other\n  - queue: support\n"
    both = "start: here\nlanguages: [nl, en]"
    assert rules(examine_flow(blocks, head=both, others={"other": NL + OTHER})[1]) == [
        "error language: flow 'other' does not speak EN, and this one does"
    ]
    assert examine_flow(blocks, head=both, others={"other": "languages: [en, nl]\n" + OTHER})[1] == []


def test_going_on_in_a_flow_of_another_language_is_a_warning(examine_flow: Any) -> None:
    blocks = "here:\n  - goto: { flow: other }\n"
    other = EN + OTHER.replace("return:", "hang_up:")
    assert rules(examine_flow(blocks, others={"other": other})[1]) == [
        "warning language: flow 'other' does not speak NL, and this one does"
    ]
    chosen = "here:\n  - set: { language: en }\n  - goto: { flow: other }\n"
    assert [p.severity for p in examine_flow(chosen, others={"other": other})[1]] == ["warning"]


def test_a_language_that_is_set_is_one_that_something_speaks(examine_flow: Any) -> None:
    (problem,) = examine_flow("here:\n  - set: { language: en }\n  - queue: support\n")[1]
    assert problem.message == "no flow that a call comes to from here speaks EN"


def test_calls_begin_in_flows_that_are_there_take_nothing_and_speak_the_language(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    taking = SAY.replace("flow: a", "flow: b\ntakes: { amount: amount }").replace("say: said", "say: apology")
    (tmp_path / "d" / "b.yaml").write_text(taking)
    (tmp_path / "p" / "nl").mkdir(parents=True)
    (tmp_path / "p" / "nl" / "texts.yaml").write_text(OWN)
    place, second = (Place(Source("config.yaml", ("a b c",)), 1, at, 1, at + 1) for at in (1, 3))
    entrances = [Entrance("none", place), Entrance("b", second, Language.EN, place)]
    _, problems = examine(Sources(tmp_path / "d", tmp_path / "p", entrances=entrances))
    assert rules(problems) == [
        "error language: flow 'b' does not speak EN",
        "error unknown-flow: unknown flow 'none'",
        "error call: flow 'b' takes 'amount', and a call that begins in it gives nothing",
    ]


def test_a_flow_that_cannot_be_read_is_not_told_to_be_unknown_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("flow: a\nstart: [")
    place = Place(Source("config.yaml", ("flow: a",)), 1, 7, 1, 8)
    _, problems = examine(Sources(tmp_path, tmp_path, entrances=[Entrance("a", place)]))
    assert {problem.rule for problem in problems} == {"syntax"}


def test_a_scenario_names_regions_that_are_there() -> None:
    root = Path(__file__).parents[3]
    flows, _ = examine(Sources(root / "dialplans", root / "prompts"))
    scenario = "{ name: a, outages: Gronigen, expect: { outcome: told } }"
    text = f"flow: shortest\nat: 2026-11-21T10:00\nscenarios:\n  - {scenario}"
    assert flows is not None
    _, problems = scenarios_in(parse(text, "s.yaml"), "s.yaml", flows, ["Groningen"])
    assert [problem.rule for problem in problems] == ["unknown-region"]
