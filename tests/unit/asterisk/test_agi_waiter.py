"""What a call's task waits on behaves towards the task as a future does."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from ivr.asterisk.agi_protocol import Reply
from ivr.asterisk.agi_waiter import Waiter

CALL: ContextVar[str] = ContextVar("CALL", default="none")


class Asking:
    """A task that waits twice on one waiter, and what it saw."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.cancelled = 0
        self.seen: list[object] = []
        self.waiter = Waiter(self.loop, self._on_cancel)
        self.task = self.loop.create_task(self._run())

    def _on_cancel(self) -> None:
        self.cancelled += 1

    async def _run(self) -> None:
        CALL.set("this call")
        for _ in range(2):
            try:
                self.seen.append(await self.waiter)
            except OSError as error:
                self.seen.append(error)
            self.seen.append(CALL.get())

    async def from_the_loop(self, act: object, *arguments: object) -> None:
        """Do something as the loop's callbacks do: outside any task."""
        assert callable(act)
        done = self.loop.create_future()

        def run() -> None:
            act(*arguments)
            self.seen.append("after")
            done.set_result(None)

        self.loop.call_soon(run)
        await done


@pytest.fixture
async def asking() -> Asking:
    asking = Asking()
    await asyncio.sleep(0)
    return asking


async def test_a_reply_resumes_the_task_at_once_and_in_its_own_context(asking: Asking) -> None:
    await asking.from_the_loop(asking.waiter.answer, Reply(200, "1"))
    await asking.from_the_loop(asking.waiter.answer, Reply(200, "2"))
    assert asking.seen == [Reply(200, "1"), "this call", "after", Reply(200, "2"), "this call", "after"]
    assert asking.task.done()
    assert CALL.get() == "none"


async def test_an_error_is_raised_in_the_task_once(asking: Asking) -> None:
    error = OSError()
    assert asking.waiter.fail(error)
    assert not asking.waiter.fail(OSError())
    await asyncio.sleep(0)
    assert asking.seen == [error, "this call"]
    await asking.from_the_loop(asking.waiter.answer, Reply(200, "2"))
    assert asking.task.done()


async def test_cancelling_the_task_is_told_once_and_a_reply_after_it_reaches_nobody(asking: Asking) -> None:
    asking.task.cancel("stop")
    await asking.from_the_loop(asking.waiter.answer, Reply(200, "1"))
    with pytest.raises(asyncio.CancelledError):
        await asking.task
    assert (asking.cancelled, asking.seen) == (1, ["after"])
    assert not asking.waiter.cancel()


async def test_a_timeout_around_it_works(asking: Asking) -> None:
    async def run() -> None:
        async with asyncio.timeout(0.01):
            await waiter

    waiter = Waiter(asking.loop, lambda: None)
    with pytest.raises(TimeoutError):
        await run()
    asking.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking.task
