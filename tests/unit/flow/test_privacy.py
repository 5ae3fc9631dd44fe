"""Facts about what is told before a caller has proven who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ivr.config.loading import load
from ivr.config.model import Privacy
from ivr.configured import sources_of
from ivr.flow.loader import examine

TEXTS = {
    "code": "Uw postcode is {{ caller.postcode | postcode }}.",
    "guarded": "{% if caller.verified %}Uw postcode is {{ caller.postcode | postcode }}.{% else %}Dag.{% endif %}",
    "denied": "{% if not caller.verified %}Dag.{% else %}Uw postcode is {{ caller.postcode | postcode }}.{% endif %}",
    "unless": "{{ caller.postcode if caller.verified else 'geheim' }}",
    "amount": "U moet {{ invoice.amount | money }} betalen.",
    "all": "{% for invoice in caller.invoices %}{{ invoice.amount | money }} {% endfor %}",
    "how_many": "{{ caller.invoices | count('factuur', 'facturen') }}",
    "kept": "Er staat {{ answers.amount | money }} open.",
    "taken": "Er staat {{ given.amount | money }} open.",
    "gained": "Er staat {{ answers.debt.amount | money }} open.",
    "named": "Dag {{ caller.name }}.",
}
END = "  - hang_up:\n"
DEFAULT = tuple(Privacy().after_verify)


@pytest.fixture
def told(examine_flow: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is told too early in these blocks: the prompt, and the way to it."""

    def made(
        blocks: str, private: tuple[str, ...] = DEFAULT, head: str = "", others: Mapping[str, str] = {}
    ) -> list[tuple[str, str]]:
        monkeypatch.setattr(
            "tests.unit.flow.conftest.examine",
            lambda sources: examine(replace(sources, private=dict.fromkeys(private))),
        )
        _, problems = examine_flow(blocks, TEXTS, head, others=others)
        assert {problem.rule for problem in problems} <= {"before-verify"}, "\n".join(map(str, problems))
        return [(p.message.split("'")[1], p.hint.partition("on this way: ")[2]) for p in problems]

    return made


def test_what_is_private_is_refused_before_proof_and_allowed_after_it(told: Any) -> None:
    assert told(f"here:\n  - say: code\n{END}") == [("code", "case: here")]
    assert told(f"here:\n  - verify: [postcode]\n  - say: code\n{END}") == []
    assert told(f"here:\n  - say: named\n{END}") == []


def test_the_message_says_which_field_and_the_flow_where(examine_flow: Any, told: Any) -> None:
    told(f"here:\n  - say: code\n{END}")
    (problem,) = examine_flow(f"here:\n  - say: code\n{END}", TEXTS)[1]
    assert problem.message == "'code' says caller.postcode, and not every caller has proven who they are here"
    assert (problem.file, problem.line, problem.column) == ("flows/case.yaml", 5, 12)


@pytest.mark.parametrize("text", ["guarded", "denied", "unless"])
def test_a_text_may_ask_for_the_proof_itself(told: Any, text: str) -> None:
    assert told(f"here:\n  - say: {text}\n{END}") == []


def test_every_way_has_to_go_through_a_proof_and_the_message_shows_one_that_does_not(told: Any) -> None:
    blocks = f"""here:
  - branch: [{{ when: caller.orders, goto: proof }}]
  - goto: roundabout
proof:
  - verify: {{ facts: [postcode], otherwise: refused }}
  - goto: tell
refused:
  - hang_up:
roundabout:
  - goto: tell
tell:
  - say: code
{END}"""
    assert told(blocks) == [("code", "case: here → roundabout → tell")]
    assert told(blocks.replace("  - goto: tell\ntell", "  - goto: proof\ntell")) == []


def test_who_fails_a_proof_is_not_proven(told: Any) -> None:
    blocks = (
        f"here:\n  - verify: {{ facts: [postcode], otherwise: failed }}\n  - hang_up:\nfailed:\n  - say: code\n{END}"
    )
    assert told(blocks) == [("code", "case: here → failed")]
    given_up = blocks.replace(", otherwise: failed", "")
    assert told(given_up, head="start: here\notherwise: failed") == [("code", "case: here → failed")]
    broken = f"here:\n  - verify: [postcode]\n    on_error: failed\n  - hang_up:\nfailed:\n  - say: code\n{END}"
    assert told(broken) == [("code", "case: here → failed")]


