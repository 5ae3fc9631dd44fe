"""Where received sound lies in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.robot.rtp import FRAME, RATE, RtpPacket, Timeline, parse_rtp

SOUND = np.full(FRAME, 1000, np.int16)


def packet(index: int, timestamp: int, source: int = 1) -> RtpPacket:
    return RtpPacket(8, index, timestamp % 2**32, source, b"")


def starts(timeline: Timeline) -> list[int]:
    """Milliseconds at which sound begins after none."""
    covered = timeline.samples(0, timeline.end) != 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], covered]).astype(np.int8)) == 1)
    return [int(edge) * 1000 // RATE for edge in edges]


def test_a_packet_survives_the_wire() -> None:
    sent = RtpPacket(8, 65535, 2**32 - 1, 77, b"\xd5" * 160, marker=True)
    assert parse_rtp(sent.encode()) == sent


def test_padding_extension_and_contributors_are_not_sound() -> None:
    head = bytes([0x80 | 0x20 | 0x10 | 1, 8, 0, 1]) + bytes(8)
    datagram = head + b"CSRC" + b"\xbe\xde\x00\x01" + b"EXTN" + b"sound" + b"\x00\x00\x03"
    found = parse_rtp(datagram)
    assert found is not None
    assert found.payload == b"sound"


@pytest.mark.parametrize(
    "datagram", [b"", b"\x80", b"\x80\xc8" + bytes(20), b"\x00\x01" + bytes(20), b"\xbf\x08" + bytes(12)]
)
def test_what_is_not_rtp_is_nothing(datagram: bytes) -> None:
    assert parse_rtp(datagram) is None


@given(st.binary(max_size=200))
def test_no_datagram_breaks_the_parser(datagram: bytes) -> None:
    found = parse_rtp(datagram)
    assert found is None or len(found.payload) <= len(datagram) - 12


def test_jitter_leaves_the_sound_in_one_piece() -> None:
    timeline = Timeline()
    for index in range(50):
        late = 0.07 if index % 7 == 3 else 0.0
        timeline.lay(packet(index, index * FRAME), SOUND, 1 + index * 0.02 + late)
    assert starts(timeline) == [1000]
    assert timeline.end == RATE + 50 * FRAME


def test_reordered_and_doubled_packets_lie_where_they_belong() -> None:
    timeline = Timeline()
    for index in (0, 2, 1, 3, 3, 5, 4):
        timeline.lay(packet(index, index * FRAME), SOUND, 0.5 + index * 0.02)
    assert starts(timeline) == [500]
    assert timeline.end == RATE // 2 + 6 * FRAME


def test_a_pause_of_the_sender_is_a_pause_whatever_its_timestamps_say() -> None:
    """Some senders let the timestamp go on with time, others stop it; a caller hears the same."""
    for step in (FRAME, FRAME * 50):
        timeline = Timeline()
        timeline.lay(packet(0, 0), SOUND, 0.0)
        timeline.lay(packet(1, step), SOUND, 1.0)
        assert starts(timeline) == [0, 1000]
        assert timeline.received(0, RATE) == pytest.approx(0.02)


def test_a_burst_plays_on_after_what_was_there() -> None:
    """Another source that sends faster than time must not overwrite what came before."""
    timeline = Timeline()
    for index in range(10):
        timeline.lay(packet(index, index * FRAME), SOUND, 0.0)
    timeline.lay(packet(0, 99, source=2), SOUND * 2, 0.01)
    assert timeline.end == 11 * FRAME
    assert int(timeline.samples(10 * FRAME, 11 * FRAME)[0]) == 2000


def test_the_timestamp_may_wrap_round() -> None:
    timeline = Timeline()
    for index in range(4):
        timeline.lay(packet(index, 2**32 - FRAME + index * FRAME), SOUND, index * 0.02)
    assert timeline.end == 4 * FRAME
    assert starts(timeline) == [0]


def test_absurd_times_make_no_endless_timeline() -> None:
    timeline = Timeline()
    timeline.lay(packet(0, 0), SOUND, 1e9)
    assert (timeline.end, timeline.packets) == (0, 0)
