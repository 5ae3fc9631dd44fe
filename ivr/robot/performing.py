"""Performing: carrying out a script in a call, and telling the journey."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ivr.errors import CallFailed
from ivr.robot.call import Call
from ivr.robot.hearing import Heard
from ivr.robot.journey import Journey, journey_of
from ivr.robot.rtp import RATE
from ivr.robot.script import Action, Press, Script
from ivr.robot.sound_file import write_wav

ANSWER_LIMIT = 30.0
LOOK_EACH = 0.1
"""Seconds between looks at the clock when nothing happens in the call."""


async def perform(call: Call, script: Script, *, record: Path | None = None) -> Journey:
    """Wait for the answer, do what the script says, hang up, and tell what was met.

    A call that fails is told, not raised. With `record`, what was heard is written there as WAV.

    Raises:
        RobotError: the recording cannot be written.
    """
    failure = ""
    pending = list(script.actions)
    try:
        await call.answered(min(ANSWER_LIMIT, script.limit))
        await _Performer(call, pending).until(script.limit)
    except CallFailed as error:
        failure = ", ".join(map(str, error.args))
    await call.hang_up()
    if record is not None and call.answered_at is not None:
        write_wav(record, call.recording)
    return journey_of(
        call,
        script,
        undone=tuple(str(action) for action in pending),
        failure=failure,
        recording=record if call.answered_at is not None else None,
    )


class _Performer:
    """Does the actions of a script as their moments come; takes those done out of `pending`."""

    def __init__(self, call: Call, pending: list[Action]) -> None:
        self._call = call
        self._pending = pending
        self._places = _places(pending)
        self._recognised: dict[int, float] = {}

    async def until(self, limit: float) -> None:
        """Perform until the call is over, a hang-up was done, or the limit (seconds after the answer) is reached."""
        call = self._call
        while call.end is None and call.seconds < limit:
            for heard in call.heard:
                self._recognised.setdefault(id(heard), call.seconds)
            times = {index: self._time(index, action) for index, action in enumerate(self._pending)}
            due = [(time, index) for index, time in times.items() if time is not None]
            time, index = min(due, default=(limit, -1))
            if index < 0 or time > call.seconds:
                await call.changed(min(max(time - call.seconds, 0.001), LOOK_EACH))
                continue
            action = self._pending.pop(index)
            self._places.pop(index)
            if not isinstance(action, Press):
                return
            await call.press(action.keys)

    def _time(self, index: int, action: Action) -> float | None:
        """When an action is due, in seconds since the answer; None while its prompt was not heard."""
        when = action.when
        if not when.prompt:
            return when.delay
        hearings = [heard for heard in self._call.heard if heard.is_called(when.prompt)]
        place = self._places[index]
        if place >= len(hearings) or (when.at_end and not hearings[place].over):
            return None
        return self._moment(hearings[place], at_end=when.at_end) + when.delay

    def _moment(self, heard: Heard, *, at_end: bool) -> float:
        if at_end:
            return (heard.stop - self._call.origin) / RATE
        return self._recognised[id(heard)]


def _places(actions: list[Action]) -> list[int]:
    """For each action, which hearing of its prompt it waits for: the n-th press of a name the n-th hearing."""
    counts: Counter[tuple[type[Action], str]] = Counter()
    places = []
    for action in actions:
        key = (type(action), action.when.prompt)
        places.append(counts[key])
        counts[key] += 1
    return places
