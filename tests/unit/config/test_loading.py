from __future__ import annotations

from pathlib import Path

import pytest

from ivr.config.loading import load, secret
from ivr.config.units import seconds
from ivr.config.words import opening_span
from ivr.errors import InvalidFiles, SetupError

DEMO = Path(__file__).parents[3] / "config.yaml"

LEAST = """\
organisation: { name: Lijnnet }
entries: [{ dialled: "*", flow: lijnnet }]
sites: { own: { queues: { support: support-own } } }
queues: { support: { split: { own: 100 } } }
fallback_queue: support
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    """The first line of each problem, without the file's name."""
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidFiles) as refused:
        load(path)
    return [str(problem).splitlines()[0].removeprefix(f"{path}:") for problem in refused.value.problems]


def test_the_demo_s_configuration_is_valid() -> None:
    assert load(DEMO).organisation.name == "Lijnnet"


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(LEAST, encoding="utf-8")
    assert load(path).identify.budget == 0.3


def test_relative_paths_start_at_the_file_s_own_folder(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        LEAST + "connectors: { crm: { integration: sql, settings: { url: 'sqlite+aiosqlite:///crm.db' } } }"
    )
    config = load(path)
    assert config.flows.path == tmp_path / "dialplans"
    assert config.database.url == f"sqlite+aiosqlite:///{tmp_path}/var/klantlijn.db"
    assert config.folder == tmp_path


def test_a_misspelt_key_is_answered_with_the_right_one(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(LEAST + "databse: { url: x }\n", encoding="utf-8")
    with pytest.raises(InvalidFiles, match="did you mean 'database'"):
        load(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LEAST.replace("own: 100", "own: 90"), "4:11: the split adds up to 90, not 100"),
        (LEAST.replace("own: 100", "here: 100"), "4:37: 'here' is not under sites"),
        (LEAST.replace("fallback_queue: support", "fallback_queue: sales"), "5:17: 'sales' is not under queues"),
        (LEAST + "identify: { connectors: [crm] }", "6:26: 'crm' is not under connectors"),
        (LEAST + "http: { port: 70000 }", "6:15: '70000' does not fit: 65535 is the most"),
        (LEAST + "opening_hours: { desk: { week: { mon: [9-17] } } }", "6:40: '9-17' is not a span of time"),
        (
            LEAST + "opening_hours: { a-b: { week: {} } }",
            "6:18: 'a-b' is not a word",
        ),
        (LEAST.replace("100 } }", "100 }, opening_hours: desk }"), "4:58: 'desk' is not under opening_hours"),
        (
            LEAST.replace("lijnnet }]", 'lijnnet }, { dialled: "100", flow: a }]'),
            "2:55: no call comes here: '*' above answers it",
        ),
        (LEAST.replace('"*"', '"0 8"'), "2:22: '0 8' is not what anybody dials"),
        (LEAST + "identify: { budget: 300 }", "6:21: '300' is not a duration"),
    ],
)
def test_a_mistake_is_shown_where_it_was_made(tmp_path: Path, text: str, said: str) -> None:
    assert problems(tmp_path, text) == [said]


@pytest.mark.parametrize(
    ("written", "value"), [("300ms", 0.3), ("5s", 5.0), ("1.5 h", 5400.0), ("10min", 600.0), ("3d", 259200.0)]
)
def test_a_duration_has_a_unit(written: str, value: float) -> None:
    assert seconds(written) == value


@pytest.mark.parametrize("written", ["5", "", "s", "-5s", "five s", "5 weeks"])
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds(written)


@pytest.mark.parametrize("written", ["8-17", "25:00-26:00", "08:60-09:00", "24:00-08:00", ""])
def test_what_is_no_span_of_time_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a span of time"):
        opening_span(written)


def test_a_secret_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        secret(tmp_path / "ami.secret")


def test_an_empty_secret_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "ami.secret").write_text("\n")
    with pytest.raises(SetupError, match="holds no secret"):
        secret(tmp_path / "ami.secret")
