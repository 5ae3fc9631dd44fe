"""What a call's task waits on while Asterisk runs its command.

It does what `asyncio.Future` does for a task (the protocol of `_asyncio_future_blocking`,
see `Modules/_asynciomodule.c: task_step_handle_result_impl`), with two differences that
pay at every command: it is used again and again, and a reply resumes the task at once
instead of in the loop's next round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any

from ivr.asterisk.agi_protocol import Reply


class Waiter:
    """One task at a time may await it. `on_cancel` is called when that task is cancelled while it waits."""

    __slots__ = ("_asyncio_future_blocking", "_context", "_error", "_loop", "_on_cancel", "_reply", "_wake")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_cancel: Callable[[], None]) -> None:
        self._asyncio_future_blocking = False
        self._loop = loop
        self._on_cancel = on_cancel
        self._wake: Callable[[Waiter], object] | None = None
        self._context: Context | None = None
        self._reply = Reply(0)
        self._error: BaseException | None = None

    def __await__(self) -> Generator[Any, None, Reply]:
        self._error = None
        self._asyncio_future_blocking = True
        yield self
        return self._reply

    def answer(self, reply: Reply) -> None:
        """Give the waiting task its reply and run it, now. To be called from the loop, never from a task."""
        wake, context = self._wake, self._context
        if wake is not None and context is not None:
            self._wake = self._context = None
            self._reply = reply
            context.run(wake, self)

    def fail(self, error: BaseException) -> bool:
        """Raise an error in the waiting task; False when none waits."""
        wake, context = self._wake, self._context
        if wake is None:
            return False
        self._wake = self._context = None
        self._error = error
        self._loop.call_soon(wake, self, context=context)
        return True

    # --- what asyncio.Task asks of the thing it waits on ---

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the waiting task."""
        return self._loop

    def add_done_callback(self, callback: Callable[[Waiter], object], *, context: Context) -> None:
        """The task says how it wants to be woken."""
        self._wake = callback
        self._context = context

    def cancel(self, msg: object = None) -> bool:
        """The task was cancelled; False when it no longer waits here."""
        if not self.fail(asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)):
            return False
        self._on_cancel()
        return True

    def result(self) -> Reply:
        """Raises what the task is to see raised."""
        if self._error is not None:
            raise self._error
        return self._reply
