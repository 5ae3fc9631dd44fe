"""Session descriptions: what sound goes where (RFC 8866), offered and answered (RFC 3264). G.711 and keys only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from ivr.errors import CallFailed

MAX_BODY = 16_384
OUR_KEYS = 101


class Codec(StrEnum):
    """How samples are coded: A-law or mu-law of G.711."""

    PCMA = "PCMA"
    PCMU = "PCMU"

    @property
    def payload_type(self) -> int:
        """The static RTP payload type (RFC 3551)."""
        return 8 if self is Codec.PCMA else 0


@dataclass(frozen=True, slots=True)
class Media:
    """Where a side takes sound and in which form, in its order of preference.

    `keys` is the payload type it takes telephone events with (RFC 4733), None when it takes none.
    `sends` is False when this side announces that it will send nothing (hold).
    """

    host: str
    port: int
    codecs: tuple[Codec, ...]
    keys: int | None
    sends: bool = True


def read(body: bytes) -> Media:
    """The audio part of a session description.

    Raises:
        CallFailed: it has no audio that we can take part in.
    """
    if len(body) > MAX_BODY:
        raise CallFailed(f"a session description of {len(body)} bytes, expected no more than {MAX_BODY}")
    sections = re.split(r"(?m)^(?=m=)", body.decode("utf-8", "replace").replace("\r\n", "\n"))
    session, parts = sections[0], sections[1:]
    for part in parts:
        line = re.match(r"m=audio (\d{1,5})(?:/\d+)? RTP/AVPF? ([\d ]+)", part)
        if not line or int(line[1]) == 0:
            continue
        names = dict(re.findall(r"(?m)^a=rtpmap:(\d+) ([^\s]+)", part))
        host = re.search(r"(?m)^c=IN IP[46] ([^\s/]+)", part) or re.search(r"(?m)^c=IN IP[46] ([^\s/]+)", session)
        if not host:
            raise CallFailed("the session description has no address")
        static = {codec.payload_type: f"{codec}/8000" for codec in Codec}
        codecs: list[Codec] = []
        keys = None
        for payload_type in map(int, line[2].split()):
            name = str(names.get(str(payload_type)) or static.get(payload_type, "")).upper()
            for codec in Codec:
                if name.startswith(f"{codec}/8000"):
                    codecs.append(codec)
            if name.startswith("TELEPHONE-EVENT/8000") and keys is None:
                keys = payload_type
        if codecs:
            sends = not re.search(r"(?m)^a=(recvonly|inactive)\s*$", part)
            return Media(host[1], int(line[1]), tuple(dict.fromkeys(codecs)), keys, sends)
    raise CallFailed("the other side offers no G.711 sound")


def write(host: str, port: int, codecs: tuple[Codec, ...], *, keys: int | None, version: int) -> bytes:
    """A session description of ours; `version` grows with each change in one dialog (RFC 3264 section 8)."""
    family = "IP6" if ":" in host else "IP4"
    types = [codec.payload_type for codec in codecs] + ([keys] if keys is not None else [])
    lines = [
        "v=0",
        f"o=- {port} {version} IN {family} {host}",
        "s=-",
        f"c=IN {family} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(map(str, types))}",
        *[f"a=rtpmap:{codec.payload_type} {codec}/8000" for codec in codecs],
    ]
    if keys is not None:
        lines += [f"a=rtpmap:{keys} telephone-event/8000", f"a=fmtp:{keys} 0-15"]
    lines += ["a=ptime:20", "a=sendrecv", ""]
    return "\r\n".join(lines).encode()
