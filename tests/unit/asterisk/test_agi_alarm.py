"""One timer keeps the time limits of all sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from ivr.asterisk.agi_alarm import RESOLUTION, Alarm


class HandWound:
    """A loop's clock, set by hand, and its timers."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[HandWoundTimer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> HandWoundTimer:
        self.timers.append(HandWoundTimer(self, when, callback))
        return self.timers[-1]

    def go_to(self, moment: float) -> None:
        """Let time pass, and everything that is due until then."""
        while self.timers and self.timers[0].when <= moment:
            (timer,) = self.timers
            timer.cancel()
            self.now = timer.when
            timer.callback()
        self.now = moment


@dataclass(eq=False)
class HandWoundTimer:
    """A call to come."""

    loop: HandWound
    when: float
    callback: Callable[[], None]

    def cancel(self) -> None:
        self.loop.timers.remove(self)


class Guest:
    """Who wants to be rung; after that never again, or at the moments in `then`."""

    def __init__(self, alarm: Alarm, deadline: float, *then: float) -> None:
        self.alarm = alarm
        self.then = list(then)
        self.rung: list[float] = []
        alarm.watched.add(self)
        self.expect(deadline)

    def expect(self, deadline: float) -> None:
        self.deadline = deadline
        if deadline < self.alarm.rings_at:
            self.alarm.ring_at(deadline)

    def ring(self, now: float) -> None:
        self.rung.append(now)
        self.expect(self.then.pop(0) if self.then else inf)


def test_everyone_is_rung_when_their_time_comes_and_once() -> None:
    loop = HandWound()
    alarm = Alarm(loop)
    late, early, both = Guest(alarm, 130.0), Guest(alarm, 110.0), Guest(alarm, 110.0, 120.0)
    loop.go_to(200.0)
    assert (early.rung, both.rung, late.rung) == ([110.0], [110.0, 120.0], [130.0])
    assert (loop.timers, alarm.rings_at) == ([], inf)


def test_a_deadline_that_moved_on_is_not_rung_before_it() -> None:
    loop = HandWound()
    alarm = Alarm(loop)
    guest = Guest(alarm, 110.0)
    loop.go_to(109.0)
    guest.expect(125.0)
    assert [timer.when for timer in loop.timers] == [110.0]
    loop.go_to(200.0)
    assert guest.rung == [125.0]


def test_who_is_gone_is_not_rung_and_nobody_watched_needs_no_timer() -> None:
    loop = HandWound()
    alarm = Alarm(loop)
    guest = Guest(alarm, 110.0)
    alarm.watched.discard(guest)
    loop.go_to(111.0)
    assert (guest.rung, loop.timers) == ([], [])
    again = Guest(alarm, 120.0)
    loop.go_to(120.0)
    assert again.rung == [120.0]


def test_many_deadlines_close_together_are_one_round() -> None:
    loop = HandWound()
    alarm = Alarm(loop)
    guests = [Guest(alarm, 110.0 + number / 1000) for number in range(40)]
    loop.go_to(200.0)
    assert {moment for guest in guests for moment in guest.rung} == {110.0, 110.0 + RESOLUTION}
