"""The manager protocol's bytes: messages cut out of what comes in, and what may be sent. Neither sockets nor clocks.

Limits are those of Asterisk's `main/manager.c` (branch 22): lines under 1024 bytes, 128 headers an action.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping, Sequence

from ivr.errors import UnsafeValue

BANNER = "Asterisk Call Manager/"
MAX_LINE_BYTES = 1024
MAX_HEADERS = 128
MAX_MESSAGE_CHARACTERS = 256 * 1024

HeaderValue = str | int | Sequence[str]


class AmiMessage:
    """One response or event. Header names are case-blind; a missing header reads as ''.

    Of a header that comes more than once only the first counts: text that a caller
    chose (a name, a variable) can then not replace what Asterisk wrote before it.
    """

    __slots__ = ("_headers",)

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        self._headers: dict[str, str] = {}
        for name, value in headers:
            self._headers.setdefault(name.lower(), value)

    def __getitem__(self, name: str) -> str:
        return self._headers.get(name.lower(), "")

    def __repr__(self) -> str:
        # Only what kind of message it is: the rest may hold numbers and names.
        return f"<AmiMessage {self.event or self['Response']}>"

    @property
    def event(self) -> str:
        """The event's name, or '' for a response."""
        return self["Event"]

    @property
    def success(self) -> bool:
        """Whether a response says that the action was done."""
        return self["Response"] in ("Success", "Goodbye", "Follows")

    def number(self, name: str) -> int:
        """A header as a whole number; 0 when it is absent or no number."""
        text = self[name].strip()
        return int(text) if re.fullmatch(r"-?\d{1,18}", text, re.ASCII) else 0


class PeerIsNotAsterisk(ValueError):
    """What comes in is not the manager protocol, or a message has no end."""


class MessageCutter:
    """Bytes in, whole messages out. Keeps a letter whose UTF-8 bytes come in two segments."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""
        self.version = ""

    def feed(self, data: bytes) -> list[str]:
        """The messages that `data` completes, each without its final empty line.

        Raises:
            PeerIsNotAsterisk: the banner is wrong, or a message grew beyond MAX_MESSAGE_CHARACTERS.
        """
        text = self._rest + self._decoder.decode(data)
        if not self.version:
            if not text.startswith(BANNER[: len(text)]):
                raise PeerIsNotAsterisk("the banner is not Asterisk's")
            banner, end, text = text.partition("\r\n")
            if not end:
                self._keep(banner)
                return []
            self.version = banner.removeprefix(BANNER).strip() or "unknown"
        *messages, rest = text.split("\r\n\r\n")
        self._keep(rest)
        return messages

    def _keep(self, rest: str) -> None:
        if len(rest) > MAX_MESSAGE_CHARACTERS:
            raise PeerIsNotAsterisk(f"a message of more than {MAX_MESSAGE_CHARACTERS} characters")
        self._rest = rest


def checked_headers(action: str, headers: Mapping[str, HeaderValue]) -> dict[str, str | list[str]]:
    """What an action may be sent as: every name and value proved harmless, `Action` among them.

    Raises:
        UnsafeValue: a name or value could become a second header or action, or is longer than Asterisk reads.
    """
    checked: dict[str, str | list[str]] = {"Action": _value("Action", action)}
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", name, re.ASCII):
            raise UnsafeValue("header name", repr(name))
        if name.lower() == "action":
            raise UnsafeValue("the action's name given twice")
        if isinstance(value, (str, int)):
            checked[name] = _value(name, str(value))
        else:
            checked[name] = [_value(name, item) for item in value]
    # One more is Asterisk's own need: the ActionID that every action gets.
    count = 1 + sum(len(value) if isinstance(value, list) else 1 for value in checked.values())
    if count > MAX_HEADERS:
        raise UnsafeValue(f"{count} headers, Asterisk reads {MAX_HEADERS}")
    return checked


def _value(name: str, value: str) -> str:
    # The value itself stays out of the message: it may be a secret or a number.
    if re.search(r"[\r\n\0]", value):
        raise UnsafeValue("in header", name)
    try:
        size = len(f"{name}: {value}\r\n".encode())
    except UnicodeEncodeError as error:
        raise UnsafeValue("not UTF-8 in header", name) from error
    if size >= MAX_LINE_BYTES:
        raise UnsafeValue(f"header {name} of {size} bytes, Asterisk reads under {MAX_LINE_BYTES}")
    return value
