"""Responses to SIP requests (RFC 3261 section 8.2.6), and the words of their status lines."""

from __future__ import annotations

from ivr.robot.sip_message import Header, Request, Response

ALLOW = ("allow", "INVITE, ACK, CANCEL, BYE, OPTIONS")
AGENT = ("user-agent", "Klantlijn robot")
REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    400: "Bad Request",
    405: "Method Not Allowed",
    408: "Request Timeout",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    503: "Service Unavailable",
    603: "Decline",
}


def respond(
    request: Request, status: int, *, tag: str = "", extra: tuple[Header, ...] = (), body: bytes = b""
) -> Response:
    """A response to a request (RFC 3261 section 8.2.6)."""
    to = request.first("to")
    if tag and not request.to_tag and status > 100:
        to = f"{to};tag={tag}"
    copied = [header for header in request.headers if header[0] in ("via", "record-route")]
    headers = (
        *copied,
        ("from", request.first("from")),
        ("to", to),
        ("call-id", request.call_id),
        ("cseq", request.first("cseq")),
        AGENT,
        *extra,
    )
    return Response(status, REASONS[status], headers=headers, body=body)
