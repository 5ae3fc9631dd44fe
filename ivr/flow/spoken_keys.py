"""Spoken keys: which keys a text tells callers to press, in Dutch and in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

DIGITS = {
    "nul": "0",
    "één": "1",
    "eén": "1",
    "een": "1",
    "twee": "2",
    "drie": "3",
    "vier": "4",
    "vijf": "5",
    "zes": "6",
    "zeven": "7",
    "acht": "8",
    "negen": "9",
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
}
SIGNS = {
    "ster": "*",
    "sterretje": "*",
    "star": "*",
    "asterisk": "*",
    "*": "*",
    "hekje": "#",
    "hash": "#",
    "pound": "#",
    "#": "#",
}
VERBS = frozenset(["kies", "kiest", "druk", "drukt", "toets", "toetst", "press", "dial", "choose", "select"])
BETWEEN = frozenset(
    [
        "u",
        "dan",
        "nu",
        "straks",
        "alstublieft",
        "op",
        "de",
        "het",
        "uit",
        "tussen",
        "toets",
        "cijfer",
        "please",
        "the",
        "key",
        "number",
        "from",
    ]
)
"""Words between a verb and its key: `druk dan op de 2`, `press the star`."""
AND = frozenset([",", "/", "of", "or", "en", "and"])
"""What joins keys of one verb: `press 1 for sales, 2 for support or 3 …`."""
AFTER = frozenset(
    [
        ".",
        ",",
        ";",
        ":",
        "!",
        "?",
        "voor",
        "om",
        "als",
        "wanneer",
        "indien",
        "for",
        "to",
        "if",
        "when",
        "of",
        "or",
        "en",
        "and",
        "dan",
        "then",
        "nu",
        "now",
        "in",
        "bij",
        "u",
        "is",
        "/",
    ]
)
"""What follows a key. Anything else (`toets vier cijfers`) makes the number count something."""
KEY = frozenset(["key", "toets", "button", "knop"])
SENTENCE_ENDS = frozenset(".!?")
TOKEN = re.compile(r"[^\W\d_]+|[0-9]+|[*#.,;:!?/]")


@dataclass(frozen=True, slots=True)
class SpokenKey:
    """A key, and the word it is told with."""

    key: str
    word: str


def told_keys(text: str) -> list[SpokenKey]:
    """The keys that a text tells callers to press, each once: those after a verb, and what is joined to them."""
    words = TOKEN.findall(text)
    told = {spoken.key: spoken for spoken in reversed(list(_told(words, [word.lower() for word in words])))}
    return list(reversed(told.values()))


def named_keys(text: str) -> set[str]:
    """Every key that a text may tell in some way: all its digits, number words and signs."""
    words = TOKEN.findall(text.lower())
    named: set[str] = set()
    for at, word in enumerate(words):
        if word == "een":
            named.add(_key(words, at))  # most often it is no number
        else:
            named |= set(word) if word.isdigit() else {DIGITS.get(word) or SIGNS.get(word, "")}
    return named - {""}


def _told(words: list[str], lower: list[str]) -> Iterator[SpokenKey]:
    is_listing = False
    for at, word in enumerate(lower):
        if word in SENTENCE_ENDS:
            is_listing = False
        elif word in VERBS or (is_listing and word in AND):
            position = at + 1
            while position < len(lower) and lower[position] in (BETWEEN if word in VERBS else BETWEEN | VERBS):
                position += 1
            key = _key(lower, position)
            if key:
                is_listing = True
                yield SpokenKey(key, words[position])


def _key(lower: list[str], at: int) -> str:
    """The key that the word at a position is, if it is one there."""
    word = lower[at] if at < len(lower) else ""
    after = lower[at + 1] if at + 1 < len(lower) else "."
    if word in SIGNS:
        return SIGNS[word] if after in AFTER | KEY else ""
    if word.isdigit():
        return word if len(word) == 1 and after in AFTER | KEY else ""
    if word == "een" and after in ("hekje", "sterretje"):
        return ""
    if (word, after) in (("one", "of"), ("een", "of")):
        return ""  # "one of the following", "een of meer"
    return DIGITS.get(word, "") if after in AFTER else ""
