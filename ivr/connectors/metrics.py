"""Metrics of connectors: what each look-up came to, and how long the systems take, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from ivr.connectors.breaker import BreakerState
from ivr.connectors.guard import Guard


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
