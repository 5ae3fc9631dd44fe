"""The report of triage counts every path of answers once for each time that somebody took it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.contact import ContactEvent, ContactId, EventKind
from ivr.reports.triage import triage_paths

BEGAN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def went(*what: str, triage: str = "modem") -> list[ContactEvent]:
    """A contact's events: `question=answer`, a result, or anything else."""
    found = []
    for number, word in enumerate(what):
        kind, detail = EventKind.DIGITS, {"keys": word}
        if "=" in word:
            question, _, answer = word.partition("=")
            kind, detail = EventKind.TRIAGE_ANSWER, {"triage": triage, "question": question, "answer": answer}
        elif word in ("solved", "ticket", "visit", "agent"):
            kind, detail = EventKind.TRIAGE_RESULT, {"triage": triage, "result": word}
        at = BEGAN + timedelta(seconds=number)
        found.append(ContactEvent(f"{triage}-{number}", ContactId("c"), at, kind, "triage", dict(detail)))
    return found


def shown(contacts: Sequence[Sequence[ContactEvent]]) -> list[tuple[str, str, dict[str, int]]]:
    return [
        (report.triage, " ".join("=".join(pair) for pair in report.path), dict(report.results))
        for report in triage_paths(contacts)
    ]


def test_each_path_has_its_own_row_the_busiest_first() -> None:
    contacts = [
        went("lights=none", "1", "power=helped", "solved"),
        went("lights=none", "power=no", "visit"),
        went("lights=none", "power=helped", "solved"),
    ]
    assert shown(contacts) == [
        ("modem", "lights=none power=helped", {"solved": 2}),
        ("modem", "lights=none power=no", {"visit": 1}),
    ]


def test_who_leaves_before_a_result_is_counted_as_left_and_not_as_solved() -> None:
    contacts = [went("lights=red"), went("lights=red", "solved"), went("lights=red", "solved"), went("1", "2")]
    (report,) = triage_paths(contacts)
    assert (report.calls, report.results, round(report.solved_share, 3)) == (3, {"left": 1, "solved": 2}, 0.667)


def test_one_contact_may_go_through_several_and_twice_through_the_same() -> None:
    contact = [*went("lights=none", "solved", "lights=none", "visit"), *went("screen=off", "ticket", triage="vending")]
    assert shown([contact]) == [
        ("modem", "lights=none", {"solved": 1, "visit": 1}),
        ("vending", "screen=off", {"ticket": 1}),
    ]


def test_who_answers_nothing_and_ends_at_a_person_has_a_path_without_answers() -> None:
    assert shown([went("agent")]) == [("modem", "", {"agent": 1})]


@given(st.lists(st.lists(st.sampled_from(["a=1", "b=2", "solved", "visit", "9"]), max_size=8), max_size=12))
def test_nobody_is_counted_twice_or_lost(walks: list[list[str]]) -> None:
    contacts = [went(*walk) for walk in walks]
    results = sum(word in ("solved", "visit") for walk in walks for word in walk)
    unfinished = 0
    for walk in walks:
        last = max((at for at, word in enumerate(walk) if word in ("solved", "visit")), default=-1)
        unfinished += any("=" in word for word in walk[last + 1 :])
    assert sum(report.calls for report in triage_paths(contacts)) == results + unfinished
