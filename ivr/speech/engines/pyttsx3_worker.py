"""The process that owns the one pyttsx3 engine. It is run as a script and knows nothing of the rest of Klantlijn.

pyttsx3 has one slot for a text and one for a file, a callback that belongs to the whole process, a thread under it
that it does not wait for, and no way to stop what hangs. So: one process, one engine, one file at a time, idle
before and after each, and its parent kills it when it takes too long.

JSON lines. It begins with `{"version", "voices": [{"id", "name", "languages"}]}` or `{"error"}`; each request
`{"text", "voice", "rate", "path"}` is answered with `{}` or `{"error"}`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import threading
import time
from typing import Any, TextIO


def main() -> int:
    """Answer requests until standard input ends."""
    answers = _take_standard_output()

    def answer(**content: object) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    try:
        import pyttsx3

        engine = pyttsx3.init()
        # Properties set before the first loop wait in a queue; from then on they are set at once.
        engine.runAndWait()
        voices = [
            {"id": voice.id, "name": voice.name, "languages": [str(name) for name in voice.languages or []]}
            for voice in engine.getProperty("voices")
        ]
    # The border to a library whose drivers raise whatever the system's own speech gives them.
    except Exception as error:
        answer(error=f"{type(error).__name__}: {error}")
        return 1
    errors: list[str] = []
    finished = threading.Event()
    engine.connect("error", lambda name, exception: errors.append(str(exception)))
    engine.connect("finished-utterance", lambda name, completed: finished.set())
    answer(version=importlib.metadata.version("pyttsx3"), voices=voices)
    for line in sys.stdin:
        errors.clear()
        try:
            _save(engine, finished, **json.loads(line))
        except Exception as error:  # the same border
            errors.append(f"{type(error).__name__}: {error}")
        answer(**({"error": "; ".join(errors)} if errors else {}))
    return 0


def _take_standard_output() -> TextIO:
    """Standard output for ourselves: pyttsx3 prints a line for each file, and libraries under it may too."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return ours


def _wait_for_espeak() -> None:
    """Until eSpeak's own thread is idle; other systems' drivers have none."""
    driver = sys.modules.get("pyttsx3.drivers._espeak")
    while driver is not None and driver.IsPlaying():
        time.sleep(0.001)


def _save(engine: Any, finished: threading.Event, *, text: str, voice: str, rate: int, path: str) -> None:
    finished.clear()
    engine.setProperty("voice", voice)
    engine.setProperty("rate", rate)
    # `runAndWait` begins by cancelling whatever eSpeak is still busy with, be it only the new rate.
    _wait_for_espeak()
    engine.save_to_file(text, path)
    engine.runAndWait()
    # It returns after 10 ms, done or not; the file is written just before this.
    finished.wait()
    _wait_for_espeak()
    # An unknown voice silently leaves another one in place.
    if engine.getProperty("voice") != voice:
        raise ValueError(f"voice '{voice}' was not taken")


if __name__ == "__main__":
    sys.exit(main())
