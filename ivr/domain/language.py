"""The languages a caller can be spoken to in."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """ISO 639-1 code; also the folder name under `prompts/`."""

    NL = "nl"
    EN = "en"
