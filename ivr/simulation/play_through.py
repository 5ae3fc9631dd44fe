"""Playing a flow through: a whole call with a scripted caller and no Asterisk, as `ivr simulate` shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from ivr.domain.contact import ContactId, Direction, EventKind, Json
from ivr.domain.language import Language
from ivr.flow.engine import Ending, Engine, Limits
from ivr.flow.keys import ALL_KEYS
from ivr.flow.model import FlowSet
from ivr.flow.session import Services, Session
from ivr.ports import Channel, Enquiry
from ivr.simulation.scripted_channel import Act, Heard, Leave, Press, ScriptedChannel, Silence, Speak
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.transcript import Noted, Transcript

SILENT, LEAVES = "-", "x"


class HeardChannel(Channel, Protocol):
    """A channel that remembers what was heard on it, and what the caller did not come to do."""

    @property
    def heard(self) -> Sequence[Heard]: ...
    @property
    def not_done(self) -> Sequence[Act]: ...


@dataclass(frozen=True, slots=True)
class PlayedThrough:
    """A simulated call: how it ended, what was noted, and what was heard. `start` is an aware datetime.

    `not_done` is what the caller would still have done, had they been given the chance.
    """

    start: datetime
    ending: Ending
    noted: Sequence[Noted]
    heard: Sequence[Heard]
    not_done: Sequence[Act] = ()

    def events(self) -> Iterator[tuple[datetime, EventKind, str, dict[str, Json]]]:
        """What happened, in order: moment, kind, step, particulars. A prompt has its text, and the moment it began."""
        heard = iter(self.heard)
        for event in self.noted:
            if event.kind is EventKind.PROMPT and (sounded := next(heard, None)) is not None:
                at = self.start + timedelta(seconds=sounded.at)
                yield at, event.kind, event.step, {**event.detail, "text": sounded.utterance.text}
            else:
                yield event.at, event.kind, event.step, event.detail

    def as_json(self) -> dict[str, Json]:
        """`{events: [{at, kind, step, …}], outcome, reason}`, times ISO 8601 UTC."""
        events: list[Json] = [
            {"at": _iso(at), "kind": kind.value, "step": step, **detail} for at, kind, step, detail in self.events()
        ]
        return {"events": events, "outcome": self.ending.outcome.value, "reason": self.ending.reason}


async def play_through(
    flows: FlowSet,
    flow: str,
    services: Services,
    prompts: SpokenPrompts,
    enquiry: Enquiry,
    script: Sequence[Act] = (),
    *,
    limits: Limits | None = None,
    entry: str = "",
    language: Language | None = None,
    direction: Direction = Direction.INBOUND,
    leaves_after: float | None = None,
) -> PlayedThrough:
    """Play a flow for a caller who does what the script says. `services.prompts` must be `prompts`."""
    channel = ScriptedChannel(services.clock, prompts, script, leaves_after)
    return await play_over(
        channel, flows, flow, services, enquiry, limits=limits, entry=entry, language=language, direction=direction
    )


async def play_over(
    channel: HeardChannel,
    flows: FlowSet,
    flow: str,
    services: Services,
    enquiry: Enquiry,
    *,
    limits: Limits | None = None,
    entry: str = "",
    language: Language | None = None,
    direction: Direction = Direction.INBOUND,
    also: Callable[[Noted], None] = lambda noted: None,
) -> PlayedThrough:
    """Play a flow over a channel that remembers what was heard. `also` is told of everything when it is noted.

    `language` is that of what was dialled, if it has one.
    """
    clock = services.clock
    start, transcript = clock.now(), Transcript(clock, also=also)
    session = Session(
        services, flows, channel, enquiry, transcript, ContactId("simulated"), entry=entry, direction=direction
    )
    session.chosen_language = language
    await channel.answer()
    transcript.note(EventKind.PICKED_UP)
    ending = await Engine(limits).run(session, flow)
    transcript.note(EventKind.ENDED, session.step, outcome=ending.outcome.value)
    return PlayedThrough(start, ending, transcript.events, channel.heard, channel.not_done)


def read_script(text: str) -> list[Act]:
    """The acts in `1,2`: keys, each when it is waited for; `-` is a silence, `x` hanging up; `0612345678#` many keys;
    `6s` speaking for six seconds.

    Raises:
        ValueError: something else is written there.
    """
    acts: list[Act] = []
    for part in (part.strip() for part in text.split(",")):
        if part == SILENT:
            acts.append(Silence())
        elif part == LEAVES:
            acts.append(Leave())
        elif spoken := re.fullmatch(r"(\d{1,4}(?:\.\d)?)s", part):
            acts.append(Speak(float(spoken[1])))
        elif not set(part) <= set(ALL_KEYS):
            hint = f"write keys, '{SILENT}' for silence, '{LEAVES}' to hang up, or such as 6s for speaking"
            raise ValueError(f"'{part}' is not keys; {hint}")
        else:
            acts += [Press(key) for key in part]
    return acts


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
