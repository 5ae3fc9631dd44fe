"""Dead air on timelines whose sound is known to the millisecond."""

from __future__ import annotations

import numpy as np
import pytest

from ivr.robot.g711 import Samples
from ivr.robot.hearing import Heard
from ivr.robot.rtp import FRAME, RATE, RtpPacket, Timeline
from ivr.robot.silence import DeadAir, Silence, judged, stretches

ORIGIN = RATE


def sound(milliseconds: int) -> Samples:
    return np.full(milliseconds * 8, 3000, np.int16)


def timeline(*parts: tuple[str, int]) -> Timeline:
    """Parts of `sound`, `silent` packets or `nothing`, each so many milliseconds, after a second before the answer."""
    made, at = Timeline(), 1.0
    for source, (kind, milliseconds) in enumerate(parts):
        for index in range(milliseconds // 20):
            if kind != "nothing":
                samples = np.full(FRAME, 3000 if kind == "sound" else 8, np.int16)
                made.lay(RtpPacket(8, index, index * FRAME, source, b""), samples, at + index * 0.02)
        at += milliseconds / 1000
    return made


def heard(name: str, begin: int, end: int) -> Heard:
    return Heard(name, ORIGIN + begin * 8, ORIGIN + begin * 8, ORIGIN + end * 8, (end - begin) * 8, 1.0, over=True)


def air(begin: int, end: int) -> DeadAir:
    return DeadAir(begin, end, Silence.SILENT_PACKETS, 0)


def test_the_reasons_for_silence_are_told_apart() -> None:
    line = timeline(
        ("sound", 500), ("silent", 400), ("sound", 500), ("nothing", 600), ("sound", 500), ("silent", 200),
        ("nothing", 200), ("sound", 100),
    )  # fmt: skip
    assert stretches(line, ORIGIN, line.end) == [
        DeadAir(500, 900, Silence.SILENT_PACKETS, 0),
        DeadAir(1400, 2000, Silence.NO_PACKETS, 600),
        DeadAir(2500, 2900, Silence.MIXED, 200),
    ]


def test_silence_from_the_answer_on_and_up_to_the_end_counts() -> None:
    line = timeline(("nothing", 400), ("sound", 500))
    found = stretches(line, ORIGIN, line.end + 500 * 8)
    assert [(stretch.from_ms, stretch.to_ms) for stretch in found] == [(0, 400), (900, 1400)]


@pytest.mark.parametrize(("length", "count"), [(300, 0), (320, 1)])
def test_only_what_is_longer_than_the_limit_counts(length: int, count: int) -> None:
    line = timeline(("sound", 200), ("silent", length), ("sound", 200))
    assert len(stretches(line, ORIGIN, line.end)) == count


def test_what_is_below_minus_fifty_is_silence_and_what_is_above_is_not() -> None:
    for level, silent in ((90, True), (130, False)):
        line = Timeline()
        for index in range(50):
            line.lay(RtpPacket(8, index, index * FRAME, 1, b""), np.full(FRAME, level, np.int16), 1 + index * 0.02)
        assert bool(stretches(line, ORIGIN, line.end)) is silent


def judge(raw: list[DeadAir], prompts: list[Heard], *keys: float) -> list[tuple[int, int]]:
    """What remains; each key is held for 100 ms."""
    times = [(key, key + 0.1) for key in keys]
    return [(each.from_ms, each.to_ms) for each in judged(raw, prompts, times, origin=ORIGIN, waits_after={"menu"})]


def test_without_prompts_all_silence_is_ours() -> None:
    assert judge([air(0, 500)], []) == [(0, 500)]


def test_silence_between_prompts_is_ours_and_after_the_last_nobody_s() -> None:
    prompts = [heard("welcome", 400, 1000), heard("news", 1500, 2000)]
    assert judge([air(0, 400), air(1000, 1500), air(2000, 9000)], prompts) == [(0, 400), (1000, 1500)]


def test_a_pause_inside_a_prompt_belongs_to_it() -> None:
    assert judge([air(400, 800)], [heard("news", 0, 2000)]) == []


def test_after_a_menu_the_caller_is_waited_for_until_the_key_is_let_go() -> None:
    prompts = [heard("menu", 0, 1000), heard("news", 4000, 5000)]
    assert judge([air(1000, 4000)], prompts, 3.0) == [(3100, 4000)]
    assert judge([air(1000, 4000)], prompts, 3.65) == []


def test_a_caller_who_presses_nothing_is_waited_for_until_the_next_prompt() -> None:
    prompts = [heard("menu", 0, 1000), heard("menu", 6000, 7000), heard("goodbye", 9000, 9500)]
    assert judge([air(1000, 6000), air(7000, 9000)], prompts) == []


def test_several_keys_are_waited_for_to_the_last() -> None:
    prompts = [heard("menu", 0, 1000), heard("news", 4000, 5000)]
    assert judge([air(1000, 4000)], prompts, 1.5, 2.5, 3.8) == []


def test_a_key_that_interrupts_a_menu_leaves_no_excuse_after_it() -> None:
    prompts = [heard("menu", 0, 1000), heard("news", 1600, 2000)]
    assert judge([air(1000, 1600)], prompts, 0.9) == [(1000, 1600)]
