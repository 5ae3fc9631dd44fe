"""People who ring the engine under test: telephones that know by ear everything that can be said to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from ivr.app import prompt_files
from ivr.clock import SystemClock
from ivr.config.loading import load
from ivr.configured import sources_of
from ivr.domain.language import Language
from ivr.domain.speech import Utterance
from ivr.flow.loader import load as load_flows
from ivr.robot.call import Call
from ivr.robot.hearing import Heard
from ivr.robot.journey import Journey, journey_of
from ivr.robot.prompts import KnownPrompts
from ivr.robot.script import Script
from ivr.robot.user_agent import UserAgent
from ivr.speech.engines import engine as speech_engine
from ivr.speech.library import PromptLibrary
from tests.asterisk.asterisk_under_test import AsteriskUnderTest
from tests.asterisk.engine_under_test import EngineUnderTest, Json

QUICK = {"words_per_minute": 300}
"""Settings of `speech` with which a call takes half its time, and has half the time to make the next prompt in."""

PATIENCE = 40.0
"""Seconds that a caller waits for a prompt."""

MENUS = frozenset(
    f"{language}/{prompt}"
    for language in ("nl", "en")
    for prompt in ("main_menu_person", "after_outage", "anything_else", "window-3", "callback_number")
)
"""What callers hear last before they are waited for."""


class Callers:
    """Rings the engine under test, each time at another number, so that each call is found in the journal again."""

    def __init__(self, engine: EngineUnderTest, telephone: UserAgent) -> None:
        self.engine = engine
        self._telephone = telephone
        self._numbers = count(850001001)
        self._looking = asyncio.Lock()
        self._written: dict[str, dict[str, Json]] = {}

    async def ring(self, number: str = "", *, privacy: bool = False, limit: float = 5.0) -> Call:
        """Dial and wait until the call is answered."""
        call = await self.dial(number, privacy=privacy)
        await call.answered(limit)
        return call

    async def dial(self, number: str = "", *, privacy: bool = False) -> Call:
        """Dial only."""
        uri = self.engine.sip_uri.replace("100@", f"0{next(self._numbers)}@")
        return await self._telephone.call(uri, caller_number=number, privacy=privacy)

    async def talk(self, number: str, *presses: tuple[str, str], until: str, privacy: bool = False) -> Call:
        """A whole call: ring, press keys when prompts are recognised, `("nl/main_menu", "0")`, and hear `until`.

        Each prompt is the next of its name.
        """
        call = await self.ring(number, privacy=privacy)
        before: Heard | None = None
        for prompt, keys in presses:
            before = await call.hears(prompt, PATIENCE, after=before)
            await call.press(keys)
        await call.hears(until, PATIENCE, after=before)
        return call

    async def leave(self, call: Call) -> Journey:
        """Hang up, and tell what was met; after the last prompt and in menus the caller is waited for."""
        await call.hang_up()
        return journey_of(call, Script(menus=MENUS))

    async def contact(self, call: Call) -> dict[str, Json]:
        """The call as the journal has it, as soon as it has ended there. There is never more than one."""

        async def written() -> dict[str, Json] | None:
            # One look serves everybody who waits.
            async with self._looking:
                if call.called not in self._written:
                    contacts = await self.engine.calls()
                    entries = [contact["entry"] for contact in contacts]
                    assert len(entries) == len(set(entries)), f"a call has more than one contact: {entries}"
                    self._written |= {each["entry"]: each for each in contacts if each["ended_at"]}
                return self._written.get(call.called)

        contact: dict[str, Json] = await self.engine.until(written, 20, f"the end of call {call.called} in the journal")
        return contact


@asynccontextmanager
async def callers_of(engine: EngineUnderTest, texts: Mapping[str, str] | None = None) -> AsyncIterator[Callers]:
    """Callers of a running engine. `texts` are what is said to some only, by names such as `nl/order_news`."""
    async with UserAgent(known=KnownPrompts(await sounds_of(engine, texts or {}))) as telephone:
        yield Callers(engine, telephone)


async def sounds_of(engine: EngineUnderTest, texts: Mapping[str, str]) -> Mapping[str, Path]:
    """Everything that is the same in every call, `texts`, and Asterisk's own sounds."""
    config = load(engine.config)
    library = PromptLibrary(config.speech, speech_engine(config.speech), SystemClock())
    await library.open()
    try:
        files = dict(await prompt_files(library, load_flows(sources_of(config))))
        for name, text in texts.items():
            language, _, prompt = name.partition("/")
            base = await library.files(Utterance(prompt, Language(language), text))
            files[name] = Path(f"{base}.sln")
    finally:
        await library.close()
    return files | _own_sounds(engine.asterisk)


def _own_sounds(asterisk: AsteriskUnderTest) -> dict[str, Path]:
    """Asterisk's own: `sorry` is its apology, which is not the engine's."""
    names = {"sorry": "apology", "agent": "agent", "agents_goodbye": "goodbye", "waiting": "waiting"}
    spoken = {
        f"{language}/{name}": asterisk.sounds / language / f"{file}.wav"
        for name, file in names.items()
        for language in ("nl", "en")
    }
    return spoken | {"hold": asterisk.sounds / "hold" / "hold.wav"}


def heard(told: Call | Journey) -> list[str]:
    """The prompts that were heard, in order, without the music of a queue."""
    return [each.prompt for each in told.heard if each.prompt != "hold"]


def kinds(contact: Mapping[str, Json], *without: str) -> Sequence[str]:
    """The kinds of a contact's events, in order."""
    return [event["kind"] for event in contact["events"] if event["kind"] not in without]


def events(contact: Mapping[str, Json], kind: str) -> list[dict[str, Json]]:
    """A contact's events of one kind."""
    return [event for event in contact["events"] if event["kind"] == kind]
