"""Facts about flows that could leave a caller in a queue where nobody is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ivr.flow.loader import examine

END = "  - hang_up:\n"
OTHER = "start: other\nlanguages: [nl]\nblocks:\n  other:\n"


@pytest.fixture
def found(examine_flow: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is said of queues in these blocks, where `support` and the fallback close at night: severity and words."""

    def made(
        blocks: str, *, head: str = "", other: str = "", always: tuple[str, ...] = ("alarm",)
    ) -> list[tuple[str, str, str]]:
        queues = {"support", "desk", *always}
        gaps = {"support": "mon 18:00", "desk": "sun 00:00"}
        monkeypatch.setattr(
            "tests.unit.flow.conftest.examine",
            lambda sources: examine(replace(sources, queues=queues, queue_gaps=gaps, fallback="desk")),
        )
        others = {"other": OTHER + other} if other else {}
        _, problems = examine_flow(blocks, {"hello": "Dag."}, head, others=others)
        assert {problem.rule for problem in problems} <= {"closed-queue"}, "\n".join(map(str, problems))
        return [(p.severity.value, p.message, p.hint) for p in problems]

    return made


def test_a_queue_needs_somewhere_to_go_when_it_is_closed(found: Any) -> None:
    ((severity, message, _),) = found("here:\n  - queue: support\n")
    assert (severity, message) == ("error", "queue 'support' is closed (mon 18:00), and a caller would wait there")
    assert found(f"here:\n  - queue: {{ queue: support, closed: bye }}\nbye:\n{END}") == []
    assert found("here:\n  - queue: alarm\n") == []


@pytest.mark.parametrize(
    ("step", "queue"),
    [
        ("{ to: reception, queue: support }", "support"),
        ("reception", "desk"),
        ("{ to: reception, queue: desk }", "desk"),
    ],
)
def test_a_transfer_needs_an_open_queue_behind_it_where_there_is_one(found: Any, step: str, queue: str) -> None:
    ((severity, message, hint),) = found(f"here:\n  - transfer: {step}\n")
    assert severity == "error"
    assert message.startswith(f"queue '{queue}' is closed")
    assert "queue: alarm" in hint
    ((severity, _, hint),) = found(f"here:\n  - transfer: {step}\n", always=())
    assert (severity, hint) == ("warning", "let a condition mind queue.open or open.<name>")


def test_a_transfer_to_an_open_queue_or_in_a_flow_that_minds_the_hours_is_right(found: Any) -> None:
    assert found("here:\n  - transfer: { to: reception, queue: alarm }\n") == []
    minds = "here:\n  - branch: [{ when: not queue.open, goto: bye }]\n  - transfer: reception\n"
    assert found(f"{minds}bye:\n{END}") == []


def test_a_flow_that_gives_callers_up_to_a_closed_fallback_queue_is_warned_of_once(found: Any) -> None:
    blocks = f"here:\n  - verify: [postcode]\n  - verify: [house_number]\n{END}"
    ((severity, message, _),) = found(blocks)
    assert severity == "warning"
    assert message == "who is not helped here goes to the fallback queue 'desk', which is closed (sun 00:00)"
    helped = "languages: [nl]\nstart: here\notherwise: bye\n"
    assert found(f"{blocks}bye:\n{END}", head=helped) == []
    assert found(blocks.replace("here:\n", "here:\n  - branch: [{ when: not queue.open, goto: here }]\n")) == []


def test_who_is_given_up_by_a_flow_that_was_called_goes_where_its_caller_says(found: Any) -> None:
    other = "    - verify: [postcode]\n    - return:\n"
    assert found(f"here:\n  - call: {{ flow: other, otherwise: bye }}\n  - goto: bye\nbye:\n{END}", other=other) == []
    ((severity, message, _),) = found(f"here:\n  - call: other\n{END}", other=other)
    assert (severity, message.split(",")[0]) == (
        "warning",
        "who is not helped here goes to the fallback queue 'desk'",
    )
    assert found(f"here:\n  - call: other\n{END}", other="    - say: hello\n    - return:\n") == []
