from __future__ import annotations

import pytest

from ivr.robot.dtmf import KEYS, KeyEar, key_packets, seconds_for


def test_a_key_is_five_packets_and_its_end_told_three_times() -> None:
    """RFC 4733 section 2.5.1: one timestamp, durations that grow, the end bit in the last three."""
    packets = key_packets("#")
    assert [packet.payload[0] for packet in packets] == [11] * 8
    assert [bool(packet.payload[1] & 0x80) for packet in packets] == [False] * 5 + [True] * 3
    assert [int.from_bytes(packet.payload[2:], "big") for packet in packets] == [160, 320, 480, 640, 800, 800, 800, 800]
    assert [packet.behind for packet in packets] == [160 * index for index in range(8)]
    assert [packet.marker for packet in packets] == [True] + [False] * 7


def test_every_key_is_heard_once_and_the_same_key_twice_when_pressed_twice() -> None:
    ear = KeyEar()
    heard = ""
    for number, key in enumerate("112233" + KEYS):
        for packet in key_packets(key):
            heard += ear.hear(packet.payload, 1000 + number * 2000)
    assert heard == "112233" + KEYS


def test_an_event_that_is_no_key_or_too_short_is_not_heard() -> None:
    assert KeyEar().hear(b"\x10\x0a\x00\xa0", 1) == ""
    assert KeyEar().hear(b"\x01", 1) == ""


@pytest.mark.parametrize("key", ["", "E", "12", "a"])
def test_what_is_no_key_cannot_be_pressed(key: str) -> None:
    with pytest.raises(ValueError, match="is not a key"):
        key_packets(key)


def test_keys_take_the_time_of_their_packets() -> None:
    assert seconds_for("1") == pytest.approx(0.1)
    assert seconds_for("123") == pytest.approx(0.1 + 2 * 0.24)
