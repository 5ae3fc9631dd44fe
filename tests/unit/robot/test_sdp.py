from __future__ import annotations

import pytest

from ivr.errors import CallFailed
from ivr.robot.sdp import MAX_BODY, Codec, Media, read, write


def body(*lines: str) -> bytes:
    return "\r\n".join(["v=0", "o=- 1 1 IN IP4 10.0.0.1", "s=-", *lines, ""]).encode()


def test_what_we_write_is_read_back() -> None:
    media = read(write("127.0.0.1", 4000, (Codec.PCMA, Codec.PCMU), keys=101, version=1))
    assert media == Media("127.0.0.1", 4000, (Codec.PCMA, Codec.PCMU), 101)


def test_static_payload_types_need_no_map_and_keys_have_any_number() -> None:
    found = read(body("c=IN IP4 10.0.0.2", "t=0 0", "m=audio 9000 RTP/AVP 0 96 18", "a=rtpmap:96 telephone-event/8000"))
    assert found == Media("10.0.0.2", 9000, (Codec.PCMU,), 96)


def test_an_address_of_the_audio_part_counts_before_that_of_the_session() -> None:
    found = read(
        body("c=IN IP4 10.0.0.2", "t=0 0", "m=video 8000 RTP/AVP 97", "c=IN IP4 10.0.0.3", "m=audio 9000 RTP/AVP 8",
             "c=IN IP4 10.0.0.4", "a=recvonly")
    )  # fmt: skip
    assert found == Media("10.0.0.4", 9000, (Codec.PCMA,), None, sends=False)


@pytest.mark.parametrize(
    ("description", "why"),
    [
        (body("c=IN IP4 10.0.0.2", "m=audio 9000 RTP/AVP 18"), "no G.711"),
        (body("c=IN IP4 10.0.0.2", "m=audio 0 RTP/AVP 8"), "no G.711"),
        (body("c=IN IP4 10.0.0.2", "m=video 9000 RTP/AVP 8"), "no G.711"),
        (body("m=audio 9000 RTP/AVP 8"), "no address"),
        (b"", "no G.711"),
        (b"\xff" * 100, "no G.711"),
        (b"x" * (MAX_BODY + 1), "bytes"),
    ],
)
def test_what_we_cannot_take_part_in_is_refused_with_the_reason(description: bytes, why: str) -> None:
    with pytest.raises(CallFailed, match=why):
        read(description)
