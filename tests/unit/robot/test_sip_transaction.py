"""RFC 3261 section 17, with a clock that is a number."""

from __future__ import annotations

import pytest

from ivr.robot.sip_message import Request
from ivr.robot.sip_response import respond
from ivr.robot.sip_transaction import ClientTransaction, ServerTransaction
from tests.unit.robot.sip_samples import an_invite, in_dialog


def moments(transaction: ClientTransaction | ServerTransaction) -> list[float]:
    """When a transaction sends again while the peer stays silent."""
    times = []
    while (due := transaction.due) is not None:
        if transaction.on_time(due):
            times.append(due)
    return times


def test_an_invite_nobody_answers_is_repeated_at_doubling_intervals_and_given_up_after_32_seconds() -> None:
    transaction = ClientTransaction(an_invite(), 0)
    assert moments(transaction) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert transaction.timed_out


def test_another_request_is_repeated_at_intervals_of_four_seconds_at_most() -> None:
    transaction = ClientTransaction(in_dialog("BYE", 8, "b"), 0)
    assert moments(transaction)[:6] == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5]
    assert transaction.timed_out


def test_a_ringing_invite_is_not_repeated_and_never_given_up() -> None:
    transaction = ClientTransaction(an_invite(), 0)
    transaction.on_response(respond(transaction.request, 180), 0.1)
    assert transaction.due is None


def test_a_ringing_invite_that_was_cancelled_is_given_up_after_32_seconds() -> None:
    transaction = ClientTransaction(an_invite(), 0)
    transaction.on_response(respond(transaction.request, 180), 0.1)
    transaction.limit(10)
    assert transaction.due == 42
    assert moments(transaction) == []
    assert transaction.timed_out


def test_a_refusal_is_news_once_and_acknowledged_each_time() -> None:
    transaction = ClientTransaction(an_invite(), 0)
    refusal = respond(transaction.request, 486, tag="t")
    first = transaction.on_response(refusal, 1)
    again = transaction.on_response(refusal, 2)
    assert (first[0], again[0]) == (True, False)
    assert first[1] == again[1]
    assert first[1][0].startswith(
        b"ACK sip:100@127.0.0.1:5062 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKtheirs"
    )
    assert b"CSeq: 7 ACK" in first[1][0]


def test_a_200_is_repeated_until_it_is_acknowledged() -> None:
    transaction = ServerTransaction(an_invite(), 0)
    transaction.respond(respond(transaction.request, 200, tag="t"), 0)
    assert transaction.due == 0.5
    assert transaction.on_time(0.5)
    transaction.acknowledge()
    assert moments(transaction) == []


def test_a_200_that_nobody_acknowledges_times_out() -> None:
    transaction = ServerTransaction(an_invite(), 0)
    transaction.respond(respond(transaction.request, 200, tag="t"), 0)
    assert moments(transaction)[:5] == [0.5, 1.5, 3.5, 7.5, 11.5]
    assert transaction.timed_out


@pytest.mark.parametrize("request_", [an_invite(), in_dialog("BYE", 8, "b")], ids=["INVITE", "BYE"])
def test_a_repeated_request_gets_the_same_response(request_: Request) -> None:
    transaction = ServerTransaction(request_, 0)
    assert transaction.on_repeat() == []
    out = transaction.respond(respond(request_, 200, tag="t"), 0)
    assert transaction.on_repeat() == out
    assert transaction.respond(respond(request_, 486, tag="t"), 1) == []
