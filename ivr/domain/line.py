"""The calling line: what the telephone network says about where a call comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NewType

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

PhoneNumber = NewType("PhoneNumber", str)
"""E.164 with its plus, such as `+31612345678`. The only form used inside."""

# The presentation bits of Asterisk's `callingpres` (Q.931 octet 3a, bits 6 and 7), and what they say when restricted.
NOT_PRESENTED = 0x60
RESTRICTED = 0x20

WITHHELD_WORDS = frozenset({"anonymous", "restricted", "private", "withheld"})
ABSENT_WORDS = frozenset({"", "unknown", "unavailable", "s", "asterisk"})

# Free, paid and short service numbers (14030) are many people's line at once: never a caller's identity. A company's
# own 088 or 078 number is one company's line, so it may be.
SERVICE_TYPES = frozenset({PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE})
SHORTEST_COMPANY_NUMBER = 7

# A foreign number without its plus has its country code and at least this many digits; shorter ones are local numbers
# and extensions, for which no country must be guessed.
SHORTEST_WITHOUT_PLUS = 10

FULL_ATTESTATION = "A"


class LineState(StrEnum):
    """How much the network told about the calling line."""

    KNOWN = "known"
    WITHHELD = "withheld"
    MALFORMED = "malformed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Line:
    """A calling line. `number` is None unless `state` is KNOWN.

    `attested`: the network vouches that the caller may use the number. Without it a number
    is what the caller's side says it is.
    """

    state: LineState
    number: PhoneNumber | None = None
    attested: bool = False

    @property
    def shown(self) -> str:
        """The number as people who need not see it get it: `+316******78`."""
        return mask(self.number) if self.number else self.state.value


def parse_number(text: str, country: str = "NL") -> PhoneNumber | None:
    """E.164 of a number as anybody writes it, or None when it is not a valid number.

    `country` is the ISO 3166 code that national forms are read in. A foreign number
    whose plus was lost on the way (`32470123456`) is recognised; of a national number
    that is not one in `country`, no other country is guessed. An extension or a remark
    behind the number is left out. See ITU-T E.164.
    """
    return _read(text, country)[0]


@lru_cache(maxsize=4096)  # a call's number is read several times, and parsing takes 50 µs
def _read(text: str, country: str) -> tuple[PhoneNumber | None, bool]:
    """A number, and whether it is many people's line at once."""
    text = re.split(r"[@;]", text, maxsplit=1)[0].strip()
    written = re.match(r"\D*[\W\d_]*", text)
    text = written[0] if written else ""
    digits = re.sub(r"\D", "", text)
    if not digits:
        return None, False
    forms = [text]
    if "+" not in text and not digits.startswith("0") and len(digits) >= SHORTEST_WITHOUT_PLUS:
        forms.append("+" + digits)
    for form in forms:
        try:
            parsed = phonenumbers.parse(form, country)
        except NumberParseException:
            continue
        # What has a type is valid (`phonenumbers.is_valid_number`), and finding it takes most of the time.
        kind = phonenumbers.number_type(parsed)
        if kind != PhoneNumberType.UNKNOWN:
            number = PhoneNumber(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
            return number, _serves_many(parsed, kind)
    return None, False


def _serves_many(parsed: phonenumbers.PhoneNumber, kind: int) -> bool:
    short = len(phonenumbers.national_significant_number(parsed)) < SHORTEST_COMPANY_NUMBER
    return kind in SERVICE_TYPES or (kind == PhoneNumberType.UAN and short)


def read_line(
    received: str, *, presentation: int = 0, privacy: str = "", attestation: str = "", country: str = "NL"
) -> Line:
    """What a call's caller id amounts to.

    `received` is the number as Asterisk gives it, `presentation` its `callingpres`,
    `privacy` the SIP Privacy header (RFC 3323). A caller who asked to stay unknown is
    WITHHELD even when a trusted trunk passes the number on (RFC 3325). `attestation` is
    A when the network vouches in full for the number, B and C when for less (RFC 8588).
    """
    wants_privacy = privacy and {"id", "user", "header"} & {word.strip().lower() for word in re.split("[;,]", privacy)}
    word = received.partition("@")[0].strip().lower()
    if presentation & NOT_PRESENTED == RESTRICTED or wants_privacy or word in WITHHELD_WORDS:
        return Line(LineState.WITHHELD)
    if word in ABSENT_WORDS:
        return Line(LineState.ABSENT)
    if presentation & NOT_PRESENTED:
        return Line(LineState.WITHHELD)
    number, serves_many = _read(received, country)
    if number is None or serves_many:
        return Line(LineState.MALFORMED)
    return Line(LineState.KNOWN, number, attested=attestation == FULL_ATTESTATION)


def mask(number: str) -> str:
    """A number with its middle hidden, for those who need not see it.

    >>> mask("+31612345678")
    '+316******78'
    """
    if len(number) < 8:
        return "*" * len(number)
    return number[:4] + "*" * (len(number) - 6) + number[-2:]