@pytest.mark.parametrize(
    ("when", "is_proof"),
    [
        ("caller.verified", True),
        ("caller.verified and caller.orders", True),
        ("not not caller.verified", True),
        ("caller.verified or caller.orders", False),
        ("not caller.verified", False),
        ("caller.known", False),
    ],
)
def test_a_branch_or_an_option_may_ask_for_the_proof(told: Any, when: str, is_proof: bool) -> None:
    branch = f"here:\n  - branch: [{{ when: {when}, goto: tell }}]\n  - hang_up:\ntell:\n  - say: code\n{END}"
    assert told(branch) == ([] if is_proof else [("code", "case: here → tell")])
    menu = f'here:\n  - menu: {{ prompt: welcome, options: {{ "1": {{ goto: tell, when: {when} }} }} }}\ntell:\n'
    assert told(f"{menu}  - say: code\n{END}") == ([] if is_proof else [("code", "case: here → tell")])
    offer = f'here:\n  - menu: {{ prompt: welcome, options: {{ "1": {{ goto: bye, say: code, when: {when} }} }} }}\n'
    assert told(f"{offer}bye:\n{END}") == ([] if is_proof else [("code", "case: here")])


def test_a_branch_that_takes_all_who_are_not_proven_leaves_the_proven(told: Any) -> None:
    blocks = (
        f"here:\n  - branch: [{{ when: not caller.verified, goto: bye }}]\n  - say: code\n  - goto: bye\nbye:\n{END}"
    )
    assert told(blocks) == []


@pytest.mark.parametrize(
    ("private", "steps", "prompts"),
    [
        (("invoices.amount",), "say: { prompt: amount, with: { invoice: caller.invoices | first } }", ["amount"]),
        (("invoices.number",), "say: { prompt: amount, with: { invoice: caller.invoices | first } }", []),
        (("invoices",), "say: { prompt: amount, with: { invoice: caller.invoices | first } }", ["amount"]),
        (("invoices.amount",), "say: all", ["all"]),
        (("invoices.amount",), "say: how_many", []),
        (("invoices",), "say: how_many", ["how_many"]),
        (("open_orders",), "say: how_many", []),
        ((), "say: code", []),
    ],
)
def test_a_field_is_private_by_itself_or_with_all_that_is_in_it(
    told: Any, private: tuple[str, ...], steps: str, prompts: list[str]
) -> None:
    assert [prompt for prompt, _ in told(f"here:\n  - {steps}\n{END}", private)] == prompts


def test_what_is_private_stays_so_as_an_answer(told: Any) -> None:
    blocks = "here:\n  - set: { answers: { amount: (caller.invoices | first).amount } }\n  - say: kept\n" + END
    assert told(blocks) == [("kept", "case: here")]
    through = blocks.replace("  - say", "  - set: { answers: { amount: answers.amount + 1 } }\n  - say")
    assert told(through) == [("kept", "case: here")]
    asked = "here:\n  - ask: { prompt: welcome, into: amount, type: amount }\n  - say: kept\n" + END
    assert told(asked) == []


TAKING = "takes: { amount: amount }\ngives: { amount: given.amount }\n"
CALLED = TAKING + "start: a\nblocks:\n  a:\n    - say: %s\n    - return:\n"
GIVING = "here:\n  - call: { flow: other, with: { amount: (caller.invoices | first).amount }, into: debt }\n"


def test_what_is_private_stays_so_through_a_flow_that_is_called(told: Any) -> None:
    assert told(GIVING + END, others={"other": CALLED % "taken"}) == [("taken", "case: here → other: a")]
    assert told(GIVING + "  - say: gained\n" + END, others={"other": CALLED % "welcome"}) == [("gained", "case: here")]


PROVING = "start: a\nblocks:\n  a:\n    - verify: { facts: [postcode], otherwise: b }\n    - return:\n  b:\n    - %s:\n"


def test_a_flow_that_is_called_may_be_the_proof(told: Any) -> None:
    blocks = "here:\n  - call: other\n  - say: code\n" + END
    assert told(blocks, others={"other": PROVING % "hang_up"}) == []
    assert told(blocks, others={"other": PROVING % "return"}) == [("code", "case: here")]


def test_a_flow_that_gives_up_takes_the_unproven_where_its_caller_says(told: Any) -> None:
    giving_up = "start: a\nblocks:\n  a:\n    - verify: [postcode]\n    - return:\n"
    blocks = "here:\n  - call: { flow: other, otherwise: there }\n  - hang_up:\nthere:\n  - say: code\n" + END
    assert told(blocks, others={"other": giving_up}) == [("code", "case: here → there")]


def test_a_flow_that_goes_on_in_another_comes_back_from_there(told: Any) -> None:
    first = "start: a\nblocks:\n  a:\n    - goto: { flow: second }\n"
    blocks = "here:\n  - call: first\n  - say: code\n" + END
    assert told(blocks, others={"first": first, "second": PROVING % "return"}) == [("code", "case: here")]
    assert told(blocks, others={"first": first, "second": PROVING % "hang_up"}) == []


