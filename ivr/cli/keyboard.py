"""The keyboard: single letters from the terminal, as they are typed."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from ivr.simulation.play_through import LEAVES

AT_ONCE = 256
"""Bytes read at a time."""


@contextmanager
def keyboard() -> Iterator[asyncio.Queue[str]]:
    """The letters that are typed on standard input, a terminal, while this lasts; its end hangs up."""
    typed: asyncio.Queue[str] = asyncio.Queue()
    descriptor, loop = sys.stdin.fileno(), asyncio.get_running_loop()

    def read() -> None:
        try:
            letters = os.read(descriptor, AT_ONCE).decode(errors="ignore")
        except OSError:
            letters = ""
        if not letters:
            loop.remove_reader(descriptor)
        for letter in letters or LEAVES:
            typed.put_nowait(letter)

    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield typed
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
