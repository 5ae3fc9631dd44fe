"""What steps say by themselves, in the words and sounds that come with Klantlijn: a folder per language."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parent
"""Laid out as an organisation's own prompts, which go before these."""