def test_calls_begin_where_nothing_leads_to(told: Any) -> None:
    other = "start: a\nblocks:\n  a:\n    - say: code\n    - hang_up:\n"
    assert told("here:\n  - goto: { flow: other }\n", others={"other": other}) == [("code", "case: here → other: a")]
    proven = "here:\n  - verify: [postcode]\n  - goto: { flow: other }\n"
    assert told(proven, others={"other": other}) == []
    assert told(proven, others={"other": other, "third": other}) == [("code", "third: a")]


PAYMENT = "text: 'Betaal {{ (caller.invoices | first).amount }}'"


def sent(examine_flow: Any, told: Any, blocks: str, head: str = "") -> list[tuple[str, int]]:
    """What messages tell too early: the field, and the line."""
    told(f"here:\n{END}")  # with the default of what is private
    _, problems = examine_flow(blocks, TEXTS, head)
    assert {problem.rule for problem in problems} <= {"before-verify"}, "\n".join(map(str, problems))
    return [(p.message.partition("whoever calls ")[2].split(",")[0], p.line) for p in problems]


@pytest.mark.parametrize(
    "message",
    [
        f"{{ by: sms, {PAYMENT} }}",
        f"{{ by: sms, to: '{{{{ caller.number }}}}', {PAYMENT} }}",
        f"{{ by: sms, to: '{{{{ answers.mobile }}}}', {PAYMENT} }}",
        f"{{ by: email, to: '{{{{ answers.mobile }}}}@sms.example', {PAYMENT} }}",
        "{ by: email, to: '{{ answers.mobile }}@sms.example', text: x, subject: '{{ caller.postcode }}' }",
    ],
)
def test_a_message_to_whoever_calls_tells_no_more_than_a_prompt(examine_flow: Any, told: Any, message: str) -> None:
    asked = "here:\n  - ask: { prompt: named, into: mobile, type: phone }\n"
    (found,) = sent(examine_flow, told, f"{asked}  - message: {message}\n{END}")
    assert found in (("caller.invoices.amount", 6), ("caller.postcode", 6))
    assert sent(examine_flow, told, f"{asked}  - verify: [postcode]\n  - message: {message}\n{END}") == []


@pytest.mark.parametrize(
    "step",
    [
        f"message: {{ by: email, {PAYMENT} }}",
        f"message: {{ by: email, to: '{{{{ caller.email }}}}', {PAYMENT} }}",
        f"message: {{ by: sms, to: '+31612345679', {PAYMENT} }}",
        f"message: {{ by: webhook, to: 'https://pay.example/{{{{ caller.id }}}}', {PAYMENT} }}",
        "message: { by: sms, text: 'Dag {{ caller.name }}' }",
        "message: { by: sms, text: '{% if caller.verified %}{{ caller.postcode }}{% endif %}.' }",
        f"ticket: {{ subject: Betalen, {PAYMENT} }}",
    ],
)
def test_the_customers_own_address_and_our_own_people_may_be_told(examine_flow: Any, told: Any, step: str) -> None:
    assert sent(examine_flow, told, f"here:\n  - {step}\n{END}") == []


def test_a_message_to_who_left_tells_no_more_either(examine_flow: Any, told: Any) -> None:
    head = "languages: [nl]\nstart: here\non_hangup: gone\n"
    blocks = f"here:\n  - say: named\n{END}gone:\n  - message: {{ by: sms, {PAYMENT} }}\n"
    assert sent(examine_flow, told, blocks, head) == [("caller.invoices.amount", 11)]
    guarded = blocks.replace("gone:\n", "gone:\n  - branch: [{ when: not caller.verified, goto: over }]\n")
    assert sent(examine_flow, told, f"{guarded}over:\n  - reason: left\n", head) == []


def test_a_name_that_an_admin_wrote_and_no_caller_has_is_told(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    (tmp_path / "config.yaml").write_text(
        (root / "config.yaml").read_text(encoding="utf-8") + "\nprivacy: { after_verify: [postcode, invoices.amunt] }\n"
    )
    sources = sources_of(load(tmp_path / "config.yaml"))
    _, problems = examine(replace(sources, flows=root / "dialplans", prompts=root / "prompts"))
    (problem,) = [problem for problem in problems if problem.rule == "unknown-field"]
    assert problem.message == "'caller.invoices.amunt' is no field of the caller"
    assert problem.hint == "did you mean 'amount'?"
    assert problem.excerpt[problem.column - 1 : problem.end_column - 1] == "invoices.amunt"
