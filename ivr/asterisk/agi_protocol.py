"""The AGI protocol without input or output: bytes from Asterisk in, events out.

See res/res_agi.c: a session opens with lines `agi_name: value` up to an empty line;
then every command gets one reply. A line `HANGUP` may come before, between and after
replies and is never one itself.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from ivr.errors import AgiProtocolError

MAX_HEADER = 32_768
"""Bytes of the opening lines together."""
MAX_HEADER_LINES = 256
"""127 arguments and some 25 lines of Asterisk's own, and room for more."""
MAX_REPLY = 65_536
"""Bytes of one reply, a multi-line value included."""


class Environment(NamedTuple):
    """What Asterisk tells of a call, in its lines `agi_name: value`. Few of them are ever looked up."""

    lines: str = "\n"

    def get(self, name: str, default: str = "") -> str:
        """The value of `callerid`, `arg_1`… (without `agi_`).

        The first line wins: what a caller's name may smuggle in comes after Asterisk's own lines.
        """
        key = f"\nagi_{name}: "
        start = self.lines.find(key)
        if start < 0:
            return default
        start += len(key)
        return self.lines[start : self.lines.index("\n", start)]


class Reply(NamedTuple):
    """The reply to one command. `data` is what stands in parentheses, `text` what follows a code other than 200."""

    code: int
    result: str = ""
    data: str | None = None
    endpos: int | None = None
    text: str = ""


class Hangup(NamedTuple):
    """The caller has left, or the session ends."""


class Stray(NamedTuple):
    """A line that is no part of the protocol, such as the tail of a value with line breaks."""

    line: str


Event = Environment | Reply | Hangup | Stray

_HANGUP: Final = Hangup()
_OPENING = b"agi_"
_PREFIX = b"200 result="
_CLOSE: Final = b")"
# The replies of most commands, and the keys a caller may press.
_SHORT: Final = {b"200 result=%d\n" % result: Reply(200, str(result)) for result in (-1, 0, 1, *b"0123456789*#")}
_code = re.compile(rb"\d\d\d[ -]").match
# RECORD FILE and speech put more behind the parentheses.
_more_behind = re.compile(rb"\) (?:endpos|digit)=[^()]*$").search


class AgiReader:
    """Reads one session. Feed it bytes; after it raised, it takes no more."""

    __slots__ = ("_between", "_buffer", "_multi_line", "_opened", "_scanned", "value_end")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._opened = False
        self._between = False
        self._multi_line: bytes | None = None
        self.value_end = _CLOSE
        """How the value of the command in flight ends. Line breaks before it belong to the value."""

    def reply(self, data: bytes) -> Reply | None:
        """The reply that `data` is, when it is just that, as nearly always; else None, and `receive` must have it."""
        if not self._between or self.value_end != _CLOSE:
            return None
        reply = _SHORT.get(data)
        if reply is None and data.startswith(_PREFIX) and data.find(b"\n") == len(data) - 1:
            line = data[:-1]
            return _reply_200(line) if self._is_whole(line) else None
        return reply

    def receive(self, data: bytes) -> list[Event]:
        """The events that `data` completes.

        Raises:
            AgiProtocolError: this is not AGI, or more than AGI ever sends.
        """
        self._buffer += data
        events: list[Event] = []
        if not self._opened:
            environment = self._read_environment()
            if environment is None:
                return events
            events.append(environment)
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._read_line(line, events)
        self._between = not self._buffer and self._multi_line is None
        if len(self._buffer) > MAX_REPLY:
            raise AgiProtocolError(f"a line longer than {MAX_REPLY} bytes")
        return events

    def _read_environment(self) -> Environment | None:
        buffer = self._buffer
        if not buffer.startswith(_OPENING[: len(buffer)]):
            raise AgiProtocolError(f"it opened with {bytes(buffer[:20])!r}")
        end = buffer.find(b"\n\n", self._scanned)
        if max(end, len(buffer) if end < 0 else 0) > MAX_HEADER:
            raise AgiProtocolError(f"an opening of over {MAX_HEADER} bytes")
        if end < 0:
            self._scanned = max(0, len(buffer) - 1)
            return None
        if buffer.count(b"\n", 0, end) >= MAX_HEADER_LINES:
            raise AgiProtocolError(f"an opening of over {MAX_HEADER_LINES} lines")
        lines = buffer[: end + 1].decode("utf-8", "surrogateescape")
        del buffer[: end + 2]
        self._opened = True
        return Environment("\n" + lines)

    def _read_line(self, line: bytes, events: list[Event]) -> None:
        if self._multi_line is not None:
            self._multi_line += b"\n" + line
            if len(self._multi_line) > MAX_REPLY:
                raise AgiProtocolError(f"a reply of over {MAX_REPLY} bytes")
            if self._multi_line.startswith(b"520-"):
                if not line.startswith(b"520 "):
                    return
                events.append(Reply(520, text=_text(self._multi_line[4:])))
            elif not self._is_whole(self._multi_line):
                return
            else:
                events.append(_reply_200(self._multi_line))
            self._multi_line = None
        elif line == b"HANGUP":
            events.append(_HANGUP)
        elif line.startswith(b"520-") or (line.startswith(_PREFIX) and not self._is_whole(line)):
            self._multi_line = line
        elif line.startswith(_PREFIX):
            events.append(_reply_200(line))
        elif not _code(line):
            events.append(Stray(_text(line)))
        elif not line.startswith(b"100"):  # 100 only says that the real reply takes a while
            events.append(Reply(int(line[:3]), text=_text(line[4:])))

    def _is_whole(self, line: bytes) -> bool:
        """Whether a reply's value, if it has one, ends where the line does."""
        if b" (" not in line or line.endswith(self.value_end):
            return True
        return self.value_end == _CLOSE and _more_behind(line) is not None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _reply_200(line: bytes) -> Reply:
    result, _, tail = _text(line[len(_PREFIX) :]).partition(" ")
    data = None
    if tail.startswith("("):
        if tail.endswith(")"):
            return Reply(200, result, tail[1:-1])
        data, _, tail = tail[1:].rpartition(") ")
    position = tail.removeprefix("endpos=")
    if position != tail and position.lstrip("-").isdecimal():
        return Reply(200, result, data, int(position))
    return Reply(200, result, data)
