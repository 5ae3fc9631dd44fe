from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.asterisk.ami_wire import (
    MAX_MESSAGE_CHARACTERS,
    AmiMessage,
    MessageCutter,
    PeerIsNotAsterisk,
    checked_headers,
)
from ivr.errors import UnsafeValue

STREAM = "Asterisk Call Manager/11.0.0\r\nEvent: A\r\nName: Zoë — 電話\r\n\r\nEvent: B\r\n\r\n".encode()


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_messages_are_the_same_however_segments_fall(cuts: list[int]) -> None:
    cutter = MessageCutter()
    edges = [0, *sorted(cuts), len(STREAM)]
    messages = [text for start, end in pairwise(edges) for text in cutter.feed(STREAM[start:end])]
    assert messages == ["Event: A\r\nName: Zoë — 電話", "Event: B"]
    assert cutter.version == "11.0.0"


def test_another_protocol_is_recognised_at_its_first_bytes() -> None:
    with pytest.raises(PeerIsNotAsterisk):
        MessageCutter().feed(b"SSH-2.0")


@pytest.mark.parametrize("start", [b"Asterisk Call Manager/11.0.0\r\nEvent: A\r\nX: ", b"Asterisk Call Manager/"])
def test_a_message_without_end_is_given_up(start: bytes) -> None:
    cutter = MessageCutter()
    cutter.feed(start + b"x" * (MAX_MESSAGE_CHARACTERS - len(start)))
    with pytest.raises(PeerIsNotAsterisk, match="characters"):
        cutter.feed(b"x" * len(start))


def test_bytes_that_are_not_utf8_do_not_stop_the_stream() -> None:
    cutter = MessageCutter()
    assert cutter.feed(b"Asterisk Call Manager/7\r\nEvent: A\r\nN: Ren\xe9\r\n\r\nEvent: B\r\n\r\n") == [
        "Event: A\r\nN: Ren�",
        "Event: B",
    ]


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\r\nAction: Command", "a\0b", "\udcff"])
@pytest.mark.parametrize("place", ["action", "name", "value", "item"])
def test_nothing_can_become_a_second_header_or_action(bad: str, place: str) -> None:
    action, headers = {
        "action": (bad, {}),
        "name": ("Ping", {bad: "x"}),
        "value": ("Ping", {"Key": bad}),
        "item": ("Ping", {"Key": ["good", bad]}),
    }[place]
    with pytest.raises(UnsafeValue):
        checked_headers(action, headers)


@pytest.mark.parametrize("name", ["", "Key: x", "Key:", "-Key", "Actïon", "Key "])
def test_a_header_name_is_letters_digits_and_dashes(name: str) -> None:
    with pytest.raises(UnsafeValue):
        checked_headers("Ping", {name: "x"})


def test_the_action_cannot_be_named_twice() -> None:
    with pytest.raises(UnsafeValue):
        checked_headers("Ping", {"action": "Command"})


def test_a_line_may_fill_asterisks_buffer_and_no_more() -> None:
    fits = "é" * ((1023 - len("Key: \r\n")) // 2)
    assert checked_headers("Ping", {"Key": fits})["Key"] == fits
    with pytest.raises(UnsafeValue, match="1025 bytes"):
        checked_headers("Ping", {"Key": fits + "é"})


def test_every_header_counts_towards_asterisks_128() -> None:
    assert checked_headers("Originate", {"Variable": ["a=b"] * 126})
    with pytest.raises(UnsafeValue, match="129 headers"):
        checked_headers("Originate", {"Variable": ["a=b"] * 127})


def test_a_refused_value_is_not_in_the_message() -> None:
    with pytest.raises(UnsafeValue) as caught:
        checked_headers("Login", {"Secret": "hunter2\r\n"})
    assert "hunter2" not in str(caught.value)


def test_a_message_is_read_without_regard_to_case_and_its_first_header_counts() -> None:
    message = AmiMessage([("Uniqueid", "1.1"), ("UniqueID", "2.2"), ("Reason", "4"), ("Odd", "٤")])
    assert (message["uniqueid"], message["absent"]) == ("1.1", "")
    assert (message.number("Reason"), message.number("Odd"), message.number("absent")) == (4, 0, 0)
