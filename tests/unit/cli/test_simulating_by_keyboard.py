"""`ivr simulate` in a terminal: a real pseudo-terminal, and somebody who types."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

PLAYER = """#!{python}
import os, sys, time
data = open(sys.argv[-1], "rb").read()
def note(what):
    with open("{log}", "a") as log:
        log.write(f"{{os.getpid()}} {{what}}\\n")
note(f"plays {{data[:4].decode()}} {{(len(data) - 44) / 16000:.1f}}")
time.sleep(float("{lasts}" or (len(data) - 44) / 16000))
note("is over")
"""
"""A program that plays nothing, takes the time for it (or another), and writes down what it is given."""
ROOT = Path(__file__).parents[3]


def test_in_a_terminal_the_keyboard_is_the_telephone() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ivr", "simulate", "shortest", "--at", "2026-11-21T10:00"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        begun = [process.stdout.readline() for _ in range(3)]  # the keyboard is listened to once the flow speaks
        os.write(ours, b" 1 ")  # hear no more of the question, press 1, hear no more of the answer
        rest, _ = process.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    shown = "".join(begun) + rest
    assert "10:00:00  says             Goedendag. Toets een cijfer, dan gaan we verder." in shown
    assert "caller presses   1   [question.menu]" in shown
    assert shown.splitlines()[-1] == "outcome self_served"


def with_player(folder: Path, *, lasts: str = "") -> Mapping[str, str]:
    """An environment in which that program is found, the engine of the voice too."""
    program = folder / "aplay"
    program.write_text(PLAYER.format(python=sys.executable, log=folder / "log", lasts=lasts))
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def noted(folder: Path) -> list[str]:
    path = folder / "log"
    return path.read_text().splitlines() if path.exists() else []


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    ends_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def is_gone(process: str) -> bool:
    return not Path(f"/proc/{process}").exists()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The demo, with sounds of its own."""
    config = (ROOT / "config.yaml").read_text()
    for folder in ("dialplans", "prompts"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "config.yaml").write_text(config)
    return tmp_path


def simulate(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ivr", "simulate", "shortest", "--audio", *arguments]


def test_a_scripted_call_is_heard_in_full(project: Path) -> None:
    environment = with_player(project)
    done = subprocess.run(
        simulate("--press", "1"), env=environment, cwd=project, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "outcome self_served"
    written = [line.split(" ", 1)[1] for line in noted(project)]
    assert [line.split()[0] for line in written] == ["plays", "is", "plays", "is"]
    seconds = [float(line.split()[2]) for line in written if line.startswith("plays RIFF")]
    assert len(seconds) == 2
    assert all(1 < length < 10 for length in seconds)


def test_a_key_cuts_off_what_is_heard_as_in_a_call(project: Path) -> None:
    environment = with_player(project, lasts="60")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        simulate(), stdin=theirs, stdout=subprocess.PIPE, text=True, env=environment, cwd=project
    ) as process:
        until(lambda: len(noted(project)) == 1)
        os.write(ours, b"1")
        until(lambda: len(noted(project)) == 2)
        first, second = (line.split()[0] for line in noted(project))
        assert is_gone(first)
        os.write(ours, b"x")
        process.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    assert is_gone(second)
    assert not any("over" in line for line in noted(project))


def test_who_breaks_it_off_hears_nothing_more(project: Path) -> None:
    environment = with_player(project, lasts="60")
    with subprocess.Popen(
        simulate("--press", "-"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env=environment, cwd=project,
    ) as process:  # fmt: skip
        until(lambda: len(noted(project)) == 1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert errors.strip() == "Aborted!"
    assert is_gone(noted(project)[0].split()[0])


def test_without_a_program_that_plays_it_goes_on_in_text(project: Path) -> None:
    done = subprocess.run(
        simulate("--press", "x", "--json"), env={**os.environ, "PATH": str(project)}, cwd=project,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "install one of alsa-utils (aplay)" in done.stderr
    assert "is shown and not heard: espeak-ng" in done.stderr
    assert '"outcome": "abandoned"' in done.stdout
