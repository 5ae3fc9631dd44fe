"""Gauges: how Klantlijn itself does at the moment somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

Reading = Callable[[], float]


class StateGauges(Collector):
    """Reads its values when Prometheus asks. `readings` maps a name to what it means and how it is read."""

    def __init__(self, readings: Mapping[str, tuple[str, Reading]]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The values of this moment."""
        for name, (meaning, reading) in self._readings.items():
            yield GaugeMetricFamily(name, meaning, value=reading())
