"""The spellings of a number: the ways in which clerks type it into the systems we ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import phonenumbers
from phonenumbers import PhoneNumberFormat

from ivr.domain.line import PhoneNumber


class Spelling(StrEnum):
    """A way to write a number. Each is shown for +31612345678 and +31201234567."""

    E164 = "e164"  # +31612345678, +31201234567
    DIGITS = "digits"  # 31612345678, 31201234567
    ZEROS = "zeros"  # 0031612345678, 0031201234567
    NATIONAL = "national"  # 0612345678, 0201234567
    HYPHEN = "hyphen"  # 06-12345678, 020-1234567
    SPACE = "space"  # 06 12345678, 020 1234567
    SLASH = "slash"  # 06/12345678, 020/1234567
    GROUPED = "grouped"  # 06 12345678, 020 123 4567: as its country groups it
    INTERNATIONAL = "international"  # +31 6 12345678, +31 20 123 4567
    BRACKETS = "brackets"  # +31 (0)6 12345678, +31 (0)20 1234567
    BRACKETS_TIGHT = "brackets_tight"  # +31(0)612345678, +31(0)201234567
    AREA_BRACKETS = "area_brackets"  # (06) 12345678, (020) 1234567


def spelled(number: PhoneNumber, spellings: Iterable[Spelling]) -> Sequence[str]:
    """A number as each spelling writes it, without repetition."""
    parsed = phonenumbers.parse(number)
    significant = phonenumbers.national_significant_number(parsed)
    split = phonenumbers.length_of_national_destination_code(parsed)
    area, subscriber = significant[:split], significant[split:]
    code = str(parsed.country_code)
    forms = {
        Spelling.E164: number,
        Spelling.DIGITS: code + significant,
        Spelling.ZEROS: "00" + code + significant,
        Spelling.NATIONAL: "0" + significant,
        Spelling.HYPHEN: f"0{area}-{subscriber}",
        Spelling.SPACE: f"0{area} {subscriber}",
        Spelling.SLASH: f"0{area}/{subscriber}",
        Spelling.GROUPED: phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL),
        Spelling.INTERNATIONAL: phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL),
        Spelling.BRACKETS: f"+{code} (0){area} {subscriber}",
        Spelling.BRACKETS_TIGHT: f"+{code}(0){significant}",
        Spelling.AREA_BRACKETS: f"(0{area}) {subscriber}",
    }
    return list(dict.fromkeys(forms[spelling] for spelling in spellings))
