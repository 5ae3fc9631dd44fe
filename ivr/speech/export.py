"""Putting a prompt where Asterisk finds it by a fixed name, for what it must say without Klantlijn."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from ivr.domain.speech import Utterance
from ivr.errors import SpeechError
from ivr.speech.library import PromptLibrary

FORMATS = ("alaw", "ulaw", "sln")


async def export(library: PromptLibrary, utterance: Utterance, destination: Path) -> None:
    """Write `destination` with `.alaw`, `.ulaw` and `.sln` behind it; its folder is made when need be.

    Raises:
        SpeechError: the prompt cannot be made, or the files cannot be written.
    """
    await asyncio.to_thread(_copy, await library.files(utterance), destination)


def _copy(source: Path, destination: Path) -> None:
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        for extension in FORMATS:
            temporary = destination.with_name(f".{destination.name}.{extension}")
            shutil.copyfile(f"{source}.{extension}", temporary)
            temporary.replace(f"{destination}.{extension}")
    except OSError as error:
        raise SpeechError(f"{destination} cannot be written: {error.strerror}") from error
