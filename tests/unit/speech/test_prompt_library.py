"""The prompt library over an engine that hums."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from ivr.config.model import Speech
from ivr.domain.language import Language
from ivr.domain.speech import Audio, Utterance
from ivr.errors import SpeechError
from ivr.simulation.manual_clock import ManualClock
from ivr.speech import library as library_module
from ivr.speech.export import export
from ivr.speech.library import PromptLibrary
from ivr.speech.wav import wav_bytes
from tests.unit.speech.tone_engine import ToneEngine, tone

NL = Language.NL
Open = Callable[..., Awaitable[PromptLibrary]]


@pytest.fixture
def engine() -> ToneEngine:
    return ToneEngine()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def opened(tmp_path: Path, engine: ToneEngine, clock: ManualClock) -> AsyncIterator[Open]:
    """Makes libraries on one and the same disk."""
    libraries: list[PromptLibrary] = []

    async def make(**settings: object) -> PromptLibrary:
        paths = {"cache": tmp_path / "cache", "recordings": tmp_path / "prompts"}
        made = PromptLibrary(Speech.model_validate(paths | settings), engine, clock)
        await made.open()
        libraries.append(made)
        return made

    yield make
    for made in libraries:
        await made.close()


def says(text: str, name: str = "welcome", *, personal: bool = False) -> Utterance:
    return Utterance(name, NL, text, personal)


def file_of(audio: Audio, extension: str) -> Path:
    return Path(f"{audio.ref}.{extension}")


def record(root: Path, name: str, seconds: float) -> Path:
    path = root / "prompts" / "nl" / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav_bytes(np.round(tone(seconds).samples * 32767).astype(np.int16), 22050))
    return path


async def test_a_text_becomes_files_that_asterisk_plays(opened: Open) -> None:
    audio = await (await opened()).audio(says("Goedemiddag, dit is Lijnnet."))
    assert Path(audio.ref).is_absolute()
    size = file_of(audio, "alaw").stat().st_size
    assert audio.seconds == size / 8000
    assert file_of(audio, "ulaw").stat().st_size == size
    assert file_of(audio, "sln").stat().st_size == 2 * size
    assert not file_of(audio, "wav").exists()


async def test_a_text_is_made_once_and_survives_a_restart(opened: Open, engine: ToneEngine) -> None:
    first = await (await opened()).audio(says("Goedemiddag"))
    library = await opened()
    assert await library.audio(says("Goedemiddag", "other_name")) == first
    assert engine.spoken == ["Goedemiddag"]


async def test_ten_who_ask_at_once_wait_for_one_rendering(opened: Open, engine: ToneEngine) -> None:
    library = await opened()
    engine.may_finish.clear()
    asking = [asyncio.create_task(library.audio(says("Goedemiddag"))) for _ in range(10)]
    await asyncio.sleep(0)
    engine.may_finish.set()
    assert len({audio.ref for audio in await asyncio.gather(*asking)}) == 1
    assert engine.spoken == ["Goedemiddag"]


async def test_one_who_hangs_up_does_not_take_the_sound_from_another(opened: Open, engine: ToneEngine) -> None:
    library = await opened()
    engine.may_finish.clear()
    leaving, staying = (asyncio.create_task(library.audio(says("Goedemiddag"))) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    engine.may_finish.set()
    assert (await staying).seconds > 0
    assert leaving.cancelled()


@pytest.mark.parametrize(
    "change", [{"level_lufs": -23.0}, {"version": "2"}], ids=["another level", "another engine version"]
)
async def test_what_changes_the_sound_makes_another_file(
    opened: Open, engine: ToneEngine, change: dict[str, object]
) -> None:
    before = await (await opened()).audio(says("Goedemiddag"))
    engine.version = str(change.pop("version", engine.version))
    assert (await (await opened(**change)).audio(says("Goedemiddag"))).ref != before.ref


async def test_a_known_sound_costs_no_look_at_the_disk(opened: Open) -> None:
    library = await opened()
    audio = await library.audio(says("Goedemiddag"))
    for extension in ("alaw", "ulaw", "sln"):
        file_of(audio, extension).unlink()
    assert await library.audio(says("Goedemiddag")) == audio


async def test_an_emptied_cache_is_noticed_and_filled_again(opened: Open) -> None:
    library = await opened()
    audio = await library.audio(says("Goedemiddag"))
    file_of(audio, "alaw").unlink()
    await library.refresh()
    assert await library.audio(says("Goedemiddag")) == audio
    assert file_of(audio, "alaw").exists()


async def test_at_most_four_are_made_at_once_and_two_ahead(opened: Open, engine: ToneEngine) -> None:
    library = await opened()
    engine.may_finish.clear()
    ahead = asyncio.create_task(library.render_ahead([says(f"vooruit {n}") for n in range(6)]))
    await engine.is_speaking(2)
    asking = [asyncio.create_task(library.audio(says(f"nu {n}"))) for n in range(6)]
    await engine.is_speaking(4)
    engine.may_finish.set()
    await asyncio.gather(ahead, *asking)
    assert engine.most_at_once == 4
    assert sum(text.startswith("nu") for text in engine.spoken[:4]) == 2


async def test_rendering_ahead_tells_what_it_did(opened: Open, engine: ToneEngine) -> None:
    library = await opened()
    await library.audio(says("Al gemaakt"))
    told: list[tuple[int, int]] = []
    wanted = [says("Al gemaakt"), says("Nieuw"), says("Nieuw"), says("...", "empty"), says("Jan", personal=True)]
    rendered = await library.render_ahead(wanted, lambda done, total: told.append((done, total)))
    assert (rendered.made, rendered.reused) == (1, 1)
    assert rendered.failed == ("nl/empty: the text has no words",)
    assert sorted(told) == [(1, 3), (2, 3), (3, 3)]
    assert "Jan" not in engine.spoken


async def test_a_recording_goes_before_the_text(opened: Open, engine: ToneEngine, tmp_path: Path) -> None:
    record(tmp_path, "welcome", 2.0)
    audio = await (await opened()).audio(says("Goedemiddag"))
    assert audio.seconds == pytest.approx(2.1, abs=0.02)
    assert engine.spoken == []


async def test_a_recording_that_comes_with_klantlijn_is_heard_unless_an_organisation_has_its_own(
    opened: Open, engine: ToneEngine, tmp_path: Path
) -> None:
    library = await opened()
    shipped = await library.audio(says("", "record_tone"))
    assert engine.spoken == []
    await library.audio(says("Spreek nu.", "record_tone"))
    assert engine.spoken == ["Spreek nu."]
    record(tmp_path, "record_tone", 0.8)
    await library.refresh()
    assert (await library.audio(says("", "record_tone"))).ref != shipped.ref


async def test_a_new_or_changed_recording_is_heard_after_a_refresh(opened: Open, tmp_path: Path) -> None:
    library = await opened()
    heard = [(await library.audio(says("Goedemiddag"))).seconds]
    for seconds in (2.0, 3.0):
        path = record(tmp_path, "welcome", seconds)
        await library.refresh()
        heard.append((await library.audio(says("Goedemiddag"))).seconds)
    path.unlink()
    await library.refresh()
    heard.append((await library.audio(says("Goedemiddag"))).seconds)
    assert heard == pytest.approx([0.32, 2.1, 3.1, 0.32], abs=0.02)


async def test_a_bad_recording_is_reported_and_its_text_is_spoken(
    opened: Open, engine: ToneEngine, tmp_path: Path
) -> None:
    path = record(tmp_path, "welcome", 1.0)
    path.write_bytes(b"ID3 an MP3 that was renamed")
    library = await opened()
    rendered = await library.render_ahead([says("Goedemiddag")])
    assert engine.spoken == ["Goedemiddag"]
    assert len(rendered.failed) == 1
    assert str(path) in rendered.failed[0]
    assert "MP3" in rendered.failed[0]
    assert rendered.failed[0] in await library.problems()
    record(tmp_path, "welcome", 1.0)
    assert (await library.render_ahead([says("Goedemiddag")])).failed == ()


async def test_personal_texts_are_kept_apart_and_do_not_outlive_the_process(opened: Open, tmp_path: Path) -> None:
    library = await opened()
    audio = await library.audio(says("Dag mevrouw Jansen", personal=True))
    assert Path(audio.ref).parent.parent == tmp_path / "cache" / "passing"
    assert await library.audio(says("Dag mevrouw Jansen", personal=True)) == audio
    assert list((tmp_path / "cache" / "kept").iterdir()) == []
    await library.close()
    assert list((tmp_path / "cache" / "passing").iterdir()) == []


async def test_personal_texts_go_when_no_call_can_need_them(opened: Open, clock: ManualClock) -> None:
    library = await opened()
    audio = await library.audio(says("Dag mevrouw Jansen", personal=True))
    await clock.advance(901)
    await library.refresh()
    assert not file_of(audio, "alaw").exists()


async def test_over_http_a_sound_is_a_url_and_only_known_keys_are_served(opened: Open) -> None:
    library = await opened(media="http", media_url="http://10.0.0.5:8090/media/")
    for personal in (False, True):
        audio = await library.audio(says("Goedemiddag", personal=personal))
        key = audio.ref.removeprefix("http://10.0.0.5:8090/media/").removesuffix(".wav")
        path = library.media_file(key)
        assert path is not None
        assert path.read_bytes().startswith(b"RIFF")
    for other in ("", "..", "../../config", "a" * 40, "../kept/" + key, key + ".wav"):
        assert library.media_file(other) is None


async def test_from_a_shared_disk_nothing_is_served(opened: Open) -> None:
    library = await opened()
    audio = await library.audio(says("Goedemiddag"))
    assert library.media_file(Path(audio.ref).name) is None


async def test_an_engine_that_fails_or_hangs_is_a_speech_error(opened: Open, engine: ToneEngine) -> None:
    library = await opened(timeout="50ms")
    engine.fails = "the voice is gone"
    with pytest.raises(SpeechError, match="the voice is gone"):
        await library.audio(says("Goedemiddag"))
    engine.may_finish.clear()
    with pytest.raises(SpeechError, match=r"not made within 0\.05 s"):
        await library.audio(says("Goedemiddag"))
    engine.may_finish.set()
    engine.fails = ""
    assert await library.audio(says("Goedemiddag"))


async def test_an_engine_that_is_not_there_is_refused_at_once_and_tried_again_later(
    opened: Open, engine: ToneEngine, clock: ManualClock, tmp_path: Path
) -> None:
    record(tmp_path, "recorded", 1.0)
    engine.refuses_to_open = "install espeak-ng"
    library = await opened()
    assert await library.audio(says("x", "recorded"))
    for _ in range(5):
        with pytest.raises(SpeechError, match="install espeak-ng"):
            await library.audio(says("Goedemiddag"))
    assert engine.opened == 1
    assert [problem for problem in await library.problems() if "install espeak-ng" in problem]
    engine.refuses_to_open = ""
    await clock.advance(library_module.ENGINE_REST)
    assert await library.audio(says("Goedemiddag"))


async def test_a_disk_that_cannot_be_written_is_a_speech_error_and_a_problem(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file is in the way")
    library = await opened()
    for personal in (False, True):
        with pytest.raises(SpeechError, match="cannot be written"):
            await library.audio(says("Goedemiddag", personal=personal))
    assert any("speech.cache" in problem for problem in await library.problems())


async def test_a_missing_media_url_is_a_problem(opened: Open) -> None:
    assert [problem for problem in await (await opened(media="http")).problems() if "media_url" in problem]


async def test_a_prompt_is_put_where_asterisk_looks_for_it(opened: Open, tmp_path: Path) -> None:
    destination = tmp_path / "sounds" / "klantlijn" / "apology"
    library = await opened()
    for text in ("Sorry", "Het spijt ons"):
        await export(library, says(text, "apology"), destination)
        source = await library.files(says(text, "apology"))
        for extension in ("alaw", "ulaw", "sln"):
            assert (
                destination.with_suffix(f".{extension}").read_bytes()
                == source.with_suffix(f".{extension}").read_bytes()
            )
    assert len(list(destination.parent.iterdir())) == 3


async def test_a_place_that_cannot_be_exported_to_is_said(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "sounds").write_bytes(b"a file is in the way")
    with pytest.raises(SpeechError, match="apology cannot be written"):
        await export(await opened(), says("Sorry", "apology"), tmp_path / "sounds" / "apology")
