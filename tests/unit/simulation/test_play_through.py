"""Facts about playing a flow through with a scripted caller."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ivr.domain.callback import CallbackRequest, Window
from ivr.domain.caller import Caller
from ivr.domain.contact import ContactId, Outcome
from ivr.domain.hand_over import ToQueue
from ivr.domain.language import Language
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.domain.outage import Outage, OutageId
from ivr.domain.site import Site
from ivr.domain.speech import Utterance
from ivr.errors import CallerHungUp, SpeechError, StoreUnavailable, WindowFull
from ivr.flow.loader import load
from ivr.flow.session import Services
from ivr.flow.sources import Sources
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.play_through import PlayedThrough, play_through, read_script
from ivr.simulation.scripted_channel import Act, Leave, Press, ScriptedChannel, Silence
from ivr.simulation.scripted_services import ScriptedBoard, ScriptedDesk, ScriptedSites
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.virtual_clock import VirtualClock

ROOT = Path(__file__).parents[3]
FLOWS = load(Sources(ROOT / "dialplans", ROOT / "prompts", {"support"}))
NUMBER = PhoneNumber("+31612345678")
START = datetime(2026, 11, 21, 10, tzinfo=UTC)
WINDOW = Window(datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC))


def play(flow: str, script: Sequence[Act] = (), outages: Sequence[Outage] = ()) -> PlayedThrough:
    prompts = SpokenPrompts()
    services = Services(
        prompts,
        ScriptedBoard(outages),
        ScriptedDesk([WINDOW]),
        ScriptedSites([Site("own", {"support": "support-own"})]),
        VirtualClock(START),
        ZoneInfo("Europe/Amsterdam"),
        "support",
    )
    person = Caller(Line(LineState.KNOWN, NUMBER), region="Groningen")
    return asyncio.run(play_through(FLOWS, flow, services, prompts, DescribedEnquiry(lambda: person), script))


def test_a_call_of_minutes_takes_no_time_and_keeps_its_times() -> None:
    played = play("lijnnet")
    moments = [at for at, *_ in played.events()]
    assert moments == sorted(moments)
    assert moments[0] == START
    assert 30 < (moments[-1] - START).total_seconds() < 120
    assert played.ending.outcome is Outcome.HANDED_OVER


def test_the_json_says_what_was_heard_how_it_ended_and_why() -> None:
    shown = play("lijnnet", [Press("1")]).as_json()
    assert (shown["outcome"], shown["reason"]) == ("handed_over", "support")
    events = shown["events"]
    assert isinstance(events, list)
    assert events[0] == {"at": "2026-11-21T10:00:00.000Z", "kind": "picked_up", "step": ""}
    assert events[2] == {
        "at": "2026-11-21T10:00:00.000Z",
        "kind": "prompt",
        "step": "welcome.say",
        "prompt": "welcome",
        "language": "nl",
        "seconds": 1.24,
        "text": "Welkom bij Lijnnet.",
    }


@pytest.mark.parametrize(
    ("script", "outcome", "last"),
    [
        ([Press("1")], Outcome.HANDED_OVER, "connecting"),
        ([Press("2")], Outcome.REFUSED, "calling_back_not_needed"),
        ([], Outcome.ABANDONED, "calling_back"),
    ],
)
def test_our_own_call_connects_is_refused_or_reaches_nobody(script: list[Act], outcome: Outcome, last: str) -> None:
    played = play("callback", script)
    assert played.ending.outcome is outcome
    assert played.heard[-1].utterance.name == last


def test_the_shortest_flow_is_one_key_and_two_prompts() -> None:
    played = play("shortest", [Press("5", "shortest_question")])
    assert len(played.heard) == 2
    played = play("shortest", [Press("1", "shortest_question")])
    assert [heard.utterance.name for heard in played.heard] == ["shortest_question", "shortest_answer"]
    assert [heard.key for heard in played.heard] == ["1", ""]


def test_a_caller_in_an_outage_is_told_and_may_leave() -> None:
    played = play("lijnnet", [Leave()], [Outage(OutageId("o1"), START, "Groningen")])
    assert played.ending.outcome is Outcome.TOLD


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        ("1,2", [Press("1"), Press("2")]),
        ("06#", [Press("0"), Press("6"), Press("#")]),
        ("-,1,x", [Silence(), Press("1"), Leave()]),
        ("", []),
    ],
)
def test_a_script_is_read(text: str, acts: list[Act]) -> None:
    assert read_script(text) == acts


def test_a_script_of_other_things_is_refused() -> None:
    with pytest.raises(ValueError, match="'a' is not keys"):
        read_script("1,a")


async def test_after_leaving_the_channel_is_gone_for_every_use() -> None:
    clock, prompts = VirtualClock(), SpokenPrompts()
    channel = ScriptedChannel(clock, prompts, [Leave()])
    audio = await prompts.audio(Utterance("a", Language.NL, "a"))
    with pytest.raises(CallerHungUp):
        await channel.wait_for_key(5)
    target = ToQueue("support", "own", "support-own", Language.NL)
    for use in (
        channel.answer(),
        channel.play(audio),
        channel.wait_for_key(1),
        channel.hand_over(target),
        channel.hang_up(),
    ):
        with pytest.raises(CallerHungUp):
            await use


async def test_a_key_interrupts_only_where_it_may() -> None:
    clock, prompts = VirtualClock(), SpokenPrompts()
    channel = ScriptedChannel(clock, prompts, [Press("1", "a")])
    audio = await prompts.audio(Utterance("a", Language.NL, "a" * 100))
    assert await channel.play(audio) == ""
    assert await channel.play(audio, keys="23") == ""
    assert await channel.play(audio, keys="12") == "1"
    assert [round(heard.seconds, 1) for heard in channel.heard] == [6.5, 6.5, 0.4]


async def test_the_stand_ins_keep_to_their_ports() -> None:
    request = CallbackRequest(NUMBER, WINDOW, "support", Language.NL, ContactId("c"))
    with pytest.raises(StoreUnavailable):
        await ScriptedDesk([WINDOW], available=False).windows("support", 3)
    with pytest.raises(WindowFull):
        await ScriptedDesk([WINDOW], full={WINDOW}).book(request)
    with pytest.raises(SpeechError):
        await SpokenPrompts(broken={"a"}).audio(Utterance("a", Language.NL, "a"))
    with pytest.raises(KeyError):
        ScriptedSites([]).choose("support")
