"""Facts about speaking: no dead air, keys that come early, what is personal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from ivr.domain.language import Language
from ivr.domain.speech import Audio, Utterance
from ivr.errors import SpeechError
from ivr.flow.voice import Voice
from ivr.simulation.scripted_channel import Press
from ivr.simulation.transcript import Transcript
from ivr.simulation.virtual_clock import VirtualClock

PERSONAL = """
here:
  - say: one
  - branch: [{ when: caller.known, goto: there }]
  - hang_up:
there:
  - say: name
  - menu: { prompt: two, options: { "1": last } }
last:
  - say: number
  - hang_up:
"""
TEXTS = {
    "one": "Een.",
    "two": "Twee.",
    "name": "Dag {{ caller.name }}.",
    "number": "U belt met {{ caller.number | phone }}.",
}


def utterance(name: str) -> Utterance:
    return Utterance(name, Language.NL, name)


@dataclass
class Slow:
    """A library and a channel in one, which write down when sounds are asked for, ready and played."""

    happened: list[str] = field(default_factory=list)
    release: dict[str, asyncio.Event] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    async def audio(self, asked: Utterance) -> Audio:
        self.happened.append(f"make {asked.name}")
        if asked.name in self.release:
            await self.release[asked.name].wait()
        if asked.name in self.broken:
            raise SpeechError(asked.name)
        return Audio(asked.name, 1.0)

    async def play(self, audio: Audio, *, keys: str = "") -> str:
        self.happened.append(f"play {audio.ref}")
        await asyncio.sleep(0)
        return ""


def voice_of(slow: Slow) -> Voice:
    # Of a channel, a voice only uses `play`.
    return Voice(slow, slow, Transcript(VirtualClock()))  # type: ignore[arg-type]


async def test_the_next_ones_are_made_while_the_first_sounds() -> None:
    slow = Slow()
    await voice_of(slow).say([utterance("a"), utterance("b")], step="s", ahead=lambda: [utterance("c")])
    assert slow.happened == ["make a", "play a", "make b", "make c", "play b"]


async def test_what_was_made_ahead_is_not_made_again() -> None:
    slow = Slow()
    voice = voice_of(slow)
    await voice.say([utterance("a")], step="s", ahead=lambda: [utterance("b")])
    await voice.say([utterance("b")], step="s")
    assert slow.happened.count("make b") == 1


async def test_what_could_not_be_made_ahead_is_tried_again() -> None:
    slow = Slow(broken={"b"})
    voice = voice_of(slow)
    await voice.say([utterance("a")], step="s", ahead=lambda: [utterance("b")])
    slow.broken.clear()
    await voice.say([utterance("b")], step="s")
    assert slow.happened == ["make a", "play a", "make b", "make b", "play b"]


async def test_what_cannot_be_said_raises() -> None:
    with pytest.raises(SpeechError):
        await voice_of(Slow(broken={"a"})).say([utterance("a")], step="s")


async def test_closing_stops_what_is_still_being_made() -> None:
    slow = Slow(release={"b": asyncio.Event()})
    voice = voice_of(slow)
    await voice.say([utterance("a")], step="s", ahead=lambda: [utterance("b")])
    await voice.close()
    assert len(asyncio.all_tasks()) == 1


async def test_a_crowd_ahead_does_not_flood_the_library() -> None:
    slow = Slow(release={f"n{n}": asyncio.Event() for n in range(100)})
    voice = voice_of(slow)
    await voice.say([utterance("a")], step="s", ahead=lambda: [utterance(f"n{n}") for n in range(100)])
    assert len(slow.happened) <= 18
    await voice.close()


def test_texts_about_the_caller_are_made_while_an_earlier_prompt_sounds(world: Any, flow_of: Any) -> None:
    world.play(flow_of(PERSONAL, TEXTS), "known", "1")
    assert [made.name for made in world.prompts.made] == ["one", "name", "two", "number"]
    assert [made.name for made in world.prompts.made if made.personal] == ["name", "number"]


def test_who_is_recognised_late_is_known_to_the_next_step(world: Any, flow_of: Any) -> None:
    """The look-up answers while the first prompt sounds."""
    played = world.play(
        flow_of(PERSONAL, TEXTS), lambda: world.caller("known" if world.clock.passed > 0.1 else "pending"), "1"
    )
    assert [heard.utterance.text for heard in played.heard][:2] == ["Een.", "Dag Anna de Vries."]


def test_a_key_pressed_early_answers_the_menu_and_what_is_said_before_it_is_skipped(world: Any, flow_of: Any) -> None:
    blocks = """
here:
  - say: [one, two]
  - say: two
  - menu: { prompt: three, options: { "1": there } }
there:
  - say: four
  - hang_up:
"""
    flow = flow_of(blocks, {"one": "Een.", "two": "Twee.", "three": "Drie.", "four": "Vier."})
    played = world.play(flow, script=[Press("1", during="one")])
    assert [heard.utterance.text for heard in played.heard] == ["Een.", "Vier."]


def test_an_outage_is_told_even_to_who_pressed_a_key_early(world: Any, flow_of: Any) -> None:
    world.open_outage("Groningen", text={Language.NL: "Storing."})
    blocks = (
        'here:\n  - say: one\n  - outage:\n  - menu: { prompt: two, options: { "1": there } }\nthere:\n  - hang_up:'
    )
    played = world.play(flow_of(blocks, TEXTS), script=[Press("1", during="one")])
    assert [heard.utterance.text for heard in played.heard] == ["Een.", "Storing."]


def test_a_key_early_that_the_menu_does_not_offer_is_forgotten(world: Any, flow_of: Any) -> None:
    blocks = 'here:\n  - say: one\n  - menu: { prompt: two, options: { "1": there } }\nthere:\n  - hang_up:'
    played = world.play(flow_of(blocks, TEXTS), script=[Press("7", during="one"), Press("1")])
    assert [heard.utterance.text for heard in played.heard] == ["Een.", "Twee."]
    assert played.ending.outcome == "self_served"


def test_the_last_words_are_said_to_the_end_whatever_is_pressed(world: Any, flow_of: Any) -> None:
    played = world.play(flow_of("here:\n  - say: one\n  - hang_up:", TEXTS), script=[Press("1", during="one")])
    assert [(heard.utterance.name, heard.key) for heard in played.heard] == [("one", "")]


def test_any_key_ends_a_menus_prompt(world: Any, flow_of: Any) -> None:
    blocks = 'here:\n  - menu: { prompt: [one, two], options: { "1": there } }\nthere:\n  - hang_up:'
    played = world.play(flow_of(blocks, TEXTS), script=[Press("1", during="one")])
    assert [heard.utterance.name for heard in played.heard] == ["one"]
