"""What callers say, recorded by a real Asterisk: messages, open answers, and calls."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from ivr.robot.call import Call
from ivr.robot.g711 import Samples
from ivr.robot.rtp import RATE
from ivr.robot.sound_file import read_sound
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.callers import PATIENCE, QUICK, Callers, callers_of, events, heard
from tests.asterisk.engine_under_test import ROOT, EngineUnderTest

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

CALLER = "+31612345678"
FLOW = """
flow: desk
languages: [nl, en]
start: choose
otherwise: none
blocks:
  choose:
    - menu:
        prompt: desk_menu
        options: { "1": message, "2": reviewed, "3": recorded, "4": asked }
  message:
    - voicemail: { box: support, silence: 2s }
    - hang_up:
  reviewed:
    - voicemail: { box: billing, silence: 2s, review: true }
    - hang_up:
  recorded:
    - record: { state: on, announced_by: desk_recorded }
    - voicemail: { box: first, silence: 2s, prompt: desk_speak }
    - record: pause
    - voicemail: { box: paid, silence: 2s, prompt: desk_pay }
    - record: { state: on, announced_by: desk_recorded }
    - queue: support
  asked:
    - survey:
        questions:
          solved: { ask: desk_solved, scale: 5 }
          recommend: { ask: desk_recommend, scale: 10 }
          why: { ask: desk_why, record: 30s }
        thanks: desk_thanks
    - hang_up:
  none:
    - say: desk_nothing
    - hang_up:
"""
TEXTS = """
desk_menu: Goedendag, maakt u een keuze.
desk_recorded: Dit gesprek wordt opgenomen.
desk_speak: Vertel het maar.
desk_pay: Nu wordt er niet opgenomen, betaalt u maar.
desk_solved: Bent u geholpen?
desk_recommend: Beveelt u ons aan?
desk_why: En waarom is dat?
desk_thanks: Bedankt voor uw mening.
desk_nothing: Jammer, wij hebben niets gehoord.
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def callers(
    running_asterisk: AsteriskUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Callers]:
    """Callers of one engine whose flow records, for all tests here."""
    if not running_asterisk.private.is_running():
        running_asterisk.private.restart()
    home = tmp_path_factory.mktemp("engine")
    shutil.copytree(ROOT / "dialplans", home / "flows")
    (home / "flows" / "desk.yaml").write_text(FLOW)
    shutil.copytree(ROOT / "prompts", home / "prompts")
    for language in ("nl", "en"):
        with (home / "prompts" / language / "texts.yaml").open("a") as file:
            file.write(TEXTS)
    settings: dict[str, Any] = {
        "speech": {**QUICK, "recordings": str(home / "prompts")},
        "flows": {"path": str(home / "flows")},
        "entries": [{"dialled": "*", "flow": "desk"}],
    }
    engine = EngineUnderTest(running_asterisk, home, settings)
    try:
        await engine.start()
        async with callers_of(engine) as callers:
            yield callers
    finally:
        await engine.kill()
        await running_asterisk.cli("channel request hangup all")
        await running_asterisk.quiet()


@pytest.fixture(scope="module")
def words(running_asterisk: AsteriskUnderTest) -> Samples:
    """What callers say: some seconds of speech."""
    return read_sound(running_asterisk.sounds / "nl" / "apology.wav")


@pytest.fixture(scope="module")
def other_words(running_asterisk: AsteriskUnderTest) -> Samples:
    """What callers say that nobody may keep."""
    return read_sound(running_asterisk.sounds / "nl" / "waiting.wav")


def after_the_tone(words: Samples) -> Samples:
    """Said by who first hears the tone out."""
    return np.concatenate([np.zeros(RATE, np.int16), words])


async def all_said(call: Call) -> None:
    """Wait until what a caller says was sent, or nobody is there to hear it."""
    while call.media.busy and call.end is None:
        await call.changed(1.0)


async def spoken(call: Call, words: Samples, *, after: str, key: str = "#") -> None:
    """Hear a prompt to its end, speak, and press a key when all was said."""
    await call.hears(after, PATIENCE, over=True)
    call.say(after_the_tone(words))
    await all_said(call)
    if key:
        await call.press(key)


def likeness(sound: Samples, words: Samples) -> float:
    """How much a sound holds these words, at the place where it does so most: 1 for all of them, near 0 for others."""
    size = 1 << (len(sound) + len(words)).bit_length()
    found = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(words, size)), size)[: len(sound)]
    at = int(np.abs(found).argmax())
    part = sound[at : at + len(words)].astype(float)
    return float(abs(found[at]) / (np.linalg.norm(part) * np.linalg.norm(words.astype(float)) + 1))


