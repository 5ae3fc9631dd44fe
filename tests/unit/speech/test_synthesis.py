"""What happens to a text before an engine gets it."""

from __future__ import annotations

import pytest

from ivr.domain.language import Language
from ivr.errors import SpeechError
from ivr.speech.synthesis import LONGEST, speakable, voice_of


def test_a_text_becomes_one_line_of_words() -> None:
    assert speakable("  Goedemiddag,\n\tu spreekt\x00met\x1b Lijnnet. ") == "Goedemiddag, u spreekt met Lijnnet."


def test_phoneme_brackets_lose_their_meaning() -> None:
    assert speakable("naam [[h@l0u]] [[[ x") == "naam h@l0u x"


@pytest.mark.parametrize("text", ["", "  ", "...", "\n-\n"])
def test_a_text_without_words_is_refused(text: str) -> None:
    with pytest.raises(SpeechError, match="no words"):
        speakable(text)


def test_a_text_without_end_is_refused() -> None:
    assert speakable("a" * LONGEST)
    with pytest.raises(SpeechError, match="4001 characters"):
        speakable("a" * (LONGEST + 1))


def test_a_language_without_a_voice_is_said() -> None:
    with pytest.raises(SpeechError, match=r"speech\.voices .* 'en'"):
        voice_of({Language.NL: "nl"}, Language.EN)
