"""The real engines, and what happens when they are missing, hang or break."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from ivr.config.model import Speech
from ivr.domain.language import Language
from ivr.domain.speech import Audio, Utterance
from ivr.errors import SpeechError
from ivr.simulation.manual_clock import ManualClock
from ivr.speech.engines import engine
from ivr.speech.engines.espeak_ng import EspeakNg
from ivr.speech.engines.pyttsx3_engine import Pyttsx3
from ivr.speech.g711 import decode_alaw
from ivr.speech.library import PromptLibrary
from ivr.speech.loudness import loudness
from ivr.speech.sound import Sound

NL, EN = Language.NL, Language.EN
TEXT = "Goedemiddag, u spreekt met Lijnnet."
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
BOTH = pytest.mark.parametrize("name", ["espeak-ng", "pyttsx3"])


def program(path: Path, script: str) -> str:
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    return str(path)


def heard(audio: Audio) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    coded = np.frombuffer(Path(f"{audio.ref}.alaw").read_bytes(), np.uint8)
    return (decode_alaw(coded) / 32768).astype(np.float32)


@needs_espeak
@BOTH
async def test_every_voice_of_the_default_configuration_speaks(name: str) -> None:
    made = engine(Speech.model_validate({"engine": name}))
    await made.open()
    for language in Language:
        sound = await made.speak(TEXT, language)
        assert 1.5 < sound.seconds < 5
        assert np.abs(sound.samples).max() > 0.05
    assert made.identity(NL) != made.identity(EN)
    assert name in made.identity(NL)
    await made.close()


@needs_espeak
@BOTH
async def test_a_prompt_has_the_level_and_the_edges_a_telephone_wants(name: str, tmp_path: Path) -> None:
    speech = Speech.model_validate({"engine": name, "cache": tmp_path, "recordings": tmp_path})
    library = PromptLibrary(speech, engine(speech), ManualClock())
    await library.open()
    samples = heard(await library.audio(Utterance("welcome", NL, TEXT)))
    await library.close()
    assert loudness(Sound(samples, 8000)) == pytest.approx(-19, abs=0.5)
    assert np.abs(samples).max() < 0.92
    audible = np.flatnonzero(np.abs(samples) > 0.02)
    assert 0.03 < audible[0] / 8000 < 0.12
    assert 0.03 < (len(samples) - audible[-1]) / 8000 < 0.15


@needs_espeak
@BOTH
async def test_twenty_at_once_all_get_their_own_text(name: str) -> None:
    made = engine(Speech.model_validate({"engine": name}))
    await made.open()
    texts = ["nul " * (n + 1) for n in range(20)]
    lengths = [sound.seconds for sound in await asyncio.gather(*(made.speak(text, NL) for text in texts))]
    await made.close()
    assert lengths == sorted(lengths)
    assert len(set(lengths)) == 20


@needs_espeak
async def test_one_text_after_another_always_sounds_the_same() -> None:
    """pyttsx3 alone cuts about one in a hundred short, or speaks it at a speed that was not asked for."""
    made = Pyttsx3(Speech())
    lengths = {round((await made.speak("één twee drie vier", NL)).seconds, 2) for _ in range(100)}
    await made.close()
    assert max(lengths) - min(lengths) < 0.02


@needs_espeak
@BOTH
async def test_a_text_is_never_an_option_or_a_command(name: str, tmp_path: Path) -> None:
    made = engine(Speech.model_validate({"engine": name}))
    target = tmp_path / "written"
    for text in (f"-w {target} hallo", f"--path={target} hallo", f"$(touch {target}) hallo", f"; touch {target}"):
        assert (await made.speak(text, NL)).seconds > 0.3
    await made.close()
    assert not target.exists()


@needs_espeak
@BOTH
async def test_faster_is_shorter(name: str) -> None:
    lengths = []
    for speed in (120, 240):
        made = engine(Speech.model_validate({"engine": name, "words_per_minute": speed}))
        lengths.append((await made.speak(TEXT, NL)).seconds)
        await made.close()
    assert lengths[0] > 1.5 * lengths[1]


@needs_espeak
@BOTH
async def test_a_voice_that_does_not_exist_is_said_and_no_other_one_is_used(name: str) -> None:
    made = engine(Speech.model_validate({"engine": name, "voices": {"nl": "xx-none"}}))
    for _ in range(2):
        with pytest.raises(SpeechError, match=r"voices"):
            await made.open()
        with pytest.raises(SpeechError, match=r"voices"):
            await made.speak(TEXT, NL)
    await made.close()


async def test_a_missing_espeak_says_how_to_get_it() -> None:
    with pytest.raises(SpeechError, match="apt-get install espeak-ng"):
        await EspeakNg(Speech(), program="espeak-ng-is-not-here").open()


async def test_an_espeak_that_hangs_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hangs = program(
        tmp_path / "espeak",
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(99)",
    )
    made = EspeakNg(Speech.model_validate({"timeout": "500ms"}), program=hangs)
    with pytest.raises(SpeechError, match=r"not done after 0\.5 s"):
        await made.speak(TEXT, NL)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_an_espeak_that_fails_says_why(tmp_path: Path) -> None:
    fails = program(tmp_path / "espeak", "import sys; print('no data', file=sys.stderr); sys.exit(3)")
    with pytest.raises(SpeechError, match="ended with 3: no data"):
        await EspeakNg(Speech(), program=fails).speak(TEXT, NL)


GREETING = 'print(\'{"version": "9", "voices": [{"id": "nl", "name": "Dutch"}, {"id": "en-gb", "name": "English"}]}\')'
GREETS = f"import json, os, sys, time\n{GREETING}\nsys.stdout.flush()\n"


def worker(path: Path, script: str, **settings: object) -> Pyttsx3:
    path.write_text(script)
    return Pyttsx3(Speech.model_validate(settings), worker=(str(path),))


async def test_a_pyttsx3_that_hangs_is_killed_and_started_anew(tmp_path: Path) -> None:
    started = tmp_path / "started"
    hangs = f"{GREETS}open({str(started)!r}, 'a').write('x')\nsys.stdin.readline()\ntime.sleep(99)"
    made = worker(tmp_path / "worker.py", hangs, timeout="1s")
    for _ in range(2):
        with pytest.raises(SpeechError, match="not done after 1 s"):
            await made.speak(TEXT, NL)
    assert started.read_text() == "xx"


async def test_a_pyttsx3_that_says_done_without_a_file_is_found_out(tmp_path: Path) -> None:
    made = worker(tmp_path / "worker.py", f"{GREETS}for line in sys.stdin:\n    print('{{}}', flush=True)")
    with pytest.raises(SpeechError, match="wrote no file"):
        await made.speak(TEXT, NL)
    await made.close()


async def test_an_empty_file_of_pyttsx3_is_made_again_by_a_new_process(tmp_path: Path) -> None:
    script = f"""{GREETS}
