"""Numbers as people write them and caller ids as Asterisk passes them on become lines."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.line import Line, LineState, PhoneNumber, mask, parse_number, read_line

DUTCH = [
    ("0612345678", "+31612345678"),
    ("06-12345678", "+31612345678"),
    ("06 12 34 56 78", "+31612345678"),
    ("06.12.34.56.78", "+31612345678"),
    ("06/12345678", "+31612345678"),
    ("06–12345678", "+31612345678"),
    ("612345678", "+31612345678"),
    ("31612345678", "+31612345678"),
    ("0031612345678", "+31612345678"),
    ("+31 (0)6 12345678", "+31612345678"),
    ("+310612345678", "+31612345678"),
    ("0031(0)612345678", "+31612345678"),
    ("tel:+31612345678", "+31612345678"),
    ("sip:+31612345678@10.0.0.1", "+31612345678"),
    ("+31612345678@trunk.example", "+31612345678"),
    ("+31612345678;verstat=TN-Validation-Passed", "+31612345678"),
    ("020 123 4567", "+31201234567"),
    ("+31 (0)20", None),
    ("+31 (0)20 123 45 67", "+31201234567"),
    ("(020) 123 45 67", "+31201234567"),
    ("020-1234567 ext. 12", "+31201234567"),
    ("020-1234567 tst 12", "+31201234567"),
    ("020-1234567 toestel 12", "+31201234567"),
    ("0201234567#12", "+31201234567"),
    ("06-12345678 (werk)", "+31612345678"),
    ("0118-012345", "+31118012345"),
    ("0800-1234", "+318001234"),
    ("0900-1234567", "+319001234567"),
    ("14030", "+3114030"),
    ("088-1234567", "+31881234567"),
    ("085-1234567", "+31851234567"),
    ("097012345678", "+3197012345678"),
    ("32470123456", "+32470123456"),
    ("+32470123456", "+32470123456"),
    ("004930123456", "+4930123456"),
]
NOT_DUTCH = ["0470123456", "0676012345", "0141234567", "02 123 45 67", "112", "1233", "101", "2001", "*67", "1234567"]
BELGIAN = [
    ("0470 12 34 56", "+32470123456"),
    ("0470/12.34.56", "+32470123456"),
    ("+32 (0)470 12 34 56", "+32470123456"),
    ("0032470123456", "+32470123456"),
    ("32470123456", "+32470123456"),
    ("02 511 23 45", "+3225112345"),
    ("02/511.23.45", "+3225112345"),
    ("+32 (0)2 511 23 45", "+3225112345"),
    ("078 15 15 15", "+3278151515"),
    ("0800 12 345", "+3280012345"),
    ("0900 12 345", "+3290012345"),
    ("31612345678", "+31612345678"),
    ("0612345678", None),
    ("02 123 45 67", None),
]
NO_NUMBERS = [
    "anonymous",
    "unknown",
    "Restricted",
    "unavailable",
    "",
    "s",
    "asterisk",
    "+",
    "+31",
    "++",
    "((",
    "\0",
    "tel:",
]


@pytest.mark.parametrize(("written", "number"), DUTCH)
def test_dutch_forms_become_e164(written: str, number: str | None) -> None:
    assert parse_number(written, "NL") == number


@pytest.mark.parametrize("written", NOT_DUTCH)
def test_what_is_no_dutch_number_is_not_taken_for_another_countrys(written: str) -> None:
    assert parse_number(written, "NL") is None


@pytest.mark.parametrize(("written", "number"), BELGIAN)
def test_belgian_forms_become_e164(written: str, number: str | None) -> None:
    assert parse_number(written, "BE") == number


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_words_are_no_numbers(text: str) -> None:
    assert parse_number(text) is None


@given(st.text(), st.sampled_from(["NL", "BE", "DE", "US", "XX", ""]))
def test_any_text_is_a_valid_number_or_none(text: str, country: str) -> None:
    assert_sound(parse_number(text, country), country)


@given(st.text(alphabet="0123456789+()-. /#,x*;@", max_size=20), st.sampled_from(["NL", "BE"]))
def test_anything_like_a_number_is_a_valid_number_or_none(text: str, country: str) -> None:
    assert_sound(parse_number(text, country), country)


@given(st.from_regex(r"(0|0031|\+31|31|\+|00)?[1-9][0-9]{7,11}", fullmatch=True))
def test_numbers_are_read_the_same_a_second_time(text: str) -> None:
    assert_sound(parse_number(text), "NL")


def assert_sound(number: PhoneNumber | None, country: str) -> None:
    if number is not None:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number))
        assert parse_number(number, country) == number


KNOWN = Line(LineState.KNOWN, PhoneNumber("+31612345678"))
WITHHELD = Line(LineState.WITHHELD)
ABSENT = Line(LineState.ABSENT)
MALFORMED = Line(LineState.MALFORMED)


@pytest.mark.parametrize(
    ("received", "presentation", "privacy", "line"),
    [
        pytest.param("+31612345678", 0, "", KNOWN, id="a number"),
        pytest.param("0612345678", 1, "", KNOWN, id="passed its screening"),
        pytest.param("0612345678", 3, "", KNOWN, id="given by the network"),
        pytest.param("0612345678", 0, "none", KNOWN, id="a caller who wants no privacy"),
        pytest.param("0612345678", 0, "critical", KNOWN, id="a privacy that asks for nothing"),
        pytest.param("anonymous", 0, "", WITHHELD, id="From anonymous, no identity trusted, presentation allowed"),
        pytest.param("Anonymous", 0, "", WITHHELD, id="in capitals"),
        pytest.param("anonymous@anonymous.invalid", 0, "", WITHHELD, id="with its host"),
        pytest.param("Restricted", 0, "", WITHHELD, id="the word restricted"),
        pytest.param("+31612345678", 32, "id", WITHHELD, id="trusted P-Asserted-Identity with Privacy: id"),
        pytest.param("+31612345678", 33, "", WITHHELD, id="Remote-Party-ID with privacy=full"),
        pytest.param("+31612345678", 35, "", WITHHELD, id="restricted by the network"),
        pytest.param("+31612345678", 0, "id", WITHHELD, id="From with Privacy: id, presentation allowed"),
        pytest.param("+31612345678", 0, "user; critical", WITHHELD, id="more than one privacy"),
        pytest.param("+31612345678", 0, "HEADER", WITHHELD, id="privacy in capitals"),
        pytest.param("unknown", 67, "", ABSENT, id="no user part"),
        pytest.param("unknown", 0, "", ABSENT, id="an empty field as AGI says it"),
        pytest.param("", 0, "", ABSENT, id="nothing"),
        pytest.param("s", 0, "", ABSENT, id="Asterisk's start extension"),
        pytest.param("asterisk", 0, "", ABSENT, id="Asterisk's own name"),
        pytest.param("+31612345678", 67, "", WITHHELD, id="a number that is not available"),
        pytest.param("unknown", 32, "", WITHHELD, id="restricted and nothing else"),
        pytest.param("2001", 0, "", MALFORMED, id="an extension"),
        pytest.param("0470123456", 0, "", MALFORMED, id="a Belgian national form on a Dutch trunk"),
        pytest.param("jan", 0, "", MALFORMED, id="a name"),
        pytest.param("08001234", 0, "", MALFORMED, id="a free number"),
        pytest.param("09001234567", 0, "", MALFORMED, id="a paid number"),
        pytest.param("14030", 0, "", MALFORMED, id="a municipality's short number"),
        pytest.param("0881234567", 0, "", Line(LineState.KNOWN, PhoneNumber("+31881234567")), id="a company's number"),
        pytest.param("+4930123456", 0, "", Line(LineState.KNOWN, PhoneNumber("+4930123456")), id="a foreign number"),
    ],
)
def test_a_caller_id_of_asterisk_is_read(received: str, presentation: int, privacy: str, line: Line) -> None:
    assert read_line(received, presentation=presentation, privacy=privacy) == line


def test_national_forms_are_read_in_the_trunks_country() -> None:
    assert read_line("0470123456", country="BE").number == "+32470123456"


@given(st.text(), st.integers(min_value=-1, max_value=255), st.text())
def test_any_caller_id_is_some_line(received: str, presentation: int, privacy: str) -> None:
    line = read_line(received, presentation=presentation, privacy=privacy)
    assert (line.number is not None) == (line.state is LineState.KNOWN)


@given(st.text(max_size=40))
def test_a_mask_shows_at_most_six_characters(text: str) -> None:
    shown = mask(text)
    assert len(shown) == len(text)
    assert len(shown) - shown.count("*") <= 6


def test_a_line_shows_itself_masked() -> None:
    assert KNOWN.shown == "+316******78"
    assert WITHHELD.shown == "withheld"


@pytest.mark.parametrize(("attestation", "attested"), [("A", True), ("B", False), ("C", False), ("", False)])
def test_only_a_network_that_vouches_in_full_attests_a_number(attestation: str, attested: bool) -> None:
    assert read_line("0612345678", attestation=attestation).attested is attested


def test_nothing_attests_a_number_that_is_withheld() -> None:
    assert not read_line("0612345678", privacy="id", attestation="A").attested
