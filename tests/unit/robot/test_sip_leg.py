"""A call's signalling from both ends, message by message."""

from __future__ import annotations

from ivr.robot.sip_event import Answered, Ended, Event, LegState, Offered, Ringing
from ivr.robot.sip_leg import Leg
from ivr.robot.sip_message import Request, Response
from tests.unit.robot.sip_samples import a_leg, an_invite, in_dialog, read, sent, starts

OFFER = b"v=0\r\n"


def dialled(now: float = 0) -> Leg:
    leg = a_leg()
    leg.call("sip:100@127.0.0.1:5070", ("from", "<sip:+31612345678@127.0.0.1>"), "call-9", (), OFFER, now)
    return leg


def exchange(one: Leg, other: Leg, now: float) -> tuple[list[Event], list[Event]]:
    """Carry messages to and fro until both are silent; what happened at each end."""
    happened: tuple[list[Event], list[Event]] = ([], [])
    while True:
        moved = False
        for index, (sender, receiver) in enumerate(((one, other), (other, one))):
            datagrams, events = sender.take()
            happened[index].extend(events)
            for message in read(datagrams):
                moved = True
                if isinstance(message, Request):
                    receiver.on_request(message, now)
                else:
                    receiver.on_response(message, now)
        if not moved:
            return happened


def up() -> tuple[Leg, Leg]:
    caller, callee = dialled(), a_leg("theirs")
    exchange(caller, callee, 0)
    callee.ring(0)
    callee.accept(OFFER, 0)
    exchange(caller, callee, 0)
    return caller, callee


def test_a_call_rings_is_answered_and_ends_at_both_ends() -> None:
    caller, callee = dialled(), a_leg("theirs")
    assert exchange(caller, callee, 0) == ([], [Offered(OFFER)])
    callee.ring(1)
    assert exchange(caller, callee, 1)[0] == [Ringing(180)]
    callee.accept(b"answer", 2)
    assert exchange(caller, callee, 2) == ([Answered(b"answer")], [Answered(b"")])
    callee.hang_up(3)
    assert exchange(caller, callee, 3) == ([Ended("them", 0, "hung up")], [Ended("us", 0, "hung up")])
    assert (caller.state, callee.state) == (LegState.OVER, LegState.OVER)
    assert not callee.waiting


def test_the_bye_goes_to_the_contact_through_the_recorded_route_with_a_higher_number() -> None:
    leg = dialled()
    (invite,) = sent(leg)
    answer = Response(
        200,
        "OK",
        headers=(
            *invite.headers[:1],
            ("record-route", "<sip:near;lr>"),
            ("record-route", "<sip:far;lr>"),
            ("from", invite.first("from")),
            ("to", "<sip:100@127.0.0.1:5070>;tag=t"),
            ("call-id", "call-9"),
            ("cseq", invite.first("cseq")),
            ("contact", "<sip:here@127.0.0.1:5999>"),
        ),
    )
    leg.on_response(answer, 1)
    leg.hang_up(2)
    ack, bye = sent(leg)
    assert isinstance(ack, Request)
    assert isinstance(bye, Request)
    for request in (ack, bye):
        assert request.uri == "sip:here@127.0.0.1:5999"
        assert request.every("route") == ["<sip:far;lr>", "<sip:near;lr>"]
        assert request.to_tag == "t"
    assert (ack.cseq, bye.cseq) == ((1, "ACK"), (2, "BYE"))
    assert ack.branch != bye.branch


def test_a_repeated_200_is_acknowledged_again_and_reported_once() -> None:
    leg, peer = dialled(), a_leg("theirs")
    exchange(leg, peer, 0)
    peer.accept(OFFER, 0)
    (ok,) = sent(peer)
    assert isinstance(ok, Response)
    events: list[Event] = []
    for now in (0.1, 0.6, 40.0):
        leg.on_time(now)
        leg.on_response(ok, now)
        datagrams, happened = leg.take()
        events += happened
        assert [datagram[:4] for datagram in datagrams] == [b"ACK "]
    assert events == [Answered(OFFER)]


def test_a_response_to_another_request_or_of_a_wrong_method_is_ignored() -> None:
    leg, peer = dialled(), a_leg("theirs")
    (invite,) = sent(leg)
    assert isinstance(invite, Request)
    for header, value in (("via", "SIP/2.0/UDP x;branch=z9hG4bKother"), ("cseq", "1 BYE")):
        headers = tuple((name, value if name == header else old) for name, old in invite.headers)
        leg.on_response(Response(200, "OK", headers=headers), 1)
    assert leg.take() == ([], [])
    assert leg.state is LegState.CALLING
    assert peer.state is LegState.CALLING


def test_a_busy_callee_is_told_and_acknowledged() -> None:
    caller, callee = dialled(), a_leg("theirs")
    exchange(caller, callee, 0)
    callee.reject(486, 1)
    assert exchange(caller, callee, 1)[0] == [Ended("them", 486, "Busy Here")]
    callee.on_time(1.6)
    assert starts(callee) == []