import struct, wave, pathlib
runs = pathlib.Path({str(tmp_path / "runs")!r})
runs.open("a").write("x")
for line in sys.stdin:
    with wave.open(json.loads(line)["path"], "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes(b"ab" * 9000 if len(runs.read_text()) > SILENT_RUNS else b"")
    print("{{}}", flush=True)
"""
    made = worker(tmp_path / "worker.py", script.replace("SILENT_RUNS", "1"))
    assert (await made.speak(TEXT, NL)).seconds > 0.4
    assert (tmp_path / "runs").read_text() == "xx"
    await made.close()
    with pytest.raises(SpeechError, match="3 empty files"):
        await worker(tmp_path / "worker.py", script.replace("SILENT_RUNS", "99")).speak(TEXT, NL)


@pytest.mark.parametrize("script", ["", "print('Audio saved')", f"{GREETS}sys.exit(1)"])
async def test_a_pyttsx3_that_breaks_is_a_speech_error(tmp_path: Path, script: str) -> None:
    with pytest.raises(SpeechError, match="process ended"):
        await worker(tmp_path / "worker.py", script).speak(TEXT, NL)


async def test_a_pyttsx3_without_a_system_voice_says_what_to_install(tmp_path: Path) -> None:
    made = worker(tmp_path / "worker.py", 'print(\'{"error": "OSError: libespeak-ng.so.1"}\')')
    with pytest.raises(SpeechError, match=r"apt-get install espeak-ng\. .*libespeak-ng"):
        await made.open()


async def test_a_voice_whose_files_lie_about_their_rate_is_refused(tmp_path: Path) -> None:
    script = GREETS.replace('"id": "nl"', '"id": "mb/mb-nl2"') + "sys.stdin.read()"
    made = worker(tmp_path / "worker.py", script, voices={"nl": "mb/mb-nl2"})
    with pytest.raises(SpeechError, match="MBROLA"):
        await made.open()


@needs_espeak
async def test_one_who_leaves_while_pyttsx3_speaks_does_not_get_the_next_ones_sound() -> None:
    made = Pyttsx3(Speech())
    await made.open()
    leaving = asyncio.create_task(made.speak("één twee drie vier vijf zes zeven", NL))
    await asyncio.sleep(0.005)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert (await made.speak("ja", NL)).seconds < 1.5
    await made.close()
