"""How soon a sentence can be heard, and what a known prompt costs.

python benchmarks/speech.py [--sentences 100]

A sentence nobody said before is made from text to files, one after another and forty a second;
a known one is looked up. CPU is this process and its children.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ivr.clock import SystemClock
from ivr.config.model import Speech
from ivr.domain.language import Language
from ivr.domain.speech import Utterance
from ivr.flow.spoken import cardinal
from ivr.speech.engines import ENGINES, engine
from ivr.speech.library import PromptLibrary

LOOK_UPS = 20_000
A_SECOND = 40


def sentence(n: int, *, personal: bool = True) -> Utterance:
    """Six seconds of speech that differs for every `n`."""
    text = f"Dag mevrouw Jansen, uw bestelling {cardinal(n, Language.NL)} komt morgen tussen tien en twaalf uur."
    return Utterance("order", Language.NL, text, personal)


def cpu() -> float:
    """CPU seconds used so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def shown(seconds: Sequence[float]) -> str:
    """Median, 99th percentile and worst, in milliseconds."""
    ordered = sorted(seconds)
    middle, high = statistics.median(ordered), ordered[int(len(ordered) * 0.99) - 1]
    return f"p50 {middle * 1000:.1f} ms, p99 {high * 1000:.1f} ms, worst {ordered[-1] * 1000:.1f} ms"


async def timed(library: PromptLibrary, utterance: Utterance) -> float:
    began = time.perf_counter()
    await library.audio(utterance)
    return time.perf_counter() - began


async def measure(name: str, sentences: int, folder: Path) -> None:
    """All figures of one engine."""
    speech = Speech.model_validate({"engine": name, "cache": folder, "recordings": folder})
    library = PromptLibrary(speech, engine(speech), SystemClock())
    await library.open()
    await library.audio(sentence(0))
    before = cpu()
    print(f"{name}: one by one: {shown([await timed(library, sentence(n)) for n in range(1, sentences + 1)])}")
    one_by_one = cpu() - before
    asked = []
    for n in range(sentences):
        asked.append(asyncio.create_task(timed(library, sentence(10_000 + n))))
        await asyncio.sleep(1 / A_SECOND)
    print(f"{name}: {A_SECOND} a second: {shown(await asyncio.gather(*asked))}")
    for personal in (False, True):
        known = sentence(1, personal=personal)
        await library.audio(known)
        began = time.perf_counter()
        for _ in range(LOOK_UPS):
            await library.audio(known)
        spent = (time.perf_counter() - began) / LOOK_UPS
        print(f"{name}: known{', personal' if personal else ''}: {spent * 1e6:.1f} us")
    await library.close()
    if name == "espeak-ng":
        print(f"{name}: CPU {one_by_one / sentences * 1000:.1f} ms a sentence, its process included")


async def main() -> None:
    """Measure every engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=100)
    sentences = parser.parse_args().sentences
    for name in ENGINES:
        with tempfile.TemporaryDirectory() as folder:
            await measure(name, sentences, Path(folder))


if __name__ == "__main__":
    asyncio.run(main())
