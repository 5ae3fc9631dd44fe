"""`ivr robot` as an operator runs it, against a telephone that answers."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.robot.sound_file import read_sound, write_wav
from ivr.robot.user_agent import UserAgent
from tests.unit.robot.voices import TEXTS, prompt_files, silence, spoken

LIMIT = 30.0
CONFIG = """
organisation: {name: Test}
asterisk: {private: {sip_port: PORT}}
entries: [{dialled: "*", flow: main}]
sites: {own: {queues: {support: support-own}}}
queues: {support: {split: {own: 100}}}
fallback_queue: support
callbacks: {flow: main}
"""
FLOW = """
flow: main
languages: [nl]
start: hello
blocks:
  hello:
    - say: welcome
    - hang_up:
"""


@pytest.fixture
async def answering() -> AsyncIterator[UserAgent]:
    """A telephone that picks up each call, says welcome, and says goodbye when a key is pressed."""
    async with UserAgent() as telephone:

        async def serve() -> None:
            while True:
                call = await telephone.next_call(LIMIT)
                call.answer()
                call.say(spoken(TEXTS["welcome"]))
                while not call.keys_heard and call.end is None:
                    await call.changed(LIMIT)
                call.say(spoken(TEXTS["goodbye"]))
                call.say(silence(2000))

        serving = asyncio.create_task(serve())
        yield telephone
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def lay_out(folder: Path, port: int) -> None:
    """A configuration with one flow that says one recording."""
    (folder / "dialplans").mkdir()
    (folder / "dialplans" / "main.yaml").write_text(FLOW)
    (folder / "prompts" / "nl").mkdir(parents=True)
    (folder / "prompts" / "nl" / "texts.yaml").write_text(f"welcome: {TEXTS['welcome']}\napology: Sorry.\n")
    write_wav(folder / "prompts" / "nl" / "welcome.wav", spoken(TEXTS["welcome"]))
    (folder / "other.yaml").write_text(CONFIG.replace("PORT", str(port)))


async def robot(*arguments: str, folder: Path) -> tuple[int, str, str]:
    """Exit code, output and error output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from ivr.cli.main import main; main()", "robot", *arguments,
        cwd=folder, env={"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(LIMIT):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_call_is_made_told_and_recorded(answering: UserAgent, tmp_path: Path) -> None:
    (tmp_path / "prompts" / "nl").mkdir(parents=True)
    prompt_files(tmp_path / "prompts" / "nl")
    code, out, err = await robot(
        f"sip:100@127.0.0.1:{answering.port}", "--caller", "+31612345678", "--press", "1@nl/welcome",
        "--hang-up-after", "nl/goodbye:end", "--prompts", "prompts", "--record", "heard.wav", "--limit", "20s",
        folder=tmp_path,
    )  # fmt: skip
    assert (code, err) == (0, "")
    first, *others = out.splitlines()
    assert first.startswith("+316******78 -> 100: answered after ")
    told = [line.split(" s  ")[1] for line in others if " s  " in line]
    assert [line.split(",")[0] for line in told] == ["hears nl/welcome", "presses 1", "hears nl/goodbye", "hangs up"]
    assert len(read_sound(tmp_path / "heard.wav")) > 8000


async def test_without_an_address_the_asterisk_of_the_configuration_is_called(
    answering: UserAgent, tmp_path: Path
) -> None:
    """It listens for what the flows of that configuration say."""
    lay_out(tmp_path, answering.port)
    code, out, err = await robot(
        "--config", "other.yaml", "--press", "1@nl/welcome", "--hang-up-after", "2s", "--json", folder=tmp_path
    )
    assert err == ""
    journey = json.loads(out)
    assert (code, journey["as_expected"]) == (0, True)
    assert [heard["prompt"] for heard in journey["heard"]] == ["nl/welcome"]
    assert journey["dead_air"] == []


async def test_a_prompt_that_no_flow_says_is_a_mistake_with_a_suggestion(tmp_path: Path) -> None:
    lay_out(tmp_path, 5060)
    code, _, err = await robot("--config", "other.yaml", "--press", "1@nl/welcom", folder=tmp_path)
    assert code == 2
    assert "no flow says a prompt 'nl/welcom'; did you mean 'nl/welcome'?" in " ".join(err.split())


async def test_a_key_whose_moment_never_comes_is_a_failure(answering: UserAgent, tmp_path: Path) -> None:
    code, out, _ = await robot(
        f"sip:100@127.0.0.1:{answering.port}", "--prompts", ".", "--press", "1@menu", "--limit", "1s", folder=tmp_path
    )
    assert code == 1
    assert "not done: 1@menu" in out


async def test_a_call_that_is_refused_is_a_failure(tmp_path: Path) -> None:
    async with UserAgent() as busy:
        running = asyncio.create_task(robot(f"sip:1@127.0.0.1:{busy.port}", "--prompts", ".", folder=tmp_path))
        (await busy.next_call(LIMIT)).reject(486)
        code, out, _ = await running
    assert (code, out) == (1, "withheld -> 1: 486 Busy Here\n")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("sip:1@127.0.0.1", "--prompts", ".", "--press", "x@2s"), "'X' in 'x@2s' is not a key"),
        (("sip:1@127.0.0.1", "--prompts", ".", "--press", "1"), "write such as 1@main_menu"),
        (("sip:1@127.0.0.1", "--prompts", ".", "--limit", "10"), "did you mean '10s'"),
        (("sip:1@127.0.0.1", "--prompts", "nowhere"), "does not exist"),
        (("100", "--prompts", "."), "write such as sip:100@127.0.0.1:5070"),
    ],
)
async def test_wrong_usage_is_said_with_an_example(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    code, out, err = await robot(*arguments, folder=tmp_path)
    assert (code, out) == (2, "")
    assert why in " ".join(err.split()).replace("│ ", "")
