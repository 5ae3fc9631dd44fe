"""What a caller hears of the prompt library on a real Asterisk, from a shared disk and over HTTP."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ivr.clock import SystemClock
from ivr.config.model import Http, Speech
from ivr.dashboard.server import WebServer
from ivr.domain.language import Language
from ivr.domain.speech import Utterance
from ivr.robot.performing import perform
from ivr.robot.prompts import KnownPrompts
from ivr.robot.script import Script
from ivr.robot.user_agent import UserAgent
from ivr.speech.engines import engine
from ivr.speech.library import PromptLibrary
from tests.asterisk.asterisk_under_test import AsteriskUnderTest, free_port
from tests.asterisk.scripted_engine import ScriptedEngine, Session

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"),
]
FIXED = Utterance("welcome", Language.NL, "Goedemiddag, u spreekt met Lijnnet.")
PERSONAL = Utterance("greeting", Language.NL, "Dag mevrouw Jansen, uw bestelling komt morgen.", personal=True)


@asynccontextmanager
async def library_at(folder: Path, media: str, web_port: int) -> AsyncIterator[PromptLibrary]:
    settings = {"cache": folder, "recordings": folder / "none", "media": media}
    speech = Speech.model_validate(settings | {"media_url": f"http://127.0.0.1:{web_port}/media"})
    library = PromptLibrary(speech, engine(speech), SystemClock())

    async def healthy() -> Mapping[str, object]:
        return {"ok": True}

    web = WebServer(Http(port=web_port), CollectorRegistry(), healthy, library.media_file)
    await library.open()
    await web.start()
    yield library
    await web.stop()
    await library.close()


@pytest.mark.parametrize("media", ["disk", "http"])
async def test_a_caller_hears_the_prompts_from_their_first_sample_to_their_last(
    asterisk: AsteriskUnderTest, tmp_path: Path, media: str
) -> None:
    async with library_at(tmp_path, media, free_port(socket.SOCK_STREAM)) as library:
        audios = [await library.audio(each) for each in (FIXED, PERSONAL)]
        bases = [await library.files(each) for each in (FIXED, PERSONAL)]
        replies: list[str] = []

        async def serve(session: Session) -> None:
            await session.run("ANSWER")
            for audio in audios:
                replies.append(await session.run(f'STREAM FILE "{audio.ref}" ""'))
            await session.run('SET VARIABLE KLANTLIJN_NEXT "hangup"')

        known = KnownPrompts({base.name: base.with_suffix(".sln") for base in bases})
        async with ScriptedEngine(asterisk.config.asterisk.fastagi.port, serve), UserAgent(known=known) as phone:
            call = await phone.call(f"sip:0850001000@{asterisk.sip_host}:{asterisk.sip_port}")
            journey = await perform(call, Script((), 20))
        await asterisk.quiet()
    assert replies == [f"200 result=0 endpos={round(audio.seconds * 8000)}" for audio in audios]
    assert [heard.prompt for heard in journey.heard] == [base.name for base in bases]
    assert all(heard.heard_ms == heard.of_ms for heard in journey.heard)
    assert min(heard.confidence for heard in journey.heard) > 0.98
    assert journey.dead_air == ()
