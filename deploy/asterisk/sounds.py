"""The sounds that Asterisk has of its own: what callers hear when Klantlijn cannot speak, and while they wait.

They are made once at set-up and then are plain files, so that they play whatever else is broken.
"""

from __future__ import annotations

import hashlib
import subprocess
import wave
from pathlib import Path

import numpy as np
import soxr

from ivr.errors import SetupError

RATE = 8000
"""Samples a second of a telephone line."""
LEVEL = 0.25
"""Root mean square of speech while it sounds, of full scale 1."""
EDGE = RATE * 20 // 1000
"""Samples that are kept before and after what can be heard."""
VOICES = {"nl": "nl", "en": "en-gb"}
TEXTS = {
    "apology": {
        "nl": "Onze excuses, er gaat bij ons iets mis. U wordt nu verbonden met een medewerker.",
        "en": "Our apologies, something went wrong on our side. You are now being connected to one of our staff.",
    },
    "waiting": {
        "nl": "Alle medewerkers zijn in gesprek. Blijft u aan de lijn, u wordt zo geholpen.",
        "en": "All our staff are busy. Please stay on the line, you will be helped shortly.",
    },
    "agent": {
        "nl": "Goedendag, u spreekt met een medewerker.",
        "en": "Hello, you are speaking with a member of our staff.",
    },
    "goodbye": {"nl": "Tot ziens.", "en": "Goodbye."},
}
Samples = np.ndarray[tuple[int], np.dtype[np.float64]]


def make_sounds(folder: Path, language: str) -> None:
    """Make every sound in `folder`, those in `language` also for all other languages. Quick when they are there.

    Raises:
        SetupError: there is no espeak-ng, or it fails.
    """
    stamp = folder / "made"
    recipe = hashlib.sha256(Path(__file__).read_bytes() + language.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == recipe:
        return
    for name, texts in TEXTS.items():
        for tongue, text in texts.items():
            speech = _speak(text, VOICES[tongue], folder)
            _write(folder / tongue / f"{name}.wav", speech)
            if tongue == language:
                _write(folder / f"{name}.wav", speech)
    _write(folder / "hold" / "hold.wav", hold_music())
    stamp.write_text(recipe)


def hold_music(seconds_a_chord: float = 4.0) -> Samples:
    """Sixteen seconds of soft chords that fade into each other and join at the ends, so that they can go round."""
    chords = ((220.0, 261.63, 329.63), (174.61, 220.0, 261.63), (196.0, 261.63, 329.63), (196.0, 246.94, 293.66))
    length = int(seconds_a_chord * RATE)
    time = np.arange(2 * length) / RATE
    swell = np.sin(np.pi * time / (2 * seconds_a_chord)) ** 2
    music = np.zeros(len(chords) * length)
    for number, chord in enumerate(chords):
        # whole periods a second keep the loop free of clicks; each note has a weak octave above it
        tone = sum(np.sin(2 * np.pi * note * time) + 0.3 * np.sin(4 * np.pi * note * time) for note in chord)
        where = (np.arange(2 * length) + number * length) % len(music)
        music[where] += swell * tone
    loudest: float = float(np.abs(music).max())
    return np.asarray(0.3 * music / loudest)


def _speak(text: str, voice: str, folder: Path) -> Samples:
    folder.mkdir(parents=True, exist_ok=True)
    raw = folder / "speech.wav"
    try:
        subprocess.run(
            ("espeak-ng", "-v", voice, "-s", "150", "-w", str(raw), text), check=True, capture_output=True, timeout=20
        )
        with wave.open(str(raw)) as file:
            rate = file.getframerate()
            spoken = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768.0
    except FileNotFoundError as error:
        raise SetupError("espeak-ng is missing; run: apt-get install espeak-ng") from error
    except (OSError, EOFError, wave.Error, subprocess.SubprocessError) as error:
        raise SetupError(f"espeak-ng cannot speak with voice {voice}") from error
    finally:
        raw.unlink(missing_ok=True)
    speech = soxr.resample(spoken, rate, RATE)
    sounding = np.flatnonzero(np.abs(speech) > 0.01)
    if not sounding.size:
        raise SetupError(f"espeak-ng says nothing with voice {voice}")
    # Without the third of a second of silence that it puts behind a text: callers would wait for what comes next.
    speech = speech[max(sounding[0] - EDGE, 0) : sounding[-1] + EDGE]
    loud = speech[np.abs(speech) > 0.01]
    return np.asarray(np.clip(speech * LEVEL / np.sqrt(np.mean(loud**2)), -0.98, 0.98))


def _write(target: Path, samples: Samples) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(target), "wb") as file:
        file.setparams((1, 2, RATE, len(samples), "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
