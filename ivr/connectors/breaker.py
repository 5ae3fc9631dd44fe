"""A circuit breaker: after enough failures in a row a system is left alone for a while, then tried by one request."""

from __future__ import annotations

from enum import StrEnum

from ivr.ports import Clock


class BreakerState(StrEnum):
    """CLOSED: everything passes. OPEN: nothing does. HALF_OPEN: one probe may find out whether it works again."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Counts failures in a row; `failures_to_open` of them open it for `open_for` seconds.

    See Michael Nygard, "Release It!", on the pattern. A request that was let through
    before it opened may still succeed; that closes it, since the system answers.
    """

    def __init__(self, *, failures_to_open: int, open_for: float, clock: Clock) -> None:
        self._failures_to_open = failures_to_open
        self._open_for = open_for
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Where it stands now."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.left_alone_for > 0 else BreakerState.HALF_OPEN

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._failures

    @property
    def left_alone_for(self) -> float:
        """Seconds until the next request may pass; 0 when one may now."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self._open_for - self._clock.monotonic())

    def admits(self) -> bool:
        """Whether a request may pass now. In HALF_OPEN the first to ask becomes the probe, and must report back."""
        match self.state:
            case BreakerState.CLOSED:
                return True
            case BreakerState.OPEN:
                return False
            case BreakerState.HALF_OPEN:
                admitted, self._probing = not self._probing, True
                return admitted

    def succeeded(self) -> None:
        """The system answered."""
        self._failures = 0
        self._opened_at = None
        self._probing = False

    def failed(self) -> None:
        """The system did not answer, or answered with an error."""
        self._failures += 1
        # A request that was under way when the breaker opened does not keep it open longer.
        if self._failures >= self._failures_to_open and self.state is not BreakerState.OPEN:
            self._opened_at = self._clock.monotonic()
        self._probing = False

    def gave_up(self) -> None:
        """A request that was let through never reached the system, so nothing was learned."""
        self._probing = False
