"""A journey: what the robot met in one call, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from ivr.domain.line import mask
from ivr.ports import JsonObject
from ivr.robot.call import Call
from ivr.robot.rtp import RATE
from ivr.robot.script import Script
from ivr.robot.silence import DeadAir, Silence, judged, stretches

WHY = {
    Silence.SILENT_PACKETS: "silent packets",
    Silence.NO_PACKETS: "no packets",
    Silence.MIXED: "no packets for a part",
}


@dataclass(frozen=True, slots=True)
class HeardPrompt:
    """A prompt that was heard: `heard_ms` of its `of_ms`, from `at_ms` after the answer.

    `confidence` is its correlation with the file, 0 to 1; `also` are prompts that sound the same that far.
    """

    prompt: str
    at_ms: int
    heard_ms: int
    of_ms: int
    confidence: float
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PressedKeys:
    """Keys that the robot pressed."""

    keys: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Journey:
    """One call from end to end. Times are milliseconds since the answer.

    `dead_air` is what is judged to be our fault, `silences` every stretch. `ended_by` is `us`,
    `them` or `nobody`; `failure` says why the call never was up. `undone` are actions of the
    script whose moment never came.
    """

    caller: str
    called: str
    answered_after_ms: int | None
    lasted_ms: int
    heard: tuple[HeardPrompt, ...]
    pressed: tuple[PressedKeys, ...]
    dead_air: tuple[DeadAir, ...]
    silences: tuple[DeadAir, ...]
    ended_by: str
    failure: str
    undone: tuple[str, ...]
    recording: str

    @property
    def as_expected(self) -> bool:
        """Whether the call was up, everything in the script was done, and nobody was left in silence."""
        return not (self.failure or self.undone or self.dead_air)

    def as_json(self) -> JsonObject:
        """The journey as JSON objects; the caller's number is masked."""
        return {**asdict(self), "caller": mask(self.caller), "as_expected": self.as_expected}

    def lines(self) -> list[str]:
        """The journey as lines for a person, in order of time."""
        who = mask(self.caller) if self.caller else "withheld"
        if self.answered_after_ms is None:
            return [f"{who} -> {self.called}: {self.failure}"]
        moments: list[tuple[int, str]] = []
        for heard in self.heard:
            part = "" if heard.heard_ms >= heard.of_ms else f", cut off after {heard.heard_ms / 1000:.2f} s"
            alike = f" (or {', '.join(heard.also)})" if heard.also else ""
            moments.append((heard.at_ms, f"hears {heard.prompt}{alike}, {heard.of_ms / 1000:.2f} s{part}"))
        moments += [(press.at_ms, f"presses {press.keys}") for press in self.pressed]
        moments += [(air.from_ms, f"DEAD AIR for {air.ms} ms: {WHY[air.kind]}") for air in self.dead_air]
        ending = {"us": "hangs up", "them": "is hung up on"}.get(self.ended_by, "call open")
        moments.append((self.lasted_ms, ending))
        first = f"{who} -> {self.called}: answered after {self.answered_after_ms / 1000:.2f} s"
        return [
            first,
            *[f"{at / 1000:8.2f} s  {text}" for at, text in sorted(moments, key=lambda moment: moment[0])],
            *[f"            not done: {action}" for action in self.undone],
            *([f"            recorded in {self.recording}"] if self.recording else []),
        ]


def journey_of(
    call: Call, script: Script, *, undone: tuple[str, ...] = (), failure: str = "", recording: Path | None = None
) -> Journey:
    """What happened in a call so far."""
    origin, stop = call.origin, max(call.horizon, call.origin)
    up = call.answered_at is not None
    silences = stretches(call.media.timeline, origin, stop) if up else []
    keys = [(press.at, press.until) for press in call.keys_pressed]
    heard = tuple(
        HeardPrompt(
            prompt=entry.prompt,
            at_ms=_ms(entry.file_start - origin),
            heard_ms=_ms(entry.length if entry.whole else entry.stop - entry.file_start),
            of_ms=_ms(entry.length),
            confidence=entry.confidence,
            also=entry.also,
        )
        for entry in call.heard
    )
    return Journey(
        caller=call.caller,
        called=call.called,
        answered_after_ms=round((call.answered_at - call.begun_at) * 1000) if call.answered_at is not None else None,
        lasted_ms=_ms(stop - origin) if up else 0,
        heard=heard,
        pressed=tuple(PressedKeys(press.keys, round(press.at * 1000)) for press in call.keys_pressed),
        dead_air=tuple(judged(silences, call.heard, keys, origin=origin, waits_after=script.waits_after)),
        silences=tuple(silences),
        ended_by=call.end.by if call.end else "nobody",
        failure=failure,
        undone=undone,
        recording=str(recording) if recording else "",
    )


def _ms(samples: int) -> int:
    return round(samples * 1000 / RATE)
