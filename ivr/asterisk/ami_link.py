"""One connection to Asterisk's manager interface, from connecting to its loss: panoramisk inside guards.

Docs/decisions/0003 lists what panoramisk 1.4 gets wrong and which guard answers it. A link is never
used again after its loss, so nothing that was sent on it can be sent a second time.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

from ivr.asterisk.ami_wire import AmiMessage, HeaderValue, MessageCutter, PeerIsNotAsterisk, checked_headers
from ivr.config.model import Ami
from ivr.errors import AmiActionFailed, AmiAnswerLost, AmiLoginRefused, AmiUnavailable

MAX_LIST_ITEMS = 50_000
NEVER = 10**9

# panoramisk writes whole actions, secret and numbers included, into its log.
_SILENT = logging.Logger("panoramisk", level=logging.CRITICAL + 1)


class EveryAction:
    """Contains every action: what panoramisk may forget, so that it sends none again."""

    def __contains__(self, name: object) -> bool:
        return True


class GuardedProtocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk's protocol with our own cutting of messages, and an end for every future."""

    def __init__(self, owner: Manager) -> None:
        self._owner = owner
        self._cutter = MessageCutter()
        self.greeted = asyncio.Event()
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        # Asterisk may speak before panoramisk's Manager has taken the protocol over.
        self.factory = self._owner

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._cutter.feed(data)
        except PeerIsNotAsterisk:
            self.close()
            return
        if self._cutter.version:
            self.version = self._cutter.version
            self.greeted.set()
        for text in messages:
            message = Message.from_line(text.strip())
            if message is not None and not self.closed:
                self.handle_message(message)

    def handle_message(self, message: Message) -> None:
        for name, value in list(message.items()):
            if isinstance(value, list):
                message[name] = value[0]
        action = self.responses.get(message.id)
        if action is None or ("event" in message and not action.as_list):
            # An event is never the answer to a single action: OriginateResponse carries its ActionID too.
            if "event" in message:
                self.factory.dispatch(message)
            if message.event.lower() == "shutdown":
                self.close()
            return
        if message.response == "Error":
            action.as_list = False  # or panoramisk waits for a list that never comes
        elif len(action.responses) > MAX_LIST_ITEMS:
            self.forget(action)
            action.future.set_exception(AmiActionFailed(action["Action"], f"more than {MAX_LIST_ITEMS} items"))
            return
        super().handle_message(message)

    def forget(self, action: Action) -> None:
        """Stop waiting for an action's answer."""
        self.responses.pop(action.id, None)

    def close(self) -> None:
        waiting = list(self.responses.values())
        self.responses.clear()
        for action in waiting:
            if not action.future.done():
                action.future.set_exception(AmiAnswerLost(action["Action"]))
        if not self.closed:
            # abort, not close: a peer that has stopped reading would keep a closing transport open.
            self.transport.abort()
        super().close()
        self.lost.set()
        self.greeted.set()


class OneConnection(Manager):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk's Manager for the length of one connection: it does not reconnect."""

    def connection_made(self, connecting: asyncio.Task[Any]) -> None:
        if not connecting.cancelled() and connecting.exception() is None:
            super().connection_made(connecting)

    def connection_lost(self, _: object) -> None:
        """Nothing: the client opens another link."""


class AmiLink:
    """A connection that is logged in, until `lost` is set."""

    def __init__(self, config: Ami, tls: ssl.SSLContext | None, on_event: Callable[[AmiMessage], None]) -> None:
        self._config = config
        self._on_event = on_event
        self._manager = OneConnection(
            host=config.host,
            port=config.port,
            ssl=tls or False,
            protocol_factory=self._new_protocol,
            forgetable_actions=EveryAction(),
            ping_delay=NEVER,
            log=_SILENT,
        )
        self._manager.register_event("*", self._dispatch)
        self._protocol: GuardedProtocol | None = None

    @property
    def lost(self) -> asyncio.Event:
        """Set once the connection is gone."""
        assert self._protocol is not None
        return self._protocol.lost

    @property
    def in_flight(self) -> int:
        """How many actions wait for their answer."""
        return 0 if self._protocol is None else len(self._protocol.responses)

    async def open(self, secret: str, events: str) -> None:
        """Connect and log in; `events` are the classes of events to begin with.

        Raises:
            AmiUnavailable: no Asterisk there, or it does not answer within `action_timeout`.
            AmiLoginRefused: the user or secret is wrong, or this address is not allowed.
        """
        place = f"{self._config.host}:{self._config.port}"
        try:
            async with asyncio.timeout(self._config.action_timeout):
                await self._manager.connect()
                assert self._protocol is not None
                await self._protocol.greeted.wait()
            if self._protocol.closed:
                raise AmiUnavailable(place, "what listens there does not greet as Asterisk does")
            await self.request("Login", {"Username": self._config.user, "Secret": secret, "Events": events})
        except AmiActionFailed as error:
            self.close()
            raise AmiLoginRefused(self._config.user, *error.args[1:]) from error
        except (OSError, TimeoutError) as error:
            self.close()
            raise AmiUnavailable(place, str(error) or "no answer") from error
        except (AmiUnavailable, asyncio.CancelledError):
            self.close()
            raise

    async def request(
        self, name: str, headers: Mapping[str, HeaderValue], *, as_list: bool = False
    ) -> list[AmiMessage]:
        """Do an action and wait for its answer; with `as_list` the response and every item of its list.

        Raises:
            UnsafeValue: nothing was sent.
            AmiUnavailable: nothing was sent, the connection was lost before.
            AmiAnswerLost: it was sent; the connection was lost or the answer is late.
            AmiActionFailed: Asterisk refused it.
        """
        checked = checked_headers(name, headers)
        if self._protocol is None or self._protocol.closed:
            raise AmiUnavailable(name)
        action = Action(checked)
        future = self._manager.send_action(action, as_list=as_list)
        try:
            async with asyncio.timeout(self._config.action_timeout):
                answer = await future
        except TimeoutError as error:
            raise AmiAnswerLost(name, f"no answer in {self._config.action_timeout:g} s") from error
        finally:
            self._protocol.forget(action)
        messages = [AmiMessage(item.items()) for item in (answer if isinstance(answer, list) else [answer])]
        if not messages[0].success:
            raise AmiActionFailed(name, messages[0]["Message"])
        if as_list:
            _check_complete(name, messages)
        return messages

    def close(self) -> None:
        """End the connection. What waits for an answer fails at once."""
        self._manager.close()

    def _new_protocol(self) -> GuardedProtocol:
        self._protocol = GuardedProtocol(self._manager)
        return self._protocol

    def _dispatch(self, _: Manager, event: Message) -> None:
        self._on_event(AmiMessage(event.items()))


def _check_complete(name: str, messages: list[AmiMessage]) -> None:
    """A list must say that it is complete and how long it is; Asterisk cancels one when it is shutting down."""
    last = messages[-1]
    items = len(messages) - 2
    if last["EventList"].lower() != "complete" or last.number("ListItems") != items:
        raise AmiActionFailed(name, f"the list is not complete: {items} of {last['ListItems'] or '?'} items")
