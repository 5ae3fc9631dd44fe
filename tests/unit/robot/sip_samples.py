"""SIP messages for the tests of the robot's signalling."""

from __future__ import annotations

from itertools import count

from ivr.robot.sip_leg import Leg
from ivr.robot.sip_message import Request, Response, parse


def a_leg(tag: str = "ours") -> Leg:
    """A leg whose branches are numbered."""
    numbers = count(1)
    return Leg(
        tag=tag, contact="sip:robot@127.0.0.1:5062", via="127.0.0.1:5062", token=lambda: f"-{tag}-{next(numbers)}"
    )


def sent(leg: Leg) -> list[Request | Response]:
    """What a leg wants sent, read back as the other side would."""
    return read(leg.take()[0])


def read(datagrams: list[bytes]) -> list[Request | Response]:
    """The messages in datagrams."""
    messages = [parse(datagram) for datagram in datagrams]
    return [message for message in messages if message is not None]


def starts(leg: Leg) -> list[str]:
    """The methods and statuses of what a leg wants sent."""
    return [message.method if isinstance(message, Request) else str(message.status) for message in sent(leg)]


def message(text: str, body: str = "") -> bytes:
    """A message as it lies on the wire: lines of `text`, then the body."""
    return "\r\n".join(text.strip().splitlines()).encode() + b"\r\n\r\n" + body.encode()


INVITE = """
INVITE sip:100@127.0.0.1:5062 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKtheirs;rport
From: "Jan, de Vries" <sip:+31612345678@127.0.0.1>;tag=theirs
To: <sip:100@127.0.0.1:5062>
Call-ID: call-1
CSeq: 7 INVITE
Contact: <sip:asterisk@127.0.0.1:5070>
Max-Forwards: 70
"""


def an_invite() -> Request:
    """An INVITE of the other side."""
    return a_request(INVITE)


def a_request(text: str) -> Request:
    """The request in `text`."""
    found = parse(message(text))
    assert isinstance(found, Request)
    return found


def in_dialog(method: str, number: int, branch: str) -> Request:
    """A request of the other side in the dialog that `an_invite` began."""
    return a_request(
        INVITE.replace("CSeq: 7 INVITE", f"CSeq: {number} {method}")
        .replace("INVITE sip:", f"{method} sip:")
        .replace("z9hG4bKtheirs", f"z9hG4bK{branch}")
        .replace("To: <sip:100@127.0.0.1:5062>", "To: <sip:100@127.0.0.1:5062>;tag=ours")
    )
