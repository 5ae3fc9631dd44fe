"""A leg: one SIP call seen from one end (RFC 3261 sections 9, 12 to 15). No socket, no clock.

Messages and times go in; datagrams and events are taken out with `take`.
"""

from __future__ import annotations

from collections.abc import Callable

from ivr.robot.sip_event import Answered, Ended, Event, LegState, Offered, Ringing
from ivr.robot.sip_message import Header, Message, Request, Response, uri_of
from ivr.robot.sip_response import AGENT, ALLOW, REASONS, respond
from ivr.robot.sip_transaction import ClientTransaction, ServerTransaction

TokenSource = Callable[[], str]


class Leg:
    """One call, ours or theirs.

    `contact` is our own SIP URI, `via` our host and port, `tag` our tag; `token` makes a
    new branch at each call of it. Make one with `calling` or `called`.
    """

    def __init__(self, *, tag: str, contact: str, via: str, token: TokenSource) -> None:
        self.tag = tag
        self.state = LegState.CALLING
        self.call_id = ""
        self._contact = ("contact", f"<{contact}>")
        self._via = via
        self._token = token
        self._us = self._them = self._target = ""
        self._route: list[Header] = []
        self._cseq = 1
        self._their_cseq = 0
        self._ours: list[ClientTransaction] = []
        self._theirs: list[ServerTransaction] = []
        self._invite: ClientTransaction | None = None
        self._offer: ServerTransaction | None = None
        self._ack: bytes = b""
        self._wants_out = self._cancelled = False
        self._out: list[bytes] = []
        self._events: list[Event] = []

    def take(self) -> tuple[list[bytes], list[Event]]:
        """Datagrams to send and events that happened, since the last time."""
        out, events = self._out, self._events
        self._out, self._events = [], []
        return out, events

    @property
    def waiting(self) -> bool:
        """Whether a request of ours has no final response yet."""
        return any(item.responded < 200 and not item.over for item in self._ours)

    def began(self, request: Request) -> bool:
        """Whether a request without our tag belongs to the INVITE that began this call: itself again, CANCEL or ACK."""
        invite = self._offer.request if self._offer else None
        return invite is not None and (request.branch, request.cseq[0]) == (invite.branch, invite.cseq[0])

    @property
    def due(self) -> float | None:
        """When `on_time` wants to be called; None when nothing is awaited."""
        times = [*[item.due for item in self._ours], *[item.due for item in self._theirs]]
        return min((time for time in times if time is not None), default=None)

    def on_time(self, now: float) -> None:
        """Send again what was not answered; give up what never will be."""
        for mine in self._ours:
            self._out += mine.on_time(now)
            if mine.timed_out and mine is self._invite and self.state is LegState.CALLING:
                self._end("them", 408, "nobody answered")
        for theirs in self._theirs:
            self._out += theirs.on_time(now)
            if theirs.timed_out and theirs is self._offer and not theirs.acknowledged and self.state is LegState.UP:
                # Nobody acknowledged our 200 (section 13.3.1.4): the dialog is there, the session is not.
                self.hang_up(now)
        self._ours = [item for item in self._ours if not item.over]
        self._theirs = [item for item in self._theirs if not item.over]

    # --- our call --------------------------------------------------------------------------------------------------

    def call(self, to: str, sender: Header, call_id: str, extra: tuple[Header, ...], body: bytes, now: float) -> None:
        """Dial. `sender` is the From header without its tag."""
        self.call_id = call_id
        self._us, self._them, self._target = f"{sender[1]};tag={self.tag}", f"<{to}>", to
        headers = (self._contact, ALLOW, AGENT, *extra, ("content-type", "application/sdp"))
        self._invite = self._send("INVITE", now, headers, body)

    def hang_up(self, now: float) -> None:
        """End the call as its state asks: CANCEL, BYE, or 480 to a call that was not answered."""
        if self.state is LegState.CALLING:
            self._wants_out = True
            self._cancel(now)
        elif self.state is LegState.INCOMING:
            self.reject(480, now)
        elif self.state is LegState.UP:
            self._cseq += 1
            self._send("BYE", now, (AGENT,))
            self._end("us", 0, "hung up")

    def _cancel(self, now: float) -> None:
        # A CANCEL may only follow a provisional response (section 9.1); until one comes, the wish waits.
        invite = self._invite
        if invite is None or self._cancelled or not 100 <= invite.responded < 200:
            return
        self._cancelled = True
        invite.limit(now)
        kept = tuple(
            item for item in invite.request.headers if item[0] in ("from", "to", "call-id", "max-forwards", "route")
        )
        headers = (("via", invite.request.first("via")), *kept, ("cseq", f"{invite.request.cseq[0]} CANCEL"))
        cancel = Request("CANCEL", invite.request.uri, headers=headers)
        self._ours.append(ClientTransaction(cancel, now))
        self._out.append(cancel.encode())

    def _send(self, method: str, now: float, extra: tuple[Header, ...] = (), body: bytes = b"") -> ClientTransaction:
        request = self._request(method, extra, body)
        transaction = ClientTransaction(request, now)
        self._ours.append(transaction)
        self._out.append(request.encode())
        return transaction

    def _request(self, method: str, extra: tuple[Header, ...], body: bytes) -> Request:
        headers = (
            ("via", f"SIP/2.0/UDP {self._via};branch=z9hG4bK{self._token()};rport"),
            ("max-forwards", "70"),
            *self._route,
            ("from", self._us),
            ("to", self._them),
            ("call-id", self.call_id),
            ("cseq", f"{self._cseq} {method}"),
            *extra,
        )
        return Request(method, self._target, headers=headers, body=body)

    def on_response(self, response: Response, now: float) -> None:
        """A response came; one to a request of another is ignored (section 18.1.2)."""
        for transaction in self._ours:
            request = transaction.request
            if (request.branch, request.method) == (response.branch, response.cseq[1]):
                news, out = transaction.on_response(response, now)
                self._out += out
                if news and transaction is self._invite:
                    self._on_invite_response(response, now)
                    return
        # A repeated 200 says that our ACK was lost (section 13.2.2.4).
        if self._ack and 200 <= response.status < 300 and response.cseq[1] == "INVITE":
            self._out.append(self._ack)

    def _on_invite_response(self, response: Response, now: float) -> None:
        if response.status >= 300:
            self._end("us" if self._wants_out else "them", response.status, response.reason)
        elif response.status >= 200:
            self._meet(response, reverse=True)
            acknowledge = self._request("ACK", (), b"")
            self._ack = acknowledge.encode()
            self._out.append(self._ack)
            self.state = LegState.UP
            self._events.append(Answered(response.body))
            if self._wants_out:
                self.hang_up(now)
        else:
            if response.status >= 180:
                self._events.append(Ringing(response.status))
            if self._wants_out:
                self._cancel(now)

    def _meet(self, message: Message, *, reverse: bool) -> None:
        """Learn the peer's address and the way to it (section 12.1)."""
        self._them = message.first("to" if reverse else "from")
        self._target = uri_of(message.first("contact")) or self._target
        route = [("route", value) for value in message.every("record-route")]
        self._route = route[::-1] if reverse else route

    # --- their call and their requests -----------------------------------------------------------------------------

    def on_request(self, request: Request, now: float) -> None:
        """A request in this dialog came, or the INVITE that begins it."""
        if request.method == "ACK":
            for transaction in self._theirs:
                if transaction.request.method == "INVITE" and transaction.request.cseq[0] == request.cseq[0]:
                    transaction.acknowledge()
            return
        for transaction in self._theirs:
            if (transaction.request.branch, transaction.request.method) == (request.branch, request.method):
                self._out += transaction.on_repeat()
                return
        transaction = ServerTransaction(request, now)
        self._theirs.append(transaction)
        if request.method == "CANCEL":
            self._on_cancel(transaction, now)
        elif request.cseq[0] < self._their_cseq:
            self._respond(transaction, 500, now)
        else:
            self._their_cseq = request.cseq[0]
            self._on_new_request(transaction, now)

    def _on_new_request(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        if request.method == "INVITE" and not self.call_id:
            self._begin(transaction, now)
        elif self.state is LegState.OVER:
            self._respond(transaction, 481, now)
        elif request.method == "INVITE":
            self._offer = transaction
            self._target = uri_of(request.first("contact")) or self._target
            self._events.append(Offered(request.body))
        elif request.method == "BYE":
            self._respond(transaction, 200, now)
            if self._offer and not self._offer.answered:
                self._respond(self._offer, 487, now)
            self._end("them", 0, request.first("reason") or "hung up")
        elif request.method == "OPTIONS":
            self._respond(transaction, 200, now, (ALLOW,))
        else:
            self._respond(transaction, 405, now, (ALLOW,))

    def _begin(self, transaction: ServerTransaction, now: float) -> None:
        invite = transaction.request
        self.state = LegState.INCOMING
        self.call_id = invite.call_id
        self._us = f"{invite.first('to')};tag={self.tag}"
        self._meet(invite, reverse=False)
        self._offer = transaction
        self._respond(transaction, 100, now)
        self._events.append(Offered(invite.body))

    def _on_cancel(self, transaction: ServerTransaction, now: float) -> None:
        offer = self._offer
        if offer is None or offer.request.branch != transaction.request.branch:
            self._respond(transaction, 481, now)
            return
        self._respond(transaction, 200, now)
        if not offer.answered:
            self._respond(offer, 487, now)
            self._end("them", 487, "cancelled")

    def ring(self, now: float) -> None:
        """Tell the caller that it rings."""
        if self.state is LegState.INCOMING and self._offer:
            self._respond(self._offer, 180, now, (self._contact,))

    def accept(self, body: bytes, now: float) -> None:
        """Answer the call, or agree to the other side's wish to change it, with our session description."""
        if self._offer is None or self._offer.answered:
            return
        self._respond(self._offer, 200, now, (self._contact, ALLOW, ("content-type", "application/sdp")), body)
        if self.state is LegState.INCOMING:
            self.state = LegState.UP
            self._events.append(Answered(b""))

    def reject(self, status: int, now: float) -> None:
        """Refuse the call, or the other side's wish to change it: busy 486, declined 603, unavailable 480 or 503."""
        if self._offer is None or self._offer.answered:
            return
        self._respond(self._offer, status, now)
        if self.state is LegState.INCOMING:
            self._end("us", status, REASONS[status])

    def _respond(
        self, to: ServerTransaction, status: int, now: float, extra: tuple[Header, ...] = (), body: bytes = b""
    ) -> None:
        self._out += to.respond(respond(to.request, status, tag=self.tag, extra=extra, body=body), now)

    def _end(self, by: str, status: int, reason: str) -> None:
        if self.state is not LegState.OVER:
            self.state = LegState.OVER
            self._events.append(Ended(by, status, reason))
