"""`ivr simulate` in a terminal: a real pseudo-terminal, and somebody who types."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

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
