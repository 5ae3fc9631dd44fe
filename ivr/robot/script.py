"""A robot's script: which keys it presses when, and when it hangs up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ivr.config.units import seconds
from ivr.robot.dtmf import KEYS

UNKNOWN_KEYS = re.compile(f"[^{re.escape(KEYS)}]")


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is done: `delay` seconds after the answer, or after prompt `prompt` is recognised or has ended.

    A moment that names a prompt is used once; the next one of the same name waits for that
    prompt to be heard again.
    """

    delay: float = 0.0
    prompt: str = ""
    at_end: bool = False

    def __str__(self) -> str:
        if not self.prompt:
            return f"{self.delay:g}s"
        return f"{self.prompt}{':end' if self.at_end else ''}{f'+{self.delay:g}s' if self.delay else ''}"


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys at a moment."""

    keys: str
    when: Moment

    def __str__(self) -> str:
        return f"{self.keys}@{self.when}"


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang up at a moment."""

    when: Moment

    def __str__(self) -> str:
        return f"hang up @{self.when}"


Action = Press | HangUp


@dataclass(frozen=True, slots=True)
class Script:
    """What the robot does in a call. It always hangs up after `limit` seconds.

    `menus` are prompts after which the caller is waited for; those whose end or hearing a
    key waits for are menus by themselves.
    """

    actions: tuple[Action, ...] = ()
    limit: float = 60.0
    menus: frozenset[str] = frozenset()

    @property
    def waits_after(self) -> frozenset[str]:
        """Every menu, named or used."""
        used = {action.when.prompt for action in self.actions if isinstance(action, Press) and action.when.prompt}
        return self.menus | used

    @property
    def prompts(self) -> frozenset[str]:
        """Every prompt that this script names."""
        return self.menus | {action.when.prompt for action in self.actions if action.when.prompt}


def read_moment(text: str) -> Moment:
    """A moment as people write it: `3.5s`, `main_menu`, `main_menu+500ms`, `main_menu:end`, `main_menu:end+1s`.

    Raises:
        ValueError: it is none of these.
    """
    text = text.strip()
    # Names of prompts may begin with a digit, so only a number with a unit, or alone, is a time.
    if re.fullmatch(r"[\d.]+\s*(ms|s|min|h|d)?", text):
        return Moment(seconds(text))
    parts = re.fullmatch(r"(\w[\w./-]*?)(:end)?(?:\+(.+))?", text)
    if not parts:
        raise ValueError(f"'{text}' is not a moment; write such as 3.5s, main_menu, main_menu:end or main_menu:end+1s")
    return Moment(seconds(parts[3]) if parts[3] else 0.0, parts[1], bool(parts[2]))


def read_press(text: str) -> Press:
    """A key press as people write it: `1@main_menu` or `0612345678#@3.5s`.

    Raises:
        ValueError: it is not one.
    """
    keys, at, moment = text.partition("@")
    keys = keys.strip().upper()
    if not at or not keys:
        raise ValueError(f"'{text}' is not a key press; write such as 1@main_menu or 1@3.5s")
    if unknown := UNKNOWN_KEYS.search(keys):
        raise ValueError(f"'{unknown[0]}' in '{text}' is not a key; keys are {KEYS}")
    return Press(keys, read_moment(moment))
