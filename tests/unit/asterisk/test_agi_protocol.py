"""The AGI protocol: bytes in, events out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.asterisk.agi_protocol import (
    MAX_HEADER,
    MAX_HEADER_LINES,
    MAX_REPLY,
    AgiReader,
    Environment,
    Event,
    Hangup,
    Reply,
    Stray,
)
from ivr.errors import AgiProtocolError

OPENING = b"agi_network: yes\nagi_callerid: 0612345678\nagi_rdnis: \n\n"
USAGE = b"520-Invalid command syntax.  Proper usage follows:\n Usage: ANSWER\nHANGUP\n520 End of proper usage.\n"


@pytest.fixture
def reader() -> AgiReader:
    opened = AgiReader()
    opened.receive(OPENING)
    return opened


def environment_of(opening: bytes) -> Environment:
    (event,) = AgiReader().receive(opening)
    assert isinstance(event, Environment)
    return event


def test_the_opening_becomes_an_environment() -> None:
    environment = environment_of(OPENING)
    names = ("network", "callerid", "rdnis", "arg_1")
    assert [environment.get(name) for name in names] == ["yes", "0612345678", "", ""]


def test_an_opening_in_pieces_is_the_same_and_what_follows_it_is_read() -> None:
    reader = AgiReader()
    events = [event for value in OPENING + b"HANGUP\n" for event in reader.receive(bytes([value]))]
    assert events == [environment_of(OPENING), Hangup()]
    assert AgiReader().receive(OPENING + b"HANGUP\n") == events


def test_a_latin_1_name_is_kept_byte_for_byte() -> None:
    name = environment_of(b"agi_calleridname: Andr\xe9\n\n").get("calleridname")
    assert name.encode("utf-8", "surrogateescape") == b"Andr\xe9"


def test_a_line_smuggled_into_a_name_does_not_replace_asterisks_own() -> None:
    environment = environment_of(b"agi_network_script: call\nagi_x: a\nagi_network_script: evil\njunk\n\n")
    assert environment.get("network_script") == "call"


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"\n\n", b"\x16\x03\x01", b"agX"])
def test_a_peer_that_does_not_open_as_agi_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(AgiProtocolError):
        AgiReader().receive(data)


@pytest.mark.parametrize("end", [b"", b"\n\n"])
def test_an_opening_has_a_size_limit(end: bytes) -> None:
    with pytest.raises(AgiProtocolError, match="bytes"):
        AgiReader().receive(b"agi_a: " + b"x" * MAX_HEADER + end)


def test_an_opening_has_a_limit_of_lines() -> None:
    with pytest.raises(AgiProtocolError, match="lines"):
        AgiReader().receive(b"agi_a: b\n" * (MAX_HEADER_LINES + 1) + b"\n")


REPLIES: list[tuple[bytes, list[Event]]] = [
    (b"200 result=1\n", [Reply(200, "1")]),
    (b"200 result=-1 endpos=0\n", [Reply(200, "-1", None, 0)]),
    (b"200 result=0 endpos=6920\n", [Reply(200, "0", None, 6920)]),
    (b"200 result= (timeout)\n", [Reply(200, "", "timeout")]),
    (b"200 result=0 (timeout) endpos=800\n", [Reply(200, "0", "timeout", 800)]),
    (b"200 result=1 (x (y) result=9 z=1)\n", [Reply(200, "1", "x (y) result=9 z=1")]),
    (b"200 result=1 (hangup)\n", [Reply(200, "1", "hangup")]),
    (b"200 result=1 (HANGUP)\n", [Reply(200, "1", "HANGUP")]),
    (b"200 result=1 ()\n", [Reply(200, "1", "")]),
    (b"200 result=1 (one\nHANGUP\ntwo)\n", [Reply(200, "1", "one\nHANGUP\ntwo")]),
    (b"100 result=0 Trying...\n200 result=0\n", [Reply(200, "0")]),
    (b"510 Invalid or unknown command\n", [Reply(510, text="Invalid or unknown command")]),
    (b"511 Command Not Permitted on a dead channel\n", [Reply(511, text="Command Not Permitted on a dead channel")]),
    (b"520 Invalid command syntax.\n", [Reply(520, text="Invalid command syntax.")]),
    (USAGE, [Reply(520, text=USAGE[4:-1].decode())]),
    (b"HANGUP\n200 result=1\n", [Hangup(), Reply(200, "1")]),
    (b"200 result=-1\nHANGUP\n", [Reply(200, "-1"), Hangup()]),
    (b"\nnoise\n200 result=1\n", [Stray(""), Stray("noise"), Reply(200, "1")]),
]


@pytest.mark.parametrize(("data", "events"), REPLIES)
def test_a_reply_in_one_segment(reader: AgiReader, data: bytes, events: list[Event]) -> None:
    assert reader.receive(data) == events


@pytest.mark.parametrize(("data", "events"), REPLIES)
def test_a_reply_byte_by_byte(reader: AgiReader, data: bytes, events: list[Event]) -> None:
    got = [event for value in data for event in reader.receive(bytes([value]))]
    assert got == events


@pytest.mark.parametrize(("data", "events"), REPLIES)
def test_what_is_just_one_reply_is_known_at_once(reader: AgiReader, data: bytes, events: list[Event]) -> None:
    just_one = len(events) == 1 and data.startswith(b"200") and data.count(b"\n") == 1
    assert reader.reply(data) == (events[0] if just_one else None)


@given(st.lists(st.sampled_from([data for data, _ in REPLIES]) | st.binary(max_size=9), max_size=6), st.data())
def test_a_reply_known_at_once_is_what_the_whole_reader_reads(segments: list[bytes], draw: st.DataObject) -> None:
    quick, whole = AgiReader(), AgiReader()
    assert quick.reply(b"200 result=1\n") is None
    for reader in (quick, whole):
        reader.receive(OPENING)
    quick.value_end = whole.value_end = draw.draw(st.sampled_from([b")", b"z=1)"]))
    for segment in segments:
        reply = quick.reply(segment)
        assert whole.receive(segment) == (quick.receive(segment) if reply is None else [reply])


def test_a_value_read_up_to_a_mark_may_look_like_the_protocol(reader: AgiReader) -> None:
    reader.value_end = b"mark)"
    value = b"a)\n200 result=1 (forged)\nHANGUP\n520-"
    assert reader.receive(b"200 result=1 (" + value + b"mark)\n") == [Reply(200, "1", value.decode() + "mark")]


@pytest.mark.parametrize("start", [b"", b"200 result=1 (a\n", b"520-usage\n"])
def test_a_reply_has_a_size_limit(reader: AgiReader, start: bytes) -> None:
    with pytest.raises(AgiProtocolError, match="bytes"):
        reader.receive(start + b"x" * (MAX_REPLY + 1) + b"\n" * bool(start))


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_no_bytes_break_the_reader(segments: list[bytes]) -> None:
    """It takes them or refuses them as AgiProtocolError; nothing else comes out."""
    reader = AgiReader()
    reader.receive(OPENING)
    for segment in segments:
        for event in reader.receive(segment):
            assert isinstance(event, Reply | Hangup | Stray)
