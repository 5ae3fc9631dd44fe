"""Hand-over: where Asterisk takes a caller when the flow is over, and which numbers that may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ivr.domain.language import Language
from ivr.domain.line import mask, parse_number

EXTENSION = r"[0-9]{2,6}"
"""A number inside the organisation's own exchange."""
NUMBER = r"\+[1-9][0-9]{5,14}"
"""A number that the telephone network takes (ITU-T E.164)."""


@dataclass(frozen=True, slots=True)
class ToQueue:
    """To a queue, at the site whose turn it is. `asterisk_queue` serves it there."""

    queue: str
    site: str
    asterisk_queue: str
    language: Language
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Destination:
    """A telephone a caller may be taken to: E.164, or an extension of the own exchange. `name` is ours for it."""

    number: str
    name: str = ""

    @property
    def is_extension(self) -> bool:
        """Whether it is inside the own exchange."""
        return not self.number.startswith("+")

    @property
    def shown(self) -> str:
        """What those get who need not see a number."""
        return self.name or (self.number if self.is_extension else mask(self.number))


@dataclass(frozen=True, slots=True)
class ToNumber:
    """To a telephone, which rings for `ring_for` seconds at most; to a queue when nobody answers there."""

    destination: Destination
    ring_for: float
    otherwise: ToQueue


HandOver = ToQueue | ToNumber
"""Where Asterisk takes the caller when the session is over."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where callers may be taken: the telephones that have a name, and numbers that begin as one of `prefixes` does.

    A prefix with a plus allows E.164 numbers, one without it extensions. `country` (ISO 3166)
    is where national numbers are read in. Whatever else a number is, nobody is taken there:
    calls cost money, and what a caller keys in or a record says may be anything.
    """

    named: Mapping[str, Destination] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()
    country: str = "NL"

    def find(self, written: str) -> Destination | None:
        """The telephone that a name or a number stands for, if callers may be taken there."""
        return self.named.get(written) or self.allowed(written)

    def allowed(self, written: str) -> Destination | None:
        """The telephone that a number stands for, if callers may be taken there."""
        number = read_destination(written, self.country)
        return Destination(number) if number is not None and number.startswith(self.prefixes) else None


def read_destination(written: str, country: str) -> str | None:
    """E.164 or an extension, of a number as anybody writes it; None when it is neither.

    >>> read_destination("020 123 4567", "NL"), read_destination("204", "NL"), read_destination("204&205", "NL")
    ('+31201234567', '204', None)
    """
    written = written.strip()
    if re.fullmatch(EXTENSION, written, re.ASCII):
        return written
    return parse_number(written, country) if re.fullmatch(r"[-+0-9 ().]+", written, re.ASCII) else None
