from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from ivr.calls.entries import Amendment
from ivr.calls.metrics import CallMetrics
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Outcome

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ID = ContactId("1.1")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> CallMetrics:
    return CallMetrics(registry)


def event(kind: EventKind, **detail: object) -> ContactEvent:
    return ContactEvent("e", ID, NOW, kind, detail=detail)  # type: ignore[arg-type]


def test_a_call_counts_once_when_it_comes_in(metrics: CallMetrics, registry: CollectorRegistry) -> None:
    metrics.observe(Contact(ID, NOW))
    assert registry.get_sample_value("klantlijn_calls_total", {"direction": "inbound"}) == 1


def test_an_outcome_counts_as_what_it_is_when_the_contact_ends(
    metrics: CallMetrics, registry: CollectorRegistry
) -> None:
    metrics.observe(Amendment(ID, {"outcome": Outcome.HANDED_OVER}))
    metrics.observe(Amendment(ID, {"outcome": Outcome.ANSWERED}))
    assert registry.get_sample_value("klantlijn_outcomes_total", {"outcome": "answered"}) is None
    metrics.observe(Amendment(ID, {"ended_at": NOW}))
    assert registry.get_sample_value("klantlijn_outcomes_total", {"outcome": "answered"}) == 1
    assert registry.get_sample_value("klantlijn_outcomes_total", {"outcome": "handed_over"}) is None


def test_identification_and_waits_are_timed_in_seconds(metrics: CallMetrics, registry: CollectorRegistry) -> None:
    metrics.observe(event(EventKind.IDENTIFIED, state="known", took_ms=5.0))
    metrics.observe(event(EventKind.AGENT_ANSWERED, waited=12))
    assert registry.get_sample_value("klantlijn_identification_seconds_sum") == 0.005
    assert registry.get_sample_value("klantlijn_wait_seconds_sum") == 12
    assert registry.get_sample_value("klantlijn_callers_total", {"state": "known"}) == 1


def test_a_late_answer_is_not_timed_again(metrics: CallMetrics, registry: CollectorRegistry) -> None:
    metrics.observe(event(EventKind.IDENTIFIED, state="known", late=True))
    assert registry.get_sample_value("klantlijn_identification_seconds_count") == 0
