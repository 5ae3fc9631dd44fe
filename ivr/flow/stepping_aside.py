"""Stepping aside: how a thread reads large files while the event loop serves calls, which have to go first."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TURN = 0.0002
"""Seconds that this thread may hold up the event loop at a time; Python's own is 0.005."""

_one_at_a_time = threading.Lock()


@contextmanager
def stepping_aside() -> Iterator[None]:
    """Leave the interpreter to other threads as soon as they want it, and keep the garbage collector still meanwhile.

    Thousands of steps are many objects that stay: collecting while they are made stops every
    thread, over and over, and finds nothing. Afterwards they are put where no collection
    looks. The price is what garbage there is in cycles at that moment, each time files change.
    """
    with _one_at_a_time:
        interval, collects = sys.getswitchinterval(), gc.isenabled()
        sys.setswitchinterval(TURN)
        gc.disable()
        try:
            yield
        finally:
            gc.freeze()
            sys.setswitchinterval(interval)
            if collects:
                gc.enable()