def test_nobody_answers_at_all() -> None:
    leg = dialled()
    while (due := leg.due) is not None:
        leg.on_time(due)
    datagrams, events = leg.take()
    assert [datagram[:7] for datagram in datagrams] == [b"INVITE "] * 7
    assert events == [Ended("them", 408, "nobody answered")]
    assert leg.state is LegState.OVER


def test_hanging_up_before_anything_came_back_waits_for_the_first_response_to_cancel() -> None:
    caller, callee = dialled(), a_leg("theirs")
    (invite,) = sent(caller)
    assert isinstance(invite, Request)
    caller.hang_up(0.1)
    assert starts(caller) == []
    callee.on_request(invite, 0.2)
    callee.ring(0.2)
    events = exchange(callee, caller, 0.3)
    assert events[0] == [Offered(OFFER), Ended("them", 487, "cancelled")]
    assert events[1] == [Ringing(180), Ended("us", 487, "Request Terminated")]


def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() -> None:
    caller, callee = dialled(), a_leg("theirs")
    exchange(caller, callee, 0)
    callee.ring(0)
    exchange(caller, callee, 0)
    caller.hang_up(1)
    assert starts(caller) == ["CANCEL"]
    callee.accept(OFFER, 1)
    events = exchange(callee, caller, 1)
    assert events[1] == [Answered(OFFER), Ended("us", 0, "hung up")]
    assert events[0] == [Answered(b""), Ended("them", 0, "hung up")]


def test_a_repeated_invite_begins_one_call() -> None:
    leg = a_leg()
    leg.on_request(an_invite(), 0)
    leg.on_request(an_invite(), 0.5)
    assert leg.began(an_invite())
    datagrams, events = leg.take()
    assert events == [Offered(b"")]
    assert [datagram[:11] for datagram in datagrams] == [b"SIP/2.0 100"] * 2


def test_a_200_is_repeated_until_the_ack_and_the_call_ended_when_none_comes() -> None:
    leg = a_leg()
    leg.on_request(an_invite(), 0)
    leg.accept(OFFER, 1)
    assert starts(leg) == ["100", "200"]
    leg.on_time(1.5)
    assert starts(leg) == ["200"]
    while leg.state is LegState.UP and leg.due is not None:
        leg.on_time(leg.due)
    assert leg.state is LegState.OVER
    assert starts(leg)[-1] == "BYE"


def test_the_ack_stops_the_repeats() -> None:
    leg = a_leg()
    leg.on_request(an_invite(), 0)
    leg.accept(OFFER, 0)
    leg.on_request(in_dialog("ACK", 7, "ack"), 0.1)
    leg.take()
    leg.on_time(0.6)
    assert starts(leg) == []


def test_a_request_with_an_old_number_is_refused() -> None:
    leg = a_leg()
    leg.on_request(an_invite(), 0)
    leg.accept(OFFER, 0)
    leg.take()
    leg.on_request(in_dialog("BYE", 6, "late"), 1)
    assert starts(leg) == ["500"]
    assert leg.state is LegState.UP


def test_what_a_telephone_does_not_know_gets_405_and_options_200() -> None:
    leg = a_leg()
    leg.on_request(an_invite(), 0)
    leg.accept(OFFER, 0)
    leg.take()
    leg.on_request(in_dialog("UPDATE", 8, "u"), 1)
    leg.on_request(in_dialog("OPTIONS", 9, "o"), 1)
    first, second = sent(leg)
    assert isinstance(first, Response)
    assert isinstance(second, Response)
    assert (first.status, second.status) == (405, 200)
    assert "INVITE" in first.first("allow")


def test_the_other_side_may_move_the_sound_while_the_call_is_up() -> None:
    caller, callee = up()
    request = in_dialog("INVITE", 20, "re")
    callee.on_request(request, 5)
    _, events = callee.take()
    assert events == [Offered(b"")]
    callee.accept(b"moved", 5)
    (ok,) = sent(callee)
    assert isinstance(ok, Response)
    assert (ok.status, ok.body, callee.state) == (200, b"moved", LegState.UP)
    assert caller.state is LegState.UP


def test_a_bye_after_the_end_is_answered_and_not_reported_again() -> None:
    leg = a_leg()
    leg.on_request(an_invite(), 0)
    leg.accept(OFFER, 0)
    leg.on_request(in_dialog("BYE", 8, "b1"), 1)
    leg.take()
    leg.on_request(in_dialog("BYE", 8, "b1"), 1.5)
    leg.on_request(in_dialog("BYE", 9, "b2"), 2)
    datagrams, events = leg.take()
    assert [datagram.split(b"\r\n")[0] for datagram in datagrams] == [
        b"SIP/2.0 200 OK",
        b"SIP/2.0 481 Call/Transaction Does Not Exist",
    ]
    assert events == []
