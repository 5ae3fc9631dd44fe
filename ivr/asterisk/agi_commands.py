"""AGI commands as lines of bytes: whatever is in a value, it stays a value.

Asterisk splits a command with `parse_args()` (res/res_agi.c): between double quotes a
backslash escapes a quote or a backslash, and nothing can carry a line break or NUL. A
line longer than Asterisk's buffer is cut, and its tail is run as a second command.

Calls say the same things again and again, so the commands of every call are cached.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ivr.errors import UnsafeValue

LONGEST_LINE = 2047
"""Bytes of a command with its line end: the buffer of Asterisk 18 (later ones take 8191)."""
REMEMBERED = 1024
"""Commands kept of each kind."""

_plain = re.compile(r"[A-Za-z0-9_./:@+*#, -]*").fullmatch
_unsafe = re.compile(r"[\r\n\0]").search
_name = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}").fullmatch

ANSWER = b"ANSWER\n"
HANGUP = b"HANGUP\n"
FAILURE = b"FAILURE\n"
"""Not a command but the end of the session: the extensions go on with AGISTATUS=FAILURE."""


def quoted(value: str) -> str:
    """A value as one argument.

    Raises:
        UnsafeValue: it holds a line break or NUL.
    """
    if _plain(value):
        return f'"{value}"'
    if _unsafe(value):
        raise UnsafeValue(repr(value[:40]))
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def variable(name: str) -> str:
    """The name of a channel variable, which is never an expression or a function.

    Raises:
        UnsafeValue: it is not letters, digits and underscores.
    """
    if not _name(name):
        raise UnsafeValue(f"{name[:40]!r} is not the name of a variable")
    return name


def line(text: str) -> bytes:
    """A command's bytes; what was not UTF-8 when it came in goes out as it came.

    Raises:
        UnsafeValue: the line is longer than Asterisk reads.
    """
    encoded = text.encode("utf-8", "surrogateescape")
    if len(encoded) >= LONGEST_LINE:
        raise UnsafeValue(f"a command of {len(encoded)} bytes, where Asterisk reads {LONGEST_LINE - 1}")
    return encoded + b"\n"


@lru_cache(maxsize=REMEMBERED)
def stream_file(ref: str, keys: str) -> bytes:
    """Play a file or URL until its end or one of `keys`."""
    return line(f"STREAM FILE {quoted(ref)} {quoted(keys)}")


@lru_cache(maxsize=REMEMBERED)
def wait_for_digit(seconds: float) -> bytes:
    """Wait for a key. Never for ever: Asterisk takes a negative time for that."""
    return line(f"WAIT FOR DIGIT {max(1, round(seconds * 1000))}")


@lru_cache(maxsize=REMEMBERED)
def set_variable(name: str, value: str) -> bytes:
    """Set a channel variable."""
    return line(f"SET VARIABLE {variable(name)} {quoted(value)}")


@lru_cache(maxsize=REMEMBERED)
def get_variable(name: str) -> bytes:
    """Read a channel variable."""
    return line(f"GET VARIABLE {variable(name)}")


def record_file(ref: str, keys: str, most: float, silence: float) -> bytes:
    """Record to a WAV file; whole seconds of silence end it, or one of `keys`, or `most` seconds."""
    return line(f"RECORD FILE {quoted(ref)} wav {quoted(keys)} {max(1, round(most * 1000))} s={max(1, round(silence))}")


def execute(application: str, arguments: str) -> bytes:
    """Run an application of Asterisk's extensions; `arguments` are its own, with commas between them."""
    return line(f"EXEC {variable(application)} {quoted(arguments)}")


def get_full_variable(name: str, end: str) -> bytes:
    """Read a channel variable of any length and content; `end` is put behind the value."""
    return line(f'GET FULL VARIABLE "${{{variable(name)}}}{variable(end)}"')


def echo(mark: str) -> bytes:
    """Have Asterisk say `mark`. It stops a running playback, and after its reply both sides stand at the same place."""
    return line(f'GET FULL VARIABLE "{variable(mark)}"')
