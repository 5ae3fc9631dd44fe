"""SIP transactions over UDP (RFC 3261 section 17): what is sent again, until when. No socket, no clock."""

from __future__ import annotations

from dataclasses import replace

from ivr.robot.sip_message import Request, Response

T1 = 0.5
T2 = 4.0
GIVE_UP = 64 * T1
"""Timers B, F, H, D and J of the RFC, seconds."""


class ClientTransaction:
    """A request of ours and its responses.

    `due` is when `on_time` wants to be called, None when it is not waiting. `over` says
    that nothing more will come of it; `timed_out` that nobody answered.
    """

    def __init__(self, request: Request, now: float) -> None:
        self.request = request
        self.responded = 0
        self.over = False
        self.timed_out = False
        self._invite = request.method == "INVITE"
        self._interval = T1
        self._end = now + GIVE_UP
        self._again: float | None = now + T1
        self._limited = False

    def limit(self, now: float) -> None:
        """An INVITE was cancelled: wait no longer than 64*T1 for its end, though it rings (section 9.1)."""
        self._limited = True
        self._end = now + GIVE_UP

    @property
    def due(self) -> float | None:
        """When something happens next if the peer stays silent (seconds of the same clock as `now`)."""
        if self.over:
            return None
        # A ringing INVITE waits as long as its user likes: timer B ends with the first provisional response.
        if self._invite and 100 <= self.responded < 200 and not self._limited:
            return None
        return self._end if self._again is None else min(self._again, self._end)

    def on_time(self, now: float) -> list[bytes]:
        """What to send because time passed."""
        due = self.due
        if due is None or now < due:
            return []
        if now >= self._end:
            self.over = True
            self.timed_out = self.responded < 200
            return []
        self._interval = self._interval * 2 if self._invite else min(self._interval * 2, T2)
        if not self._invite and self.responded:
            self._interval = T2
        self._again = now + self._interval
        return [self.request.encode()]

    def on_response(self, response: Response, now: float) -> tuple[bool, list[bytes]]:
        """Whether the response is news, and what to send for it.

        A refused INVITE is acknowledged here, each time the refusal comes (section 17.1.1.3);
        an accepted one by the dialog.
        """
        known = self.responded >= 200
        acknowledge = [self._ack(response)] if self._invite and response.status >= 300 else []
        if known or self.over:
            return False, acknowledge
        news = response.status != self.responded
        self.responded = response.status
        if response.status >= 200:
            self._again = None
            self._end = now + GIVE_UP
            self.over = not acknowledge
        elif self._invite:
            self._again = None
        return news, acknowledge

    def _ack(self, response: Response) -> bytes:
        kept = [header for header in self.request.headers if header[0] in ("from", "call-id", "max-forwards", "route")]
        via = ("via", self.request.first("via"))
        to = ("to", response.first("to"))
        cseq = ("cseq", f"{self.request.cseq[0]} ACK")
        return replace(self.request, method="ACK", headers=(via, *kept, to, cseq), body=b"").encode()


class ServerTransaction:
    """A request of the peer and our responses to it.

    Also keeps repeating the 200 to an INVITE until it is acknowledged, which the RFC
    leaves to the user of the transaction (section 13.3.1.4).
    """

    def __init__(self, request: Request, now: float) -> None:
        self.request = request
        self.response: Response | None = None
        self.acknowledged = False
        self.timed_out = False
        self._invite = request.method == "INVITE"
        self._interval = T1
        self._again: float | None = None
        self._end = now + GIVE_UP

    @property
    def answered(self) -> bool:
        """Whether a final response was given."""
        return self.response is not None and self.response.status >= 200

    @property
    def over(self) -> bool:
        """Whether the peer can no longer ask for the response again."""
        return self.timed_out

    @property
    def due(self) -> float | None:
        """When something happens next if the peer stays silent."""
        if self.timed_out or not self.answered:
            return None
        return self._end if self._again is None else min(self._again, self._end)

    def on_time(self, now: float) -> list[bytes]:
        """What to send because time passed. An INVITE whose response nobody acknowledged is `timed_out`."""
        due = self.due
        if due is None or now < due or self.response is None:
            return []
        if now >= self._end:
            self.timed_out = True
            return []
        self._interval = min(self._interval * 2, T2)
        self._again = now + self._interval
        return [self.response.encode()]

    def respond(self, response: Response, now: float) -> list[bytes]:
        """What to send to give a response; nothing when a final one was given already."""
        if self.answered:
            return []
        self.response = response
        if response.status >= 200:
            self._end = now + GIVE_UP
            self._again = now + T1 if self._invite else None
        return [response.encode()]

    def on_repeat(self) -> list[bytes]:
        """What to send when the request comes again."""
        return [self.response.encode()] if self.response and not self.acknowledged else []

    def acknowledge(self) -> None:
        """The ACK came: stop repeating."""
        self.acknowledged = True
        self._again = None
