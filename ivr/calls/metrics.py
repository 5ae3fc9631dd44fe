"""Metrics: what the journal is told, counted for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from ivr.calls.entries import Amendment, Entry
from ivr.domain.contact import Contact, ContactEvent, ContactId, EventKind, Outcome
from ivr.domain.errand import Assignment, ErrandReport, kind_of

# Seconds; identification has a budget of 0.3 by default.
IDENTIFIED_WITHIN = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
ANSWERED_WITHIN = (5, 10, 20, 30, 60, 120, 300, 600)


class CallMetrics:
    """Counts calls, outcomes and events; `observe` is to be subscribed to the journal."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._latest: dict[ContactId, Outcome] = {}
        self._calls = Counter("klantlijn_calls", "Calls that came in or were made", ["direction"], registry=registry)
        self._outcomes = Counter(
            "klantlijn_outcomes", "Ended contacts by what they came to", ["outcome"], registry=registry
        )
        events = Counter("klantlijn_events", "What happened in calls", ["kind"], registry=registry)
        self._events = {kind: events.labels(kind.value) for kind in EventKind}
        self._callers = Counter(
            "klantlijn_callers", "Callers by how they were identified", ["state"], registry=registry
        )
        self._errands = Counter(
            "klantlijn_errands", "Tickets and messages that flows asked for", ["kind", "connector"], registry=registry
        )
        self._attempts = Counter(
            "klantlijn_errand_attempts",
            "Attempts at errands by what they came to: done, waiting to be tried again, failed",
            ["state"],
            registry=registry,
        )
        self._queued = Counter("klantlijn_queued", "Calls handed over", ["queue", "site"], registry=registry)
        self._identified = Histogram(
            "klantlijn_identification_seconds",
            "From the arrival of a call to knowing who calls",
            buckets=IDENTIFIED_WITHIN,
            registry=registry,
        )
        self._waited = Histogram(
            "klantlijn_wait_seconds", "Wait of callers an agent answered", buckets=ANSWERED_WITHIN, registry=registry
        )

    def observe(self, entry: Entry) -> None:
        """Count a journal entry."""
        match entry:
            case Contact():
                self._calls.labels(entry.direction.value).inc()
            case Amendment():
                self._observe_outcome(entry)
            case Assignment():
                self._errands.labels(kind_of(entry.errand), entry.connector).inc()
            case ErrandReport():
                self._attempts.labels(entry.state.value).inc()
            case ContactEvent():
                self._events[entry.kind].inc()
                self._observe_detail(entry)

    def _observe_outcome(self, amendment: Amendment) -> None:
        # Handed over becomes answered or abandoned: only what it is at the end counts.
        outcome = amendment.changes.get("outcome")
        if isinstance(outcome, Outcome):
            self._latest[amendment.contact_id] = outcome
        if amendment.changes.get("ended_at") and (last := self._latest.pop(amendment.contact_id, None)):
            self._outcomes.labels(last.value).inc()

    def _observe_detail(self, event: ContactEvent) -> None:
        detail = event.detail
        if event.kind is EventKind.IDENTIFIED:
            self._callers.labels(str(detail.get("state"))).inc()
            if isinstance(took := detail.get("took_ms"), int | float):
                self._identified.observe(took / 1000)
        elif event.kind is EventKind.QUEUED:
            self._queued.labels(str(detail.get("queue")), str(detail.get("site"))).inc()
        elif event.kind is EventKind.AGENT_ANSWERED and isinstance(waited := detail.get("waited"), int | float):
            self._waited.observe(waited)
