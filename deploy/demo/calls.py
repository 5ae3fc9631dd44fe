"""The demonstration calls: four people ring Lijnnet, one of them is called back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from deploy.demo.crm import NAMED, NOBODYS_NUMBER
from ivr.app import Application, personal_files, prompt_files
from ivr.domain.callback import CallbackState
from ivr.domain.language import Language
from ivr.domain.outage import Outage, OutageId
from ivr.domain.speech import Utterance
from ivr.errors import CallFailed
from ivr.robot.performing import perform
from ivr.robot.prompts import KnownPrompts
from ivr.robot.script import HangUp, Moment, Press, Script
from ivr.robot.user_agent import UserAgent

AFTER_AGENT = Moment(delay=5.0, prompt="nl/connecting", at_end=True)
CALLED_BACK_WITHIN = 60.0
RINGS = 1.5
OUTAGE_WORDS = "In Groningen ligt het internet eruit. We verwachten dat het om vijf uur vanmiddag is opgelost."


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A call to Lijnnet: who rings and why, and what they do."""

    title: str
    number: str
    script: Script


ORDER, OUTAGE, *_ = NAMED

ON_ITS_WAY = Demonstration(
    f"{ORDER.name} rings: her modem is on its way. She is told so by name, and asks for a person.",
    ORDER.number,
    Script((Press("0", Moment(prompt="nl/main_menu", at_end=True)), HangUp(AFTER_AGENT)), limit=40.0),
)
STRANGER = Demonstration(
    "Somebody rings from a number that no customer has: no name, the plain menu, a person.",
    NOBODYS_NUMBER,
    Script((Press("0", Moment(prompt="nl/main_menu")), HangUp(AFTER_AGENT)), limit=40.0),
)
IN_OUTAGE = Demonstration(
    f"{OUTAGE.name} rings from Groningen, where there is an outage: he is told at once, and knows enough.",
    OUTAGE.number,
    Script((HangUp(Moment(delay=1.0, prompt="nl/after_outage")),), limit=40.0),
)
BUSY_CALLER = Demonstration(
    "Somebody has no time now, chooses to be called back, and is.",
    NOBODYS_NUMBER,
    Script(
        (
            Press("3", Moment(prompt="nl/main_menu")),
            Press("1", Moment(delay=2.5, prompt="nl/callback_offer", at_end=True)),
            Press("1", Moment(delay=14.0)),
        ),
        limit=60.0,
    ),
)
CALLED_BACK = Script(
    (Press("1", Moment(delay=3.0, prompt="nl/calling_back")), HangUp(AFTER_AGENT)),
    limit=60.0,
)


async def demonstrate(app: Application, sip_address: str) -> None:
    """Place the calls, one after the other, and answer the callback."""
    await _forget_earlier_promises(app)
    announced = await app.library.files(Utterance("outage", Language.NL, OUTAGE_WORDS))
    fixed = {**await prompt_files(app.library, app.flows.current()), "nl/outage": Path(f"{announced}.sln")}
    known = KnownPrompts(fixed, lambda: personal_files(app.config))
    trunk_port = app.config.asterisk.private.trunk_port
    async with UserAgent(known=known) as telephone, UserAgent(port=trunk_port, known=known) as customers:
        for demonstration in (ON_ITS_WAY, STRANGER):
            await _ring(demonstration, telephone, sip_address)
        async with _outage(app):
            await _ring(IN_OUTAGE, telephone, sip_address)
        await _ring(BUSY_CALLER, telephone, sip_address)
        await _be_called_back(customers)


async def _ring(demonstration: Demonstration, telephone: UserAgent, sip_address: str) -> None:
    print(f"\n--- {demonstration.title}", flush=True)
    host = sip_address.removeprefix("sip:")
    call = await telephone.call(f"sip:100@{host}", caller_number=demonstration.number)
    journey = await perform(call, demonstration.script)
    if journey.failure:
        print(f"--- the call failed: {journey.failure}", flush=True)
    else:
        silence = ", ".join(f"{gap.ms} ms at {gap.from_ms / 1000:.1f} s" for gap in journey.dead_air) or "none"
        heard = len(journey.heard)
        print(
            f"--- {journey.lasted_ms / 1000:.0f} s, {heard} prompts recognised by ear, dead air: {silence}", flush=True
        )


@asynccontextmanager
async def _outage(app: Application) -> AsyncIterator[None]:
    """An outage in Groningen, which is over afterwards whatever happens."""
    outage = Outage(
        OutageId(uuid4().hex[:8]),
        app.clock.now(),
        region="Groningen",
        product="internet",
        text={Language.NL: OUTAGE_WORDS},
    )
    await app.stores.outages.add(outage)
    try:
        # The engine follows by itself within a second; here nobody waits for that.
        await app.board.refresh()
        yield
    finally:
        await app.stores.outages.close(outage.id, app.clock.now())


async def _forget_earlier_promises(app: Application) -> None:
    """Cancel what a demonstration that was broken off had promised, so that nobody is called in between."""
    for callback in await app.stores.callbacks.callbacks(only_open=True):
        if callback.request.number == NOBODYS_NUMBER:
            reason = "the demonstration began anew"
            await app.stores.callbacks.move(callback.id, CallbackState.CANCELLED, at=app.clock.now(), reason=reason)


async def _be_called_back(customers: UserAgent) -> None:
    print("\n--- the dialer keeps the promise", flush=True)
    try:
        call = await customers.next_call(CALLED_BACK_WITHIN)
    except CallFailed as error:
        print(f"--- nobody called back: {error}", flush=True)
        return
    call.ring()
    await asyncio.sleep(RINGS)
    call.answer()
    await perform(call, CALLED_BACK)
