from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.errors import UnsafeValue
from ivr.robot.sip_message import Request, Response, address_of, parameter, parse, split_list, uri_of, user_of
from tests.unit.robot.sip_samples import INVITE, message


def test_what_was_written_is_read_back() -> None:
    first = parse(message(INVITE, body=""))
    assert isinstance(first, Request)
    again = parse(Request(first.method, first.uri, headers=first.headers, body=b"v=0\r\n").encode())
    assert isinstance(again, Request)
    assert (again.method, again.uri, again.body, again.call_id) == ("INVITE", first.uri, b"v=0\r\n", "call-1")


def test_compact_names_folded_lines_and_odd_blanks_are_read() -> None:
    """After RFC 4475 section 3.1.1.1."""
    text = (
        "OPTIONS sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
        "v:  SIP  / 2.0  / UDP   192.0.2.2;branch=390skdjuw, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\r\n"
        "TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
        'f: "J Rosenberg \\\\\\"" <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
        "i: 12345\r\nCSeq: 0009\r\n  OPTIONS\r\nl: 0\r\n\r\n"
    )
    found = parse(text.encode())
    assert isinstance(found, Request)
    assert found.to_tag == "1918181833n"
    assert found.from_tag == "98asjd8"
    assert found.cseq == (9, "OPTIONS")
    assert found.every("via") == [
        "SIP  / 2.0  / UDP   192.0.2.2;branch=390skdjuw",
        "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2",
    ]
    assert uri_of(found.first("from")) == "sip:jdrosen@example.com"


def test_a_comma_in_quotes_or_brackets_parts_nothing() -> None:
    value = '"Jan, de Vries" <sip:a,b@host>;q=1, <sip:c@host>'
    assert [part.strip() for part in split_list(value)] == ['"Jan, de Vries" <sip:a,b@host>;q=1', "<sip:c@host>"]


def test_the_tag_of_a_uri_or_a_name_is_not_the_header_s() -> None:
    assert parameter('"x;tag=name" <sip:a@b;tag=uri>;tag=right', "tag") == "right"
    assert parameter("<sip:a@b;tag=uri>", "tag") == ""


def test_a_status_without_a_reason_is_a_response() -> None:
    found = parse(message(INVITE.replace("INVITE sip:100@127.0.0.1:5062 SIP/2.0", "SIP/2.0 200 ")))
    assert isinstance(found, Response)
    assert found.status == 200


def test_bytes_after_the_declared_body_are_left_out() -> None:
    found = parse(message(INVITE.strip() + "\nContent-Length: 3", body="v=0 and noise"))
    assert found is not None
    assert found.body == b"v=0"


def test_a_keep_alive_is_nothing() -> None:
    assert parse(b"\r\n\r\n") is None


@pytest.mark.parametrize(
    ("datagram", "why"),
    [
        (b"hello", "no end"),
        (b"hello\r\n\r\n", "neither"),
        (message(INVITE.replace("SIP/2.0\nVia", "SIP/3.0\nVia")), "neither"),
        (message(INVITE.replace("CSeq: 7 INVITE", "CSeq: seven INVITE")), "CSeq"),
        (message(INVITE.replace("Call-ID", "Not-ID")), "call-id"),
        (message(INVITE.strip() + "\nContent-Length: 100", body="short"), "Content-Length"),
        (message(INVITE.strip() + "\nContent-Length: -1"), "Content-Length"),
        (message(INVITE.strip() + "\nno colon here"), "colon"),
        (message(INVITE.strip() + "\nX: " + "y" * 5000), "characters"),
        (message(INVITE.strip() + "\nX: y" * 300), "headers"),
        (b"x" * 70_000, "bytes"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(datagram: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(datagram)


@given(st.binary(max_size=2000))
def test_no_datagram_breaks_the_parser(datagram: bytes) -> None:
    try:
        found = parse(datagram)
    except ValueError:
        return
    assert found is None or found.call_id


def test_brackets_without_end_take_no_time() -> None:
    began = time.perf_counter()
    for value in ("<" * 4000, '"' * 3999, '<"' * 2000, "\\" * 4000):
        split_list(value)
        parameter(value, "tag")
    assert time.perf_counter() - began < 2


def test_a_value_cannot_become_a_header() -> None:
    request = Request("INVITE", "sip:a@b", headers=(("from", "x\r\nRoute: <sip:evil>"),))
    with pytest.raises(UnsafeValue):
        request.encode()


@pytest.mark.parametrize(
    ("uri", "address", "user"),
    [
        ("sip:100@127.0.0.1:5070", ("127.0.0.1", 5070), "100"),
        ("sip:+31612345678@trunk.example;transport=udp", ("trunk.example", 5060), "+31612345678"),
        ("sip:127.0.0.1", ("127.0.0.1", 5060), ""),
        ("sip:a@[::1]:5061", ("::1", 5061), "a"),
    ],
)
def test_a_sip_uri_names_a_place_and_a_user(uri: str, address: tuple[str, int], user: str) -> None:
    assert (address_of(uri), user_of(uri)) == (address, user)


@pytest.mark.parametrize("uri", ["100", "tel:+31612345678", "sip:", "sip:a@b c", "http://host"])
def test_what_is_no_sip_uri_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="write such as sip:100"):
        address_of(uri)
