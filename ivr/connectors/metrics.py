"""Metrics of connectors: what each look-up came to, and how long the systems take, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from ivr.connectors.breaker import BreakerState
from ivr.connectors.guard import Guard
from ivr.connectors.sync import IndexSync


class IndexMetrics(Collector):
    """Reads how far the index of each system is when Prometheus asks."""

    def __init__(self, syncs: Sequence[IndexSync]) -> None:
        self._syncs = syncs

    def collect(self) -> Iterator[Metric]:
        """The values of this moment, by connector; no age of an index that was never complete."""
        ages = GaugeMetricFamily(
            "klantlijn_index_age_seconds", "Since the moment the index of customers is up to", labels=["connector"]
        )
        customers = GaugeMetricFamily("klantlijn_index_customers", "Customers in the index", labels=["connector"])
        for sync in self._syncs:
            if sync.age is not None:
                ages.add_metric([sync.name], sync.age)
            if sync.state is not None:
                customers.add_metric([sync.name], sync.state.customers)
        yield from (ages, customers)


class ConnectorMetrics(Collector):
    """Reads the guards when Prometheus asks."""

    def __init__(self, guards: Sequence[Guard]) -> None:
        self._guards = guards

    def collect(self) -> Iterator[Metric]:
        """The values of this moment, by connector."""
        lookups = CounterMetricFamily("klantlijn_lookups", "Look-ups of callers", labels=["connector", "result"])
        answers = SummaryMetricFamily(
            "klantlijn_connector_answer_seconds", "Time the system took to answer", labels=["connector"]
        )
        open_breakers = GaugeMetricFamily(
            "klantlijn_connector_left_alone", "1 while the circuit breaker keeps calls away", labels=["connector"]
        )
        under_way = GaugeMetricFamily("klantlijn_connector_requests", "Requests under way", labels=["connector"])
        for status in (guard.status for guard in self._guards):
            for result, count in status.counts.items():
                lookups.add_metric([status.name, result.value], count)
            answers.add_metric([status.name], status.answers, status.asked_seconds)
            open_breakers.add_metric([status.name], status.breaker is BreakerState.OPEN)
            under_way.add_metric([status.name], status.under_way)
        yield from (lookups, answers, open_breakers, under_way)
