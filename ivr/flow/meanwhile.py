"""Meanwhile: what a caller hears when the outside takes its time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from ivr.errors import CallerHungUp

if TYPE_CHECKING:
    from ivr.flow.session import Session

UNNOTICED = 0.15
"""Seconds that a caller may wait in silence without wondering."""

T = TypeVar("T")


async def meanwhile(session: Session, work: Coroutine[Any, Any, T], prompt: str) -> T:
    """The result of work; when that keeps the caller waiting, the prompt asks them for a moment, until it is done.

    Who leaves has the work finished all the same, so that what was done is known. Raises what the work raises.
    """
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait({working}, timeout=UNNOTICED)
        while not working.done():
            await session.tell(session.utterance(prompt))
    except CallerHungUp:
        await asyncio.wait({working})
    finally:
        working.cancel()
    return await working
