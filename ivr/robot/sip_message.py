"""SIP messages: bytes to objects and back (RFC 3261 section 7), as far as a telephone needs them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ivr.errors import UnsafeValue

MAX_MESSAGE = 65_535
MAX_HEADERS = 256
MAX_LINE = 4096

# RFC 3261 section 7.3.3, and Event, Refer-To and Session-Expires are left out: a telephone call needs none of them.
COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "e": "content-encoding",
    "k": "supported",
    "s": "subject",
}
LISTS = frozenset({"via", "route", "record-route", "contact"})
UNSAFE = re.compile(r"[\r\n\0]")

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Message:
    """What requests and responses share: headers in their order, and a body.

    Header names are lower case and long; values that were a list are one header each.
    """

    headers: tuple[Header, ...] = field(kw_only=True)
    body: bytes = field(default=b"", kw_only=True)

    def first(self, name: str) -> str:
        """The value of the topmost header with this name, or ''."""
        return next((value for header, value in self.headers if header == name), "")

    def every(self, name: str) -> list[str]:
        """Every value of a header, topmost first."""
        return [value for header, value in self.headers if header == name]

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.first("call-id")

    @property
    def cseq(self) -> tuple[int, str]:
        """The CSeq's number and method; (0, '') when it is not one."""
        parts = re.fullmatch(r"(\d{1,10})\s+(\S+)", self.first("cseq"))
        return (int(parts[1]), parts[2]) if parts else (0, "")

    @property
    def branch(self) -> str:
        """The branch of the topmost Via, which names the transaction (section 17.1.3)."""
        return parameter(self.first("via"), "branch")

    @property
    def from_tag(self) -> str:
        """The tag of the side that began the dialog."""
        return parameter(self.first("from"), "tag")

    @property
    def to_tag(self) -> str:
        """The tag of the side that was called, '' before it has one."""
        return parameter(self.first("to"), "tag")


@dataclass(frozen=True, slots=True)
class Request(Message):
    """A request such as INVITE."""

    method: str
    uri: str

    def encode(self) -> bytes:
        """The bytes to send. Raises UnsafeValue when a value could become another header."""
        return _encode(f"{self.method} {self.uri} SIP/2.0", self.headers, self.body)


@dataclass(frozen=True, slots=True)
class Response(Message):
    """An answer to a request, such as 180 Ringing."""

    status: int
    reason: str

    def encode(self) -> bytes:
        """The bytes to send. Raises UnsafeValue when a value could become another header."""
        return _encode(f"SIP/2.0 {self.status} {self.reason}", self.headers, self.body)


def parse(datagram: bytes) -> Request | Response | None:
    """The message in a datagram; None for a keep-alive of line breaks alone.

    Raises:
        ValueError: it is not a SIP message, or lacks a header without which nobody can answer it.
    """
    if len(datagram) > MAX_MESSAGE:
        raise ValueError(f"message of {len(datagram)} bytes, expected no more than {MAX_MESSAGE}")
    datagram = datagram.lstrip(b"\r\n")
    if not datagram:
        return None
    head, separator, body = datagram.partition(b"\r\n\r\n")
    if not separator:
        raise ValueError("the header has no end")
    # A line that begins with a blank goes on from the line before (section 7.3.1).
    lines = re.sub(rb"\r\n[ \t]+", b" ", head).decode("utf-8", "replace").split("\r\n")
    if len(lines) > MAX_HEADERS:
        raise ValueError(f"{len(lines)} headers, expected no more than {MAX_HEADERS}")
    if max(map(len, lines)) > MAX_LINE:
        raise ValueError(f"a header of {max(map(len, lines))} characters, expected no more than {MAX_LINE}")
    headers = tuple(_headers(lines[1:]))
    declared = next((value for name, value in headers if name == "content-length"), "")
    if declared:
        if not declared.isdecimal() or int(declared) > len(body):
            raise ValueError(f"Content-Length {declared}, but the body has {len(body)} bytes")
        body = body[: int(declared)]
    message = _with_start_line(lines[0], headers, body)
    missing = [name for name in ("via", "from", "to", "call-id") if not message.first(name)]
    if missing or message.cseq == (0, ""):
        raise ValueError(f"without {', '.join(missing) or 'a CSeq'}")
    return message


def _with_start_line(line: str, headers: tuple[Header, ...], body: bytes) -> Request | Response:
    if status := re.fullmatch(r"SIP/2\.0 ([1-6]\d\d) ?(.*)", line):
        return Response(int(status[1]), status[2], headers=headers, body=body)
    if request := re.fullmatch(r"([A-Za-z0-9.!%*_+`'~-]+) (\S+) SIP/2\.0", line):
        return Request(request[1], request[2], headers=headers, body=body)
    raise ValueError("the first line is neither a request nor a status")


def _headers(lines: Sequence[str]) -> Iterable[Header]:
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not name:
            raise ValueError("a header line has no colon")
        name = COMPACT.get(name, name)
        for part in split_list(value) if name in LISTS else [value]:
            yield name, part.strip()


def split_list(value: str) -> list[str]:
    """The parts of a comma-separated header, with commas inside quotes and brackets left alone."""
    # An alternation without overlap, so that no value makes it backtrack.
    return re.findall(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<]|["<])+', value)


def parameter(value: str, name: str) -> str:
    """A parameter of a header value such as `tag`, or ''. Parameters of a URI in brackets are not the header's."""
    outside = re.sub(r'"(?:[^"\\]|\\.)*"|<[^>]*>', "", value)
    for part in outside.split(";")[1:]:
        key, _, content = part.partition("=")
        if key.strip().lower() == name:
            return content.strip()
    return ""


def uri_of(value: str) -> str:
    """The URI in a header such as `"Jan" <sip:jan@host;lr>;tag=1`."""
    outside_quotes = re.sub(r'"(?:[^"\\]|\\.)*"', "", value)
    if bracketed := re.search(r"<([^>]*)>", outside_quotes):
        return bracketed[1].strip()
    return outside_quotes.split(";", 1)[0].strip()


def address_of(uri: str, default_port: int = 5060) -> tuple[str, int]:
    """Host and port that a SIP URI names.

    Raises:
        ValueError: it is not a SIP URI.
    """
    parts = re.fullmatch(r"sips?:(?:[^@]*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?(?:[;?].*)?", uri)
    if not parts:
        raise ValueError(f"'{uri}' is not a SIP address; write such as sip:100@127.0.0.1:5070")
    return parts[1].strip("[]"), int(parts[2] or default_port)


def user_of(uri: str) -> str:
    """The user part of a SIP URI, or ''."""
    found = re.match(r"sips?:([^@;?]*)@", uri)
    return found[1] if found else ""


def _encode(start: str, headers: Sequence[Header], body: bytes) -> bytes:
    lines = [start]
    for name, value in headers:
        if name != "content-length":
            lines.append(f"{SPELLING.get(name) or name.title()}: {value}")
    for line in lines:
        if UNSAFE.search(line):
            raise UnsafeValue(line.split(":", 1)[0])
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


SPELLING = {"call-id": "Call-ID", "cseq": "CSeq"}
