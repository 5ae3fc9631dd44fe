"""What the ear takes a sound for: twenty prompts of one voice, half of which begin alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deploy.asterisk.sounds import hold_music
from ivr.robot.hearing import Ear, Heard
from ivr.robot.prompts import KnownPrompts, sounding
from ivr.robot.rtp import RATE, Timeline
from ivr.robot.sdp import Codec
from ivr.robot.sound_file import write_wav
from tests.unit.robot.voices import NEVER_KNOWN, TEXTS, prompt_files, received, silence, spoken

STEP = RATE // 10


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> KnownPrompts:
    return KnownPrompts(prompt_files(tmp_path_factory.mktemp("prompts")))


def listen(known: KnownPrompts, timeline: Timeline) -> list[Heard]:
    """What is heard on a timeline that grows as it does in a call."""
    ear = Ear(known)
    for until in range(STEP, timeline.end, STEP):
        ear.listen(timeline, until)
    ear.finish(timeline, timeline.end)
    return ear.heard


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("name", TEXTS)
def test_a_prompt_is_heard_as_itself_alone_to_the_sample_and_to_its_end(
    known: KnownPrompts, name: str, codec: Codec
) -> None:
    sound = spoken(TEXTS[name])
    (heard,) = listen(known, received(silence(700), sound, silence(500), codec=codec))
    assert (heard.prompt, heard.also, heard.whole) == (name, (), True)
    assert abs(heard.file_start - 700 * 8) <= 1
    assert heard.length == len(sound)
    assert heard.confidence > 0.98


@pytest.mark.parametrize("text", NEVER_KNOWN)
def test_what_is_not_known_is_not_heard_though_it_begins_like_something_known(known: KnownPrompts, text: str) -> None:
    assert listen(known, received(silence(300), spoken(text), silence(800))) == []


def test_noise_and_tones_are_nothing(known: KnownPrompts) -> None:
    random = np.random.default_rng(1)
    noise = random.normal(0, 2000, RATE * 3).astype(np.int16)
    tone = (8000 * np.sin(2 * np.pi * 425 / RATE * np.arange(RATE * 3))).astype(np.int16)
    assert listen(known, received(noise, silence(200), tone, silence(500))) == []


def test_a_prompt_is_recognised_while_it_sounds(known: KnownPrompts) -> None:
    """600 ms of it are needed; a tenth of a second is the pace of listening, the rest is to be sure of the place."""
    timeline = received(silence(1000), spoken(TEXTS["main_menu"]), silence(300))
    ear = Ear(known)
    until = 0
    while not ear.heard:
        until += STEP
        ear.listen(timeline, until)
    begins = 1000 * 8 + RATE // 20
    assert (until - begins) / RATE < 0.6 + 0.25
    assert not ear.heard[0].over


def test_prompts_that_begin_alike_are_told_apart_when_they_part(known: KnownPrompts) -> None:
    timeline = received(spoken(TEXTS["order_friday"]), silence(300))
    ear = Ear(known)
    ear.listen(timeline, RATE)
    assert ear.heard == []
    ear.listen(timeline, timeline.end)
    assert [heard.prompt for heard in ear.heard] == ["order_friday"]


def test_a_prompt_that_is_cut_off_tells_how_much_was_heard(known: KnownPrompts) -> None:
    cut = spoken(TEXTS["main_menu"])[: RATE * 2]
    first, second = listen(known, received(silence(200), cut, silence(60), spoken(TEXTS["welcome"]), silence(300)))
    assert (first.prompt, first.whole, second.prompt) == ("main_menu", False, "welcome")
    assert abs(first.stop - first.file_start - RATE * 2) <= RATE * 60 // 1000
    assert second.whole


def test_a_prompt_that_another_cuts_off_without_a_gap_is_heard(known: KnownPrompts) -> None:
    following = spoken(TEXTS["busy"])[RATE // 20 :]
    first, second = listen(known, received(spoken(TEXTS["main_menu"])[: RATE * 2], following, silence(300)))
    assert (first.prompt, second.prompt) == ("main_menu", "busy")
    assert abs(first.stop - RATE * 2) <= RATE * 60 // 1000


@pytest.mark.parametrize("ms", range(0, 160, 10))
def test_a_prompt_that_is_cut_off_shortly_before_its_end_does_not_hide_the_next(known: KnownPrompts, ms: int) -> None:
    words = spoken(TEXTS["main_menu"])
    _, stop = sounding(words) or (0, 0)
    following = spoken(TEXTS["busy"])
    start, _ = sounding(following) or (0, 0)
    heard = listen(known, received(words[: stop - RATE * ms // 1000], following[start:], silence(300)))
    assert [entry.prompt for entry in heard] == ["main_menu", "busy"]


def test_prompts_cut_off_before_they_part_are_named_together(known: KnownPrompts) -> None:
    (heard,) = listen(known, received(spoken(TEXTS["order_friday"])[: RATE * 9 // 10], silence(800)))
    assert {heard.prompt, *heard.also} >= {"order_friday", "order_tomorrow"}
    assert heard.is_called("order_friday")
    assert not heard.whole


def test_the_same_prompt_twice_is_heard_twice(known: KnownPrompts) -> None:
    sound = spoken(TEXTS["invalid"])
    heard = listen(known, received(sound, silence(100), sound, silence(300)))
    assert [entry.prompt for entry in heard] == ["invalid", "invalid"]


def test_a_louder_or_softer_prompt_with_noise_under_it_is_heard(known: KnownPrompts) -> None:
    sound = spoken(TEXTS["connecting"])
    noise = np.random.default_rng(2).normal(0, 60, len(sound))
    for gain in (0.3, 2.0):
        changed = np.clip(sound * gain + noise, -32000, 32000).astype(np.int16)
        (heard,) = listen(known, received(silence(300), changed, silence(500)))
        assert (heard.prompt, heard.whole) == ("connecting", True)


def test_the_end_of_the_call_ends_what_sounds(known: KnownPrompts) -> None:
    (heard,) = listen(known, received(spoken(TEXTS["number"])[: RATE * 3 // 2]))
    assert (heard.prompt, heard.over, heard.whole) == ("number", True, False)
    assert abs(heard.stop - RATE * 3 // 2) <= RATE * 60 // 1000


def test_the_same_sound_under_two_names_has_both(tmp_path: Path) -> None:
    for name in ("first", "second"):
        spoken(TEXTS["wait"]).tofile(tmp_path / f"{name}.sln")
    known = KnownPrompts({name: tmp_path / f"{name}.sln" for name in ("first", "second")})
    (heard,) = listen(known, received(spoken(TEXTS["wait"]), silence(300)))
    assert (heard.prompt, heard.also) == ("first", ("second",))


def test_a_file_that_appears_during_the_call_is_heard(tmp_path: Path) -> None:
    files: dict[str, Path] = {}
    known = KnownPrompts({}, lambda: files, interval=1.0)
    known.renew(10.0)
    spoken(TEXTS["welcome"]).tofile(tmp_path / "personal.sln")
    files["personal"] = tmp_path / "personal.sln"
    known.renew(10.5)
    assert len(known) == 0
    known.renew(11.1)
    (heard,) = listen(known, received(spoken(TEXTS["welcome"]), silence(300)))
    assert heard.prompt == "personal"


def test_a_file_that_vanishes_while_it_is_read_costs_nothing(tmp_path: Path) -> None:
    known = KnownPrompts({}, lambda: {"gone": tmp_path / "gone.sln"})
    known.renew(1.0)
    assert len(known) == 0


@pytest.mark.timeout(20)
@pytest.mark.parametrize("cut", range(0, 12_000, 1_500))
def test_music_that_resembles_its_own_beginning_does_not_hold_the_ear_up(tmp_path: Path, cut: int) -> None:
    """Speech cut off by music, as in a queue: the chords match the opening as a whole and no piece of it."""
    music = (hold_music() * 32767).astype(np.int16)
    write_wav(tmp_path / "hold.wav", music)
    known = KnownPrompts({"hold": tmp_path / "hold.wav"})
    heard = listen(known, received(spoken(TEXTS["main_menu"])[: 4_000 + cut], music[: RATE * 8]))
    assert all(entry.stop > entry.start for entry in heard)
