"""Prompts of one synthetic voice for the tests of hearing, made once a session by espeak-ng."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
import soxr

from ivr.robot.g711 import Samples, decode, encode
from ivr.robot.rtp import FRAME, RATE, RtpPacket, Timeline
from ivr.robot.sdp import Codec

# Half of these begin as another one does: what a menu's prompts are like.
TEXTS = {
    "welcome": "Welkom bij Lijnnet.",
    "main_menu": "Voor een storing, toets 1. Voor uw factuur, toets 2. Voor een medewerker, toets 3.",
    "repeat": "Om dit te herhalen, toets 4.",
    "order_tomorrow": "Uw bestelling is onderweg en wordt morgen bezorgd.",
    "order_friday": "Uw bestelling is onderweg en wordt vrijdag bezorgd.",
    "order_waiting": "Uw bestelling is nog niet verzonden.",
    "outage_utrecht": "Er is een storing in de regio Utrecht.",
    "outage_groningen": "Er is een storing in de regio Groningen.",
    "outage_arnhem": "Er is een storing in de regio Arnhem.",
    "busy": "Alle medewerkers zijn in gesprek.",
    "call_back": "Wij bellen u terug.",
    "call_back_today": "Wij bellen u vandaag terug.",
    "window_noon": "Vanmiddag tussen twaalf en twee uur.",
    "window_two": "Vanmiddag tussen twee en vier uur.",
    "connecting": "U wordt doorverbonden met een medewerker.",
    "wait": "Een ogenblik geduld alstublieft.",
    "not_understood": "Dat heb ik niet verstaan.",
    "invalid": "Dat is geen geldige keuze.",
    "number": "Toets uw nummer in, en sluit af met een hekje.",
    "goodbye": "Dank u wel en tot ziens.",
}
NEVER_KNOWN = (
    "Het is vandaag mooi weer in het hele land.",
    "De trein naar Zwolle vertrekt van spoor zeven.",
    "Uw bestelling is geannuleerd.",  # begins like three that are known
    "Er is een storing in het land.",
    "Welkom bij de gemeente.",
    "Onze openingstijden zijn van negen tot vijf.",
)
FOLDER = Path(tempfile.gettempdir()) / "klantlijn-test-voices-2"


def spoken(text: str) -> Samples:
    """A text in the test voice, 8 kHz, with 50 ms of silence before and after. Kept on disk between sessions."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.sln"
    if not path.exists():
        done = subprocess.run(["espeak-ng", "-v", "nl", "-s", "150", "--stdout", text], capture_output=True, check=True)
        with wave.open(io.BytesIO(done.stdout)) as file:
            rate = file.getframerate()
            raw = np.frombuffer(done.stdout[44:], "<i2").astype(np.float32)
        sound = soxr.resample(raw, rate, RATE)
        loud = np.flatnonzero(np.abs(sound) > 100)
        sound = sound[loud[0] : loud[-1]]
        sound *= 2600 / np.sqrt((sound[np.abs(sound) > 200] ** 2).mean())
        padded = np.pad(np.clip(sound, -30000, 30000).astype("<i2"), RATE // 20)
        unfinished = path.with_suffix(f".{id(padded)}")
        padded.tofile(unfinished)
        unfinished.replace(path)
    return np.fromfile(path, "<i2").astype(np.int16)


def prompt_files(folder: Path) -> dict[str, Path]:
    """Every prompt as a file in a folder, by name."""
    files = {}
    for name, text in TEXTS.items():
        files[name] = folder / f"{name}.sln"
        spoken(text).astype("<i2").tofile(files[name])
    return files


def silence(milliseconds: int) -> Samples:
    """Nothing, for so long."""
    return np.zeros(milliseconds * RATE // 1000, np.int16)


def received(*sounds: Samples, codec: Codec = Codec.PCMA, at: float = 0.0) -> Timeline:
    """A timeline on which sounds came one after the other, coded as on a telephone line."""
    timeline = Timeline()
    samples = np.concatenate(sounds)
    for index in range(len(samples) // FRAME):
        start = index * FRAME
        piece = decode(encode(samples[start : start + FRAME], codec), codec)
        timeline.lay(RtpPacket(8, index, start, 1, b""), piece, at + start / RATE)
    return timeline