def level(sound: Samples) -> float:
    """The loudness of what is not silence, in dB below full scale."""
    loud = sound[np.abs(sound) > 500].astype(float)
    return float(20 * np.log10(np.sqrt((loud**2).mean()) / 32768))


def rights_of_others(path: Path) -> int:
    return path.stat().st_mode & 0o007


async def messages(callers: Callers, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(await callers.engine.ivr("voicemails", "--json", *arguments))
    return found


async def message_of(callers: Callers, call: Call, *arguments: str) -> dict[str, Any]:
    """The only recording of a call, as soon as it is stored."""
    contact = await callers.contact(call)

    async def stored() -> dict[str, Any] | None:
        found = [each for each in await messages(callers, *arguments) if each["call"] == contact["id"]]
        return found[0] if found else None

    one: dict[str, Any] = await callers.engine.until(stored, 40, "the recording to be stored")
    return one


async def test_a_message_is_recorded_as_it_was_spoken(callers: Callers, words: Samples) -> None:
    call = await callers.talk(CALLER, ("nl/desk_menu", "1"), until="nl/voicemail_greeting")
    await spoken(call, words, after="nl/voicemail_greeting")
    await call.hears("nl/voicemail_thanks", PATIENCE)
    await call.ended(20)
    message = await message_of(callers, call)
    sound = read_sound(Path(message["path"]))
    # The second before the words is only heard as far as the tone had ended in it.
    assert len(words) / RATE - 0.3 < len(sound) / RATE < len(words) / RATE + 1.2
    assert message["seconds"] == pytest.approx(len(sound) / RATE, abs=0.1)
    assert likeness(sound, words) > 0.95
    assert level(sound) == pytest.approx(level(words), abs=1.5)
    assert (message["box"], message["purpose"], message["caller"]) == ("support", "voicemail", "+316******78")
    contact = await callers.contact(call)
    assert contact["outcome"] == "message_left"
    assert [event["recording"] for event in events(contact, "message_left")] == [message["id"]]
    assert "message left" in callers.engine.log.read_text()


async def test_nobody_else_can_read_a_recording_and_its_name_tells_nothing(callers: Callers, words: Samples) -> None:
    call = await callers.talk(CALLER, ("nl/desk_menu", "1"), until="nl/voicemail_greeting")
    await spoken(call, words, after="nl/voicemail_greeting")
    await call.ended(20)
    path = Path((await message_of(callers, call))["path"])
    assert rights_of_others(path) == rights_of_others(path.parent) == 0
    assert CALLER[1:] not in path.name
    assert CALLER[3:] not in path.name


async def test_a_message_is_new_until_somebody_heard_it(callers: Callers, words: Samples) -> None:
    call = await callers.talk(CALLER, ("nl/desk_menu", "1"), until="nl/voicemail_greeting")
    await spoken(call, words, after="nl/voicemail_greeting")
    await call.ended(20)
    message = await message_of(callers, call, "--reveal")
    assert message["caller"] == CALLER
    await callers.engine.ivr("voicemails", "heard", message["id"])
    assert message["id"] not in [each["id"] for each in await messages(callers)]
    again = [each for each in await messages(callers, "--all") if each["id"] == message["id"]]
    assert again[0]["heard_at"]


async def test_who_hangs_up_while_speaking_has_left_a_message(callers: Callers, words: Samples) -> None:
    call = await callers.talk(CALLER, ("nl/desk_menu", "1"), until="nl/voicemail_greeting")
    await spoken(call, words, after="nl/voicemail_greeting", key="")
    await call.hang_up()
    message = await message_of(callers, call)
    assert likeness(read_sound(Path(message["path"])), words) > 0.95
    contact = await callers.contact(call)
    assert contact["outcome"] == "message_left"
    assert events(contact, "recorded")[0]["hung_up"] is True


async def test_who_says_nothing_is_asked_once_more_and_leaves_no_message(callers: Callers) -> None:
    call = await callers.talk(CALLER, ("nl/desk_menu", "1"), until="nl/desk_nothing")
    await call.ended(20)
    assert [name for name in heard(call) if not name.endswith("record_tone")] == [
        "nl/desk_menu", "nl/voicemail_greeting", "nl/voicemail_too_short", "nl/desk_nothing",
    ]  # fmt: skip
    contact = await callers.contact(call)
    assert [event["kept"] for event in events(contact, "recorded")] == [False, False]
    taken = [event["recording"] for event in events(contact, "recorded")]
    folder = callers.engine.home / "var" / "recordings"

    async def gone() -> bool:
        return not [path for name in taken for path in folder.glob(f"{name}*")]

    await callers.engine.until(gone, 15, "what was not kept to be gone")


async def test_a_caller_hears_what_they_said_and_speaks_it_anew(
    callers: Callers, words: Samples, other_words: Samples
) -> None:
    call = await callers.talk(CALLER, ("nl/desk_menu", "2"), until="nl/voicemail_greeting")
    await spoken(call, words, after="nl/voicemail_greeting")
    first = await call.hears("nl/voicemail_review", PATIENCE)
    await call.press("2")
    second = await call.hears("nl/voicemail_review", PATIENCE, after=first)
    played = call.media.timeline.samples(first.stop, second.start)
    assert likeness(played, words) > 0.8
    await call.press("3")
    await spoken(call, other_words, after="nl/voicemail_again")
    await call.hears("nl/voicemail_review", PATIENCE, after=second)
    await call.press("1")
    await call.hears("nl/voicemail_thanks", PATIENCE)
    await call.ended(20)
    message = await message_of(callers, call)
    sound = read_sound(Path(message["path"]))
    assert likeness(sound, other_words) > 0.95
    assert likeness(sound, words) < 0.5


async def test_a_message_outlives_the_engine_that_took_it(callers: Callers, words: Samples) -> None:
    call = await callers.talk(CALLER, ("nl/desk_menu", "1"), until="nl/voicemail_greeting")
    await call.hears("nl/voicemail_greeting", PATIENCE, over=True)
    call.say(after_the_tone(words))
    folder = callers.engine.home / "var" / "recordings"

    async def is_recorded() -> bool:
        """Asterisk writes when it has two seconds."""
        return any(note.with_suffix(".wav").stat().st_size for note in folder.glob("*.json"))

    await callers.engine.until(is_recorded, 20, "the message to be recorded")
    await callers.engine.kill()
    await all_said(call)
    await call.hang_up()
    await callers.engine.start()
    message = await message_of(callers, call)
    assert likeness(read_sound(Path(message["path"])), words) > 0.95


async def test_a_call_is_recorded_with_both_sides_but_not_while_paused(
    callers: Callers, words: Samples, other_words: Samples
) -> None:
    call = await callers.talk(CALLER, ("nl/desk_menu", "3"), until="nl/desk_speak")
    await spoken(call, words, after="nl/desk_speak")
    await spoken(call, other_words, after="nl/desk_pay")
    await call.hears("nl/agent", PATIENCE, over=True)
    call.say(words)
    await all_said(call)
    await call.ended(30)
    contact = await callers.contact(call)
    states = [event["state"] for event in events(contact, "call_recording")]
    assert states == ["on", "pause", "on"]
    assert heard(call).count("nl/desk_recorded") == 1
    recording = await message_of(callers, call, "--purpose", "call")
    assert recording["id"] == contact["id"]
    sound = read_sound(Path(recording["path"]))
    assert recording["seconds"] == pytest.approx(len(sound) / RATE, abs=0.1)
    assert likeness(sound, words) > 0.8
    assert likeness(sound, read_sound(callers.engine.asterisk.sounds / "nl" / "agent.wav")) > 0.8
    assert likeness(sound, other_words) < 0.3
    assert rights_of_others(Path(recording["path"])) == 0


async def test_a_survey_keeps_scores_and_a_spoken_answer(callers: Callers, words: Samples) -> None:
    call = await callers.talk(
        CALLER, ("nl/desk_menu", "4"), ("nl/desk_solved", "4"), ("nl/desk_recommend", "10"), until="nl/desk_why"
    )
    await spoken(call, words, after="nl/desk_why")
    await call.hears("nl/desk_thanks", PATIENCE)
    await call.ended(20)
    contact = await callers.contact(call)
    answers = {event["question"]: event["answer"] for event in events(contact, "survey_answer")}
    said = await message_of(callers, call, "--purpose", "survey")
    assert answers == {"solved": 4, "recommend": 10, "why": said["id"]}
    assert likeness(read_sound(Path(said["path"])), words) > 0.95
