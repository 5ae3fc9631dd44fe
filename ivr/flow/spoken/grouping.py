"""Digits in groups that people can remember and write down."""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat


def groups(text: str) -> list[str]:
    """The letters and digits of a number, in the groups it is written in; long groups are cut in threes.

    >>> groups("LN-2045138")
    ['LN', '204', '5138']
    """
    return [part for run in re.findall(r"[^\W\d_]+|\d+", text) for part in _cut(run)]


def _cut(run: str) -> list[str]:
    """Groups of three; the last has two to four."""
    parts = []
    while len(run) > 4:
        parts.append(run[:3])
        run = run[3:]
    return [*parts, run]


def phone_groups(number: str, country: str) -> tuple[bool, Sequence[str]]:
    """A telephone number's groups, and whether it needs its country's code (the first group then).

    `number` is E.164, `country` the ISO 3166 code of the country that is at home. Groups
    follow the national plan (area code first), then pairs: `06 12 34 56 78`.
    """
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return False, groups(number)
    home = parsed.country_code == phonenumbers.country_code_for_region(country)
    form = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
    first, *others = re.findall(r"\d+", phonenumbers.format_number(parsed, form))
    if not home:
        area, *others = others or [""]
        return True, [first, *_pairs(area), *(pair for other in others for pair in _pairs(other))]
    return False, [first, *_pairs("".join(others))]


def _pairs(run: str) -> list[str]:
    """Two by two; an odd run begins with three."""
    if len(run) <= 3:
        return [run] if run else []
    start = 3 if len(run) % 2 else 0
    return ([run[:3]] if start else []) + [run[at : at + 2] for at in range(start, len(run), 2)]
